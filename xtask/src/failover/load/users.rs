//! Clients that update, create and read users.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::ledger::{Ledger, Public};
use super::{Kind, Outcome, Person, pause};
use crate::failover::http::Call;

/// Name of a user with this value.
pub fn name(value: u64) -> String {
    format!("Value {value}")
}

/// Value in a user's name.
fn value(user: &Value) -> Option<u64> {
    user["name"].as_str()?.strip_prefix("Value ")?.parse().ok()
}

/// A client that updates its users in turn, with `If-Match`: every update also proves that the one before is not lost.
#[derive(Debug)]
pub struct Writer {
    person: Person,
    users: Vec<(Arc<Public>, Ledger)>,
}

impl Writer {
    pub fn new(person: Person, users: Vec<Arc<Public>>) -> Self {
        Self { person, users: users.into_iter().map(|public| (public, Ledger::default())).collect() }
    }

    /// Runs until the load stops.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Self {
        loop {
            for index in 0..self.users.len() {
                let outcome = self.step(index).await;
                if !pause(outcome, &mut stop).await {
                    return self;
                }
            }
        }
    }

    async fn step(&mut self, index: usize) -> Outcome {
        let (public, ledger) = &mut self.users[index];
        if ledger.suspect {
            return Outcome::Done;
        }
        let path = format!("/v1/users/{}", public.id);
        let Some(tag) = ledger.tag.take() else {
            let (outcome, reply) = self.person.send_signed(Kind::Read, Call::get(&path), &[200]).await;
            if let (Outcome::Done, Some(reply)) = (outcome, reply) {
                let journal = &self.person.journal;
                match value(&reply.body) {
                    Some(value) if ledger.allows(value) => {
                        ledger.acknowledge(value, journal.now(), reply.etag(), public);
                    }
                    other => {
                        ledger.suspect = true;
                        journal.stale(format!("{path} has {other:?} instead of {}", ledger.expectation()));
                    }
                }
            }
            return outcome;
        };
        let value = ledger.next(public);
        let call = Call::patch(path, json!({ "name": name(value) })).if_match(&tag);
        // 412: an earlier update with an unknown outcome has taken effect; the next step reads the user.
        let (outcome, reply) = self.person.send_signed(Kind::Write, call, &[200]).await;
        match (outcome, reply) {
            (Outcome::Done, Some(reply)) => {
                ledger.acknowledge(value, self.person.journal.now(), reply.etag(), public);
            }
            (_, Some(reply)) if reply.status == 412 => {}
            _ => ledger.mark_unknown(value),
        }
        outcome
    }

    /// Reads every user at the end; returns their number.
    pub async fn verify(mut self) -> anyhow::Result<usize> {
        for (public, ledger) in &self.users {
            let call = Call::get(format!("/v1/users/{}", public.id)).token(&self.person.token);
            let reply = self.person.insist(call, &[200, 404]).await?;
            let value = value(&reply.body);
            if !value.is_some_and(|value| ledger.allows(value)) {
                let what = format!("user {} has {value:?} instead of {}", public.id, ledger.expectation());
                for at in ledger.missing(value) {
                    self.person.journal.lost(at, what.clone());
                }
            }
        }
        Ok(self.users.len())
    }
}

/// A client that creates users and retries each with one idempotency key until it succeeds.
#[derive(Debug)]
pub struct Creator {
    person: Person,
    /// Ids with the times of their acknowledgement.
    created: Vec<(String, Duration)>,
}

impl Creator {
    pub fn new(person: Person) -> Self {
        Self { person, created: Vec::new() }
    }

    /// Runs until the load stops.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Self {
        for number in 0_u64.. {
            loop {
                let username = format!("created{number}");
                let call = Call::post("/v1/users", json!({ "username": username, "name": name(number) }));
                let call = call.header("idempotency-key", &username);
                let (outcome, reply) = self.person.send_signed(Kind::Write, call, &[201]).await;
                if let (Outcome::Done, Some(reply)) = (outcome, reply) {
                    let id = reply.body["id"].as_str().unwrap_or_default().to_owned();
                    self.created.push((id, self.person.journal.now()));
                }
                if !pause(outcome, &mut stop).await {
                    return self;
                }
                if outcome == Outcome::Done {
                    break;
                }
            }
        }
        self
    }

    /// Reads every user at the end; returns their number.
    pub async fn verify(mut self) -> anyhow::Result<usize> {
        for (number, (id, at)) in self.created.iter().enumerate() {
            let call = Call::get(format!("/v1/users/{id}")).token(&self.person.token);
            let reply = self.person.insist(call, &[200, 404]).await?;
            if value(&reply.body) != u64::try_from(number).ok() {
                let what = format!("created user {number} ({id}): {} {}", reply.status, reply.body["name"]);
                self.person.journal.lost(*at, what);
            }
        }
        Ok(self.created.len())
    }
}

/// Reads users, and compares their values with those of their writers.
pub async fn read(mut person: Person, users: Vec<Arc<Public>>, from: usize, mut stop: watch::Receiver<bool>) {
    for user in users.iter().cycle().skip(from) {
        let path = format!("/v1/users/{}", user.id);
        let before = user.acknowledged();
        let (outcome, reply) = person.send_signed(Kind::Read, Call::get(&path), &[200]).await;
        if let (Outcome::Done, Some(reply)) = (outcome, reply) {
            let (seen, after) = (value(&reply.body), user.attempted());
            if !seen.is_some_and(|seen| (before..=after).contains(&seen)) {
                person.journal.stale(format!("{path} had {seen:?}, but {before} was acknowledged before"));
            }
        }
        if !pause(outcome, &mut stop).await {
            return;
        }
    }
}

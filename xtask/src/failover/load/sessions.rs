//! Clients that sign in and out, and check live and ended sessions.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

use super::{Kind, Outcome, Person, pause};
use crate::failover::http::Call;

/// Number of live sessions above which the oldest is ended.
const LIVE: usize = 5;

/// A session, with the time at which its start or end was acknowledged.
#[derive(Clone, Debug)]
struct Session {
    token: String,
    at: Duration,
}

/// A client that signs in and out.
#[derive(Debug)]
pub struct Signer {
    person: Person,
    live: VecDeque<Session>,
    ended: Vec<Session>,
    /// Counter that selects the ended session to check next.
    next: usize,
}

impl Signer {
    pub fn new(person: Person) -> Self {
        Self { person, live: VecDeque::new(), ended: Vec::new(), next: 0 }
    }

    /// Runs until the load stops.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Self {
        loop {
            for step in 0..4 {
                let outcome = match step {
                    0 => self.sign_in().await,
                    1 => self.look_at_live().await,
                    2 => self.look_at_ended().await,
                    _ => self.sign_out().await,
                };
                if !pause(outcome, &mut stop).await {
                    return self;
                }
            }
        }
    }

    async fn sign_in(&mut self) -> Outcome {
        let body = json!({ "identifier": self.person.username, "password": self.person.password });
        let (outcome, reply) = self.person.send(Kind::Write, Call::post("/v1/login", body), &[200]).await;
        if let (Outcome::Done, Some(reply)) = (outcome, reply) {
            let token = reply.body["token"].as_str().unwrap_or_default().to_owned();
            self.live.push_back(Session { token, at: self.person.journal.now() });
        }
        outcome
    }

    async fn sign_out(&mut self) -> Outcome {
        if self.live.len() <= LIVE {
            return Outcome::Done;
        }
        let Some(session) = self.live.pop_front() else { return Outcome::Done };
        let call = Call::post("/v1/logout", json!({ "everywhere": false })).token(&session.token);
        let (outcome, _) = self.person.send(Kind::Write, call, &[204]).await;
        if outcome == Outcome::Done {
            self.ended.push(Session { at: self.person.journal.now(), ..session });
        }
        // After any other outcome the state of the session is unknown, so it is not checked again.
        outcome
    }

    async fn look_at_live(&mut self) -> Outcome {
        let Some(session) = self.live.front() else { return Outcome::Done };
        let call = Call::get("/v1/session").token(&session.token);
        let (outcome, reply) = self.person.send(Kind::Read, call, &[200, 401]).await;
        if reply.is_some_and(|reply| reply.status == 401) {
            self.person.journal.stale("a session that had started was unknown".to_owned());
        }
        outcome
    }

    async fn look_at_ended(&mut self) -> Outcome {
        // One of the newest eight, because they are at risk.
        let back = self.next % 8;
        self.next += 1;
        let Some(session) = self.ended.len().checked_sub(1 + back).and_then(|place| self.ended.get(place))
        else {
            return Outcome::Done;
        };
        let call = Call::get("/v1/session").token(&session.token);
        let (outcome, reply) = self.person.send(Kind::Read, call, &[200, 401]).await;
        if reply.is_some_and(|reply| reply.status == 200) {
            self.person.journal.stale("a session that had been ended was accepted".to_owned());
        }
        outcome
    }

    /// Checks every session at the end; returns their number.
    pub async fn verify(mut self) -> anyhow::Result<usize> {
        let live = self.live.iter().map(|session| (session.clone(), 200, "sign-in"));
        let ended = self.ended.iter().map(|session| (session.clone(), 401, "log-out"));
        let all: Vec<(Session, u16, &str)> = live.chain(ended).collect();
        for (session, expected, what) in &all {
            let call = Call::get("/v1/session").token(&session.token);
            let reply = self.person.insist(call, &[200, 401]).await?;
            if reply.status != *expected {
                self.person.journal.lost(session.at, format!("a {what} that was acknowledged"));
            }
        }
        Ok(all.len())
    }
}

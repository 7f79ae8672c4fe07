//! Clients that sign in and out, and look again at what they ended.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

use super::{Kind, Outcome, Person, pause};
use crate::failover::http::Call;

/// How many sessions are kept before the oldest is ended.
const LIVE: usize = 5;

/// A session, and when its beginning or its end was acknowledged.
#[derive(Clone, Debug)]
struct Session {
    token: String,
    at: Duration,
}

/// Signs in and out.
#[derive(Debug)]
pub struct Signer {
    person: Person,
    live: VecDeque<Session>,
    ended: Vec<Session>,
    /// Which of the ended ones is looked at next.
    next: usize,
}

impl Signer {
    pub fn new(person: Person) -> Self {
        Self { person, live: VecDeque::new(), ended: Vec::new(), next: 0 }
    }

    /// Works until told to stop.
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
        // Otherwise nobody knows whether the session has ended: it is of no more use.
        outcome
    }

    async fn look_at_live(&mut self) -> Outcome {
        let Some(session) = self.live.front() else { return Outcome::Done };
        let call = Call::get("/v1/session").token(&session.token);
        let (outcome, reply) = self.person.send(Kind::Read, call, &[200, 401]).await;
        if reply.is_some_and(|reply| reply.status == 401) {
            self.person.journal.stale("a session that had begun was unknown".to_owned());
        }
        outcome
    }

    async fn look_at_ended(&mut self) -> Outcome {
        // The newest ones most of the time, because they are at risk.
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

    /// Looks at every session at the end. Gives how many there are.
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

//! The load: a few clients that update, create, sign in and out, and read, all through HAProxy, each with an address, an
//! account and a connection of its own. It is bounded: every client pauses between two requests, and ends with the run.

mod journal;
mod ledger;
mod sessions;
mod users;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use journal::{Figures, Journal, Kind, LIMIT, Outcome};
use ledger::Public;

use super::http::{Call, Client, Reply};
use super::server::loopback;

/// Number of clients that update users.
const WRITERS: u8 = 4;
/// Number of users that each of them updates.
const USERS_EACH: u8 = 6;
/// Number of clients that create users.
const CREATORS: u8 = 1;
/// Number of clients that sign in and out.
const SIGNERS: u8 = 2;
/// Number of clients that only read.
const READERS: u8 = 3;
/// Pause of a client after a success.
const PACE: Duration = Duration::from_millis(40);
/// Pause of a client after any other outcome.
const PAUSE: Duration = Duration::from_millis(100);
/// Timeout of a response, after which a client closes the connection.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A client with its account.
#[derive(Debug)]
struct Person {
    client: Client,
    journal: Arc<Journal>,
    username: String,
    password: String,
    token: String,
}

impl Person {
    /// Sends a request and records the outcome.
    async fn send(&mut self, kind: Kind, call: Call, expected: &[u16]) -> (Outcome, Option<Reply>) {
        let started_at = self.journal.now();
        let reply = self.client.send(&call, TIMEOUT).await;
        let outcome = self.journal.record(kind, &call.name(), started_at, &reply, expected);
        (outcome, reply.ok())
    }

    /// Sends a request with the client's token and records the outcome.
    async fn send_signed(&mut self, kind: Kind, call: Call, expected: &[u16]) -> (Outcome, Option<Reply>) {
        let call = call.token(&self.token);
        self.send(kind, call, expected).await
    }

    /// Retries a request until the response has an expected status, for setup and verification.
    async fn insist(&mut self, call: Call, expected: &[u16]) -> anyhow::Result<Reply> {
        let mut last = String::new();
        for _ in 0..40 {
            match self.client.send(&call, TIMEOUT).await {
                Ok(reply) if expected.contains(&reply.status) => return Ok(reply),
                Ok(reply) => last = format!("{} {}", reply.status, reply.body),
                Err(error) => last = error,
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        bail!("{}: {last}", call.name())
    }

    async fn sign_in(&mut self) -> anyhow::Result<()> {
        let body = json!({ "identifier": self.username, "password": self.password });
        let reply = self.insist(Call::post("/v1/login", body), &[200]).await?;
        self.token = text(&reply.body, "token")?;
        Ok(())
    }
}

fn text(body: &Value, name: &str) -> anyhow::Result<String> {
    Ok(body[name].as_str().with_context(|| format!("a response without {name}"))?.to_owned())
}

/// The running load.
#[derive(Debug)]
pub struct Load {
    /// Record of all requests.
    pub journal: Arc<Journal>,
    stop: watch::Sender<bool>,
    writers: Vec<JoinHandle<users::Writer>>,
    creators: Vec<JoinHandle<users::Creator>>,
    signers: Vec<JoinHandle<sessions::Signer>>,
    readers: Vec<JoinHandle<()>>,
}

impl Load {
    /// Creates the accounts and starts the clients.
    pub async fn start(port: u16, admin_password: &str) -> anyhow::Result<Self> {
        let journal = Arc::new(Journal::new());
        let person = |number: u8, username: String, password: String| Person {
            client: Client::new(loopback(port), Ipv4Addr::new(127, 0, 1, number)),
            journal: Arc::clone(&journal),
            username,
            password,
            token: String::new(),
        };
        let mut admin = person(1, "admin".to_owned(), admin_password.to_owned());
        admin.sign_in().await?;
        let mut people = Vec::new();
        for number in 2..2 + WRITERS + CREATORS + SIGNERS + READERS {
            let (username, password) = (format!("client{number}"), super::ports::password()?);
            let body = json!({ "username": username, "password": password });
            admin.create(body).await?;
            let path = format!("/v1/users/@{username}/roles");
            let body = json!({ "roles": ["@administrator"] });
            admin.insist(Call::post(path, body).token(&admin.token), &[200, 201]).await?;
            let mut person = person(number, username, password);
            person.sign_in().await?;
            people.push(person);
        }
        let mut all: Vec<Arc<Public>> = Vec::new();
        for number in 0..WRITERS * USERS_EACH {
            let body = json!({ "username": format!("changed{number}"), "name": users::name(0) });
            all.push(Arc::new(Public::new(admin.create(body).await?)));
        }
        let (stop, _) = watch::channel(false);
        let mut load = Self {
            journal: Arc::clone(&journal),
            stop,
            writers: Vec::new(),
            creators: Vec::new(),
            signers: Vec::new(),
            readers: Vec::new(),
        };
        let mut people = people.into_iter();
        let mut take = |count: u8| people.by_ref().take(count.into()).collect::<Vec<Person>>();
        for (person, own) in take(WRITERS).into_iter().zip(all.chunks(USERS_EACH.into())) {
            let writer = users::Writer::new(person, own.to_vec());
            load.writers.push(tokio::spawn(writer.run(load.stop.subscribe())));
        }
        for person in take(CREATORS) {
            load.creators.push(tokio::spawn(users::Creator::new(person).run(load.stop.subscribe())));
        }
        for person in take(SIGNERS) {
            load.signers.push(tokio::spawn(sessions::Signer::new(person).run(load.stop.subscribe())));
        }
        for (number, person) in take(READERS).into_iter().enumerate() {
            load.readers.push(tokio::spawn(users::read(person, all.clone(), number, load.stop.subscribe())));
        }
        Ok(load)
    }

    /// Stops every client, then reads all acknowledged changes and records lost ones.
    pub async fn finish(self) -> anyhow::Result<String> {
        self.stop.send_replace(true);
        for reader in self.readers {
            reader.await?;
        }
        let (mut changed, mut created, mut sessions) = (0, 0, 0);
        for writer in self.writers {
            changed += writer.await?.verify().await?;
        }
        for creator in self.creators {
            created += creator.await?.verify().await?;
        }
        for signer in self.signers {
            sessions += signer.await?.verify().await?;
        }
        Ok(format!("{changed} changed users, {created} created ones and {sessions} sessions"))
    }
}

impl Person {
    /// Creates a user and returns the id.
    async fn create(&mut self, body: Value) -> anyhow::Result<String> {
        let call = Call::post("/v1/users", body).token(&self.token);
        let reply = self.insist(call, &[201]).await?;
        text(&reply.body, "id")
    }
}

/// Pauses before the next request; returns false when the load is to stop.
async fn pause(outcome: Outcome, stop: &mut watch::Receiver<bool>) -> bool {
    let time = if outcome == Outcome::Done { PACE } else { PAUSE };
    // A dropped sender ends the load too.
    tokio::time::timeout(time, stop.wait_for(|stop| *stop)).await.is_err()
}

/// Fails unless a write and a read succeed on a server directly, without HAProxy.
pub async fn works(server: SocketAddr, admin_password: &str) -> anyhow::Result<()> {
    let mut person = Person {
        client: Client::new(server, Ipv4Addr::LOCALHOST),
        journal: Arc::new(Journal::new()),
        username: "admin".to_owned(),
        password: admin_password.to_owned(),
        token: String::new(),
    };
    // Signing in is a write, viewing the session a read.
    person.sign_in().await?;
    person.insist(Call::get("/v1/session").token(&person.token), &[200]).await?;
    Ok(())
}

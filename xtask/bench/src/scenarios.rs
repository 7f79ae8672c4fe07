//! Scenarios, one function each. Limits are measured in the same rounds, so that other load on the machine affects both.

use std::time::Duration;

use anyhow::Context;
use clap::ValueEnum;
use serde_json::json;

use super::hello::Hello;
use super::limits::{Pgbench, Read, Sending, argon2};
use super::load::{Outcome, Pace, Plan, drive};
use super::process::{Cpu, memory};
use super::report::{Report, Round, Row};
use super::seed::{PERMISSIONS, TEAMS, WITH_PASSWORD, permission, team_id, user_id, username};
use super::server::Server;
use super::wire::request;

/// Second number of clients for `pgbench`: about its optimum on few cores.
const FEW_CLIENTS: usize = 4;
/// Number of clients that sign in at once.
const SIGN_IN_CLIENTS: usize = 8;
/// Reads per second during sign-ins.
const READS_DURING_SIGN_INS: f64 = 1000.0;
/// Number of clients that write at once: the number of the server's connections for transactions.
const WRITERS: usize = 8;

/// One scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// An administrator views users by id.
    UserView,
    /// An administrator checks permissions of users, half of them in a group.
    AccessCheck,
    /// Lists: the first page and the ten-thousandth, lookups, words, filters, sorts.
    Lists,
    /// Sign-ins, and reads during sign-ins.
    Login,
    /// Changes of a user's name.
    Update,
    /// Creation of users without a password.
    Create,
}

/// State shared by the scenarios.
#[derive(Debug)]
pub struct Bench {
    /// The server under test.
    pub server: Server,
    /// The administrator's password.
    pub password: String,
    /// Tokens of an administrator, one for each connection.
    pub tokens: Vec<String>,
    /// The bare server.
    pub hello: Hello,
    /// `pgbench`, where it is installed.
    pub pgbench: Option<Pgbench>,
    /// Number of users in the table.
    pub users: u64,
    /// Number of rounds.
    pub rounds: usize,
    /// Duration of one measurement.
    pub time: Duration,
    /// Rate of the open loop; by default 0.7 of the rate of the closed loop.
    pub open_rate: Option<f64>,
    /// Source of random numbers.
    pub random: Random,
}

/// Pseudorandom numbers for the choice of users (xorshift64).
#[derive(Clone, Copy, Debug)]
pub struct Random(pub u64);

impl Random {
    /// A number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }
}

/// Sends `GET` for a random user with the connection's token.
fn view<'a>(
    tokens: &'a [String],
    users: u64,
    mut random: Random,
) -> impl FnMut(usize, &mut Vec<u8>) + use<'a> {
    move |lane, out| {
        let path = format!("/v1/users/{}", user_id(random.below(users)));
        request(out, "GET", &path, Some(&tokens[lane % tokens.len()]), "");
    }
}

/// Checks a random permission of a random user: everywhere, or in the user's team.
fn check<'a>(
    tokens: &'a [String],
    users: u64,
    mut random: Random,
) -> impl FnMut(usize, &mut Vec<u8>) + use<'a> {
    move |lane, out| {
        let (user, application) = (random.below(users), random.below(PERMISSIONS));
        let mut body = json!({ "user": user_id(user), "permission": permission(application, "read") });
        if random.below(2) == 1 {
            body["permission"] = permission(application, "write").into();
            body["group"] = team_id(user % TEAMS).into();
        }
        request(out, "POST", "/v1/check", Some(&tokens[lane % tokens.len()]), &body.to_string());
    }
}

impl Bench {
    pub(super) fn plan(&self, connections: usize, pace: Pace) -> Plan {
        Plan { address: self.server.address, connections, pace, time: self.time }
    }

    /// Sends load to the server and measures the processor time spent meanwhile.
    pub(super) fn round(
        &self,
        plan: &Plan,
        compose: impl FnMut(usize, &mut Vec<u8>),
    ) -> anyhow::Result<Round> {
        let cpu = || Cpu::now(self.server.pid(), Some(self.server.postgres.pid));
        let before = cpu();
        let outcome = drive(plan, compose)?;
        Ok(Round::of(&outcome, cpu().since(before)))
    }

    /// Warms up connections, statements and caches.
    fn warm(&self, plan: &Plan, compose: impl FnMut(usize, &mut Vec<u8>)) -> anyhow::Result<Outcome> {
        drive(&Plan { time: self.time.min(Duration::from_secs(1)), ..*plan }, compose)
    }

    /// Runs a scenario.
    pub fn run(&mut self, scenario: Scenario, report: &mut Report) -> anyhow::Result<()> {
        report.users = self.users;
        // So that two scenarios don't read the same users in the same order.
        self.random.below(2);
        match scenario {
            Scenario::UserView => self.user_view(report).context("user-view"),
            Scenario::AccessCheck => self.access_check(report).context("access-check"),
            Scenario::Lists => self.lists(report).context("lists"),
            Scenario::Login => self.login(report).context("login"),
            Scenario::Update => self.update(report).context("update"),
            Scenario::Create => self.create(report).context("create"),
        }
    }

    fn user_view(&self, report: &mut Report) -> anyhow::Result<()> {
        let connections = self.tokens.len();
        let plan = self.plan(connections, Pace::Closed);
        let compose = || view(&self.tokens, self.users, self.random);
        self.warm(&plan, compose())?;
        let mut read = Row::new(format!("user-view, {connections} connections"), self.users);
        let mut limits = self.pgbench_rows(Read::UserView, connections);
        let mut hello = Row::limit("bare Dropshot hello", self.users);
        for _ in 0..self.rounds {
            read.rounds.push(self.round(&plan, compose())?);
            for (row, sending, clients) in &mut limits {
                row.rounds.extend(self.pgbench_round(Read::UserView, *sending, *clients)?);
            }
            let before = Cpu::now(self.hello.pid(), None);
            let bare = Plan { address: self.hello.address, ..plan };
            let outcome = drive(&bare, |_, out| request(out, "GET", "/hello", None, ""))?;
            hello.rounds.push(Round::of(&outcome, Cpu::now(self.hello.pid(), None).since(before)));
        }
        let p99 = read.median(|round| round.p99).unwrap_or(f64::MAX);
        for (row, _, _) in &limits {
            report.fact(format!("user-view / {}", row.name), read.rate() / row.rate(), "at least 0.5");
        }
        report.fact("user-view, p99 in ms", p99, "under 15");
        report.memory("after reads", memory(self.server.pid())?, "under 64");
        let rate = self.open_rate.unwrap_or_else(|| (read.rate() * 0.7).round());
        let mut open = Row::new(format!("user-view, open loop at {rate:.0}/s"), self.users);
        let plan = self.plan(connections, Pace::Open(rate));
        for _ in 0..self.rounds {
            open.rounds.push(self.round(&plan, compose())?);
        }
        report.rows.extend([read, open]);
        report.rows.extend(limits.into_iter().map(|(row, _, _)| row));
        report.rows.push(hello);
        Ok(())
    }

    fn access_check(&self, report: &mut Report) -> anyhow::Result<()> {
        let connections = self.tokens.len();
        let plan = self.plan(connections, Pace::Closed);
        let compose = || check(&self.tokens, self.users, self.random);
        self.warm(&plan, compose())?;
        let mut checks = Row::new(format!("access-check, {connections} connections"), self.users);
        let mut limits = self.pgbench_rows(Read::AccessCheck, connections);
        for _ in 0..self.rounds {
            checks.rounds.push(self.round(&plan, compose())?);
            for (row, sending, clients) in &mut limits {
                row.rounds.extend(self.pgbench_round(Read::AccessCheck, *sending, *clients)?);
            }
        }
        for (row, _, _) in &limits {
            report.fact(format!("access-check / {}", row.name), checks.rate() / row.rate(), "at least 0.5");
        }
        let p99 = checks.median(|round| round.p99).unwrap_or(f64::MAX);
        report.fact("access-check, p99 in ms", p99, "");
        report.rows.push(checks);
        report.rows.extend(limits.into_iter().map(|(row, _, _)| row));
        Ok(())
    }

    /// Rows for `pgbench`, where it is installed: with the number of clients of the scenario, and with the few that suit
    /// it better.
    fn pgbench_rows(&self, read: Read, connections: usize) -> Vec<(Row, Sending, usize)> {
        if self.pgbench.is_none() {
            return Vec::new();
        }
        let program = match read {
            Read::UserView => "pgbench",
            Read::AccessCheck => "pgbench checks",
        };
        let kinds = [("in turn", Sending::InTurn), ("pipelined", Sending::Pipelined)];
        let each = kinds.into_iter().flat_map(|kind| [(kind, connections), (kind, FEW_CLIENTS)]);
        each.map(|((name, sending), clients)| {
            (Row::limit(format!("{program}, {name}, {clients} clients"), self.users), sending, clients)
        })
        .collect()
    }

    fn pgbench_round(&self, read: Read, sending: Sending, clients: usize) -> anyhow::Result<Option<Round>> {
        let Some(pgbench) = &self.pgbench else { return Ok(None) };
        let before = Cpu::now(self.server.pid(), Some(self.server.postgres.pid));
        let (rate, transactions) = pgbench.run(read, sending, clients, self.time)?;
        // The time of pgbench's connections counts only after Postgres has reaped their processes.
        std::thread::sleep(Duration::from_millis(300));
        let mut spent = Cpu::now(self.server.pid(), Some(self.server.postgres.pid)).since(before);
        // The server and this process only wait meanwhile.
        (spent.server, spent.driver) = (0.0, 0.0);
        Ok(Some(Round::rate(rate, Some((spent, transactions)))))
    }

    fn login(&self, report: &mut Report) -> anyhow::Result<()> {
        let plan = self.plan(SIGN_IN_CLIENTS, Pace::Closed);
        let mut random = self.random;
        let known = WITH_PASSWORD.min(self.users);
        let mut sign_in = |_: usize, out: &mut Vec<u8>| {
            let body = json!({ "identifier": username(random.below(known)), "password": self.password });
            request(out, "POST", "/v1/login", None, &body.to_string());
        };
        self.warm(&plan, &mut sign_in)?;
        let mut login = Row::new(format!("login, {SIGN_IN_CLIENTS} clients"), self.users);
        let mut alone = Row::limit("argon2 alone, one thread for each core", self.users);
        for _ in 0..self.rounds {
            login.rounds.push(self.round(&plan, &mut sign_in)?);
            let before = Cpu::now(0, None);
            let rate = argon2(self.time)?;
            let spent = Cpu::now(0, None).since(before);
            alone.rounds.push(Round::rate(rate, Some((spent, rate * self.time.as_secs_f64()))));
        }
        let mut reads = Row::new(format!("user-view, open loop at {READS_DURING_SIGN_INS:.0}/s"), self.users);
        let mut stormed = Row::new(format!("{}, during logins", reads.name), self.users);
        let view_plan = self.plan(self.tokens.len(), Pace::Open(READS_DURING_SIGN_INS));
        for _ in 0..self.rounds {
            reads.rounds.push(self.round(&view_plan, view(&self.tokens, self.users, self.random))?);
            let (storm, during) = std::thread::scope(|scope| {
                let storm = scope.spawn(|| drive(&plan, &mut sign_in));
                let during = drive(&view_plan, view(&self.tokens, self.users, self.random));
                (storm.join(), during)
            });
            storm.map_err(|_| anyhow::anyhow!("the sign-ins panicked"))??;
            let mut round = Round::of(&during?, Cpu::default());
            // The processor time was spent on sign-ins and reads together.
            round.cpu = None;
            stormed.rounds.push(round);
        }
        report.fact("login / argon2 alone", login.rate() / alone.rate(), "");
        report.fact(
            "user-view during logins, p99 in ms",
            stormed.median(|round| round.p99).unwrap_or(0.0),
            "under 10",
        );
        report.memory("after logins", memory(self.server.pid())?, "");
        report.rows.extend([login, alone, reads, stormed]);
        Ok(())
    }

    fn update(&self, report: &mut Report) -> anyhow::Result<()> {
        let plan = self.plan(WRITERS, Pace::Closed);
        let mut random = self.random;
        let mut compose = |lane: usize, out: &mut Vec<u8>| {
            let path = format!("/v1/users/{}", user_id(random.below(self.users)));
            let body = format!("{{\"name\":\"Renamed {}\"}}", random.below(1_000_000));
            request(out, "PATCH", &path, Some(&self.tokens[lane % self.tokens.len()]), &body);
        };
        self.warm(&plan, &mut compose)?;
        let mut row = Row::new(format!("user-update, {WRITERS} connections"), self.users);
        for _ in 0..self.rounds {
            row.rounds.push(self.round(&plan, &mut compose)?);
        }
        report.rows.push(row);
        Ok(())
    }

    fn create(&mut self, report: &mut Report) -> anyhow::Result<()> {
        let plan = self.plan(WRITERS, Pace::Closed);
        let mut row = Row::new(format!("user-create, {WRITERS} connections"), self.users);
        let mut number = 0;
        let series = self.users;
        let mut compose = |lane: usize, out: &mut Vec<u8>| {
            number += 1;
            let name = format!("new.{series}.{number}");
            let body =
                json!({ "username": name, "email": format!("{name}@example.com"), "name": "New Person" });
            request(
                out,
                "POST",
                "/v1/users",
                Some(&self.tokens[lane % self.tokens.len()]),
                &body.to_string(),
            );
        };
        self.warm(&plan, &mut compose)?;
        for _ in 0..self.rounds {
            row.rounds.push(self.round(&plan, &mut compose)?);
        }
        report.rows.push(row);
        Ok(())
    }
}

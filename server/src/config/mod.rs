//! The configuration: its fields, their defaults, and the layers that set them.
//!
//! Four layers, each overriding the one before: the defaults below, a TOML file, the environment, flags. Names,
//! limits and the rules that messages quote stand in one table, [`keys`]. An unknown key, or a `ROLLCALL_*` variable
//! that looks like a misspelt setting, is an error: a default must not replace it silently. [`variables`]
//! distinguishes those from the variables of other programs.
//!
//! This module reads files and strings and nothing else: it opens no database, creates no folder and prints nothing.
//! Its only secrets are the database's URLs; their type hides passwords from logs and Debug.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

mod database_url;
mod error;
mod keys;
mod layers;
#[cfg(test)]
mod tests;
mod variables;

pub use database_url::DatabaseUrl;
pub use error::ConfigError;

/// The file that is read if neither `--config` nor `ROLLCALL_CONFIG` names one.
pub const DEFAULT_FILE: &str = "rollcall.toml";

/// The whole configuration. Every field has a default, so an empty file is a valid one.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The folder for the server's own files, mainly the private database. Relative to the current folder. Default:
    /// `rollcall-data`.
    pub data_dir: PathBuf,
    /// Settings of the listener.
    pub http: Http,
    /// Settings of the database and its connections.
    pub database: Database,
    /// Settings of the log.
    pub log: Log,
    /// Settings of the runtime.
    pub runtime: Runtime,
    /// Lifetimes of sessions.
    pub session: Session,
    /// Rules for passwords and cost of hashing.
    pub password: Password,
    /// Rules for registration.
    pub registration: Registration,
    /// Limits on failed sign-ins.
    pub throttle: Throttle,
}

/// Settings of the listener.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// The address and port to listen on. Default: `127.0.0.1:8080`. Port 0 picks a free one.
    pub address: SocketAddr,
    /// Seconds an operation may take before it fails with 503. Default 10; 1 to 300.
    pub request_timeout_seconds: u64,
    /// Concurrent connections. Default 1000; 8 to 20,000. At the limit, a new connection replaces the one that has
    /// been idle for longest; if all are in use, the new one gets a 503.
    pub max_connections: u32,
    /// Concurrent connections from one address, or one /64 of IPv6; trusted proxies have no such limit. Default 250;
    /// 1 to 20,000.
    pub max_connections_per_source: u32,
    /// Seconds after which a connection is closed that sends no request, does not complete a request's head, or
    /// doesn't read its response. Default 15; 1 to 25.
    pub idle_timeout_seconds: u64,
    /// Seconds between SIGTERM and the end of listening: `/readyz` returns 503, everything else is served as before,
    /// and each response is the last of its connection, so that load balancers take the server out. SIGINT doesn't
    /// wait. Default 5; 0 to 600.
    pub drain_seconds: u64,
    /// Seconds that running requests have to finish once the server has stopped listening. Default 20; 1 to 3600.
    pub shutdown_grace_seconds: u64,
    /// Addresses of proxies with a trusted `X-Forwarded-For` header. Default: none.
    pub trusted_proxies: Vec<IpAddr>,
}

/// Settings of the database and its connections.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `postgres://user:password@host/database`. Default: none, and the server runs a private Postgres in its
    /// data folder.
    pub url: Option<DatabaseUrl>,
    /// The URL of the same database for the owner of the tables, used for migrations only; they grant the role in
    /// `url` its privileges. Default: none, and migrations run as the role in `url`.
    pub migration_url: Option<DatabaseUrl>,
    /// Pipelined connections that all reads share. Default 4; 1 to 32.
    pub shared_connections: u32,
    /// Connections for transactions, each used by one request at a time. Default 8; 2 to 200.
    pub pool_size: u32,
    /// Concurrent transactions of one user, or of one address without a sign-in. Default 0, a quarter of `pool_size`,
    /// at least one; up to 200.
    pub changes_per_caller: u32,
    /// Connections for searches, filters and totals. Callers with recent slow searches share half of them. Default 4;
    /// 1 to 32.
    pub search_pool_size: u32,
    /// Concurrent searches of one user. Default 0, half of `search_pool_size`, at least one; up to 32.
    pub searches_per_caller: u32,
    /// Milliseconds a statement of a search may run. Default 1000; 1 to 600,000.
    pub search_timeout_milliseconds: u64,
    /// Milliseconds to wait for the caller's share (429 afterwards), then for a free connection (503). Default 250; 1
    /// to 60,000.
    pub pool_wait_milliseconds: u64,
    /// Milliseconds a statement may run. A connection that is silent for 250 milliseconds longer is closed, and the
    /// database's hosts are tried anew. Default 1500; 1 to 600,000.
    pub statement_timeout_milliseconds: u64,
    /// Milliseconds a statement may wait for a lock. Default 1000; 1 to 600,000.
    pub lock_timeout_milliseconds: u64,
    /// The folder of Postgres' programs, for the private database. Default: searched for.
    pub postgres_bin_dir: Option<PathBuf>,
    /// True if `serve` migrates the schema before it listens. Default: true.
    pub migrate_on_start: bool,
}

/// Settings of the log.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The minimum level that is written. Default: `info`.
    pub level: LogLevel,
    /// Lines for people, or one JSON object per line. Default: `terminal` when standard error is a terminal,
    /// `json` otherwise.
    pub format: LogFormat,
}

/// Severity of a log record. Release builds leave `trace` out altogether.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Everything; only debug builds have it.
    Trace,
    /// Details for debugging.
    Debug,
    /// Normal events.
    Info,
    /// Events that an operator should look at.
    Warn,
    /// Failures.
    Error,
}

/// Format of log records.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Coloured lines for people.
    Terminal,
    /// Bunyan's JSON, one object per line.
    Json,
}

/// Settings of the runtime.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Runtime {
    /// Threads that serve requests. One measured fastest on up to two cores. Default 1; 1 to 256.
    pub worker_threads: usize,
}

/// Lifetimes of sessions.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// Seconds until a session ends, used or not. Default 86,400 (a day); 60 to 31,536,000.
    pub lifetime_seconds: u64,
    /// Seconds without a request until a session ends; at most `lifetime_seconds`. Default 3600; from 60.
    pub idle_timeout_seconds: u64,
    /// Seconds for which a recent authentication allows sensitive operations. Default 300; 1 to 86,400.
    pub reauthentication_seconds: u64,
    /// Live sessions per user; one more ends the oldest. Default 50; 1 to 10,000.
    pub max_per_user: u32,
}

/// Rules for passwords and cost of hashing.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Password {
    /// The minimum number of characters of a new password. Default 15; 8 to 256.
    pub min_length: u32,
    /// Days after which a password must be changed. Default: never; 1 to 36,500.
    pub max_age_days: Option<u32>,
    /// Argon2id's memory in KiB, at least 8 per lane. Default 19,456; 8 to 1,048,576.
    pub memory_kib: u32,
    /// Argon2id's passes. Default 2; 1 to 100.
    pub iterations: u32,
    /// Argon2id's lanes. Default 1; 1 to 64.
    pub parallelism: u32,
    /// Threads that hash. Default 0, as many as the machine has cores; up to 256.
    pub hash_threads: usize,
    /// Sign-ins that may wait for a hashing thread before more fail with 503. Default 64; 1 to 100,000. A signed-in
    /// caller who sets or checks passwords may take a quarter of it.
    pub hash_queue: usize,
}

/// Rules for registration.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Registration {
    /// `closed` (administrators create accounts), `invite` or `open`. Default: `closed`.
    pub mode: RegistrationMode,
}

/// People who may register.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationMode {
    /// Nobody: only administrators create accounts.
    Closed,
    /// Holders of an invitation.
    Invite,
    /// Anyone who can reach the server.
    Open,
}

/// Limits on failed sign-ins and on audit events of unauthenticated requests.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Throttle {
    /// Seconds over which failures are counted. Default 900; 1 to 86,400.
    pub window_seconds: u64,
    /// Failures per account and window. Default 10; 1 to 1,000,000.
    pub account_attempts: u32,
    /// Failures per source address and window. Default 100; 1 to 1,000,000.
    pub source_attempts: u32,
    /// Audit events of rejected requests without a valid sign-in, per minute and replica. Default 300; 0 to
    /// 1,000,000.
    pub recorded_refusals_per_minute: u32,
}

/// Values from the command line: the strongest layer.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`: the TOML file to read.
    pub config: Option<PathBuf>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--database-url`.
    pub database_url: Option<DatabaseUrl>,
    /// `--database-migration-url`.
    pub database_migration_url: Option<DatabaseUrl>,
    /// `--address`, unchecked: the message for an invalid one is the same in every layer.
    pub address: Option<String>,
}

/// The result of [`Config::load`].
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration in force.
    pub config: Config,
    /// Environment variables that begin with `ROLLCALL_` and are no setting.
    pub ignored: Vec<String>,
}

impl Config {
    /// Merges the layers and validates the result.
    ///
    /// `env` is the whole environment; only names that begin with `ROLLCALL_` are read.
    pub fn load(flags: &Flags, env: impl Iterator<Item = (String, String)>) -> Result<Loaded, ConfigError> {
        layers::load(flags, env, Path::new(DEFAULT_FILE))
    }

    /// The configuration in force as TOML, secrets hidden. Settings without a value are listed in a comment.
    pub fn to_toml(&self) -> String {
        let table = match toml::Table::try_from(self) {
            Ok(table) => table,
            Err(error) => return format!("# this configuration can't be written as TOML: {error}\n"),
        };
        let unset: Vec<&str> = keys::KEYS
            .iter()
            .filter(|key| keys::get(&table, key.name).is_none())
            .map(|key| key.name)
            .collect();
        let mut text = String::from("# The configuration in force; secrets are hidden.\n");
        if !unset.is_empty() {
            text.push_str(&format!("# Not set: {}.\n", unset.join(", ")));
        }
        text.push_str(&toml::to_string_pretty(&table).unwrap_or_default());
        text
    }
}

impl Http {
    /// Returns true for the address of a trusted proxy, also as an IPv4-mapped one.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|proxy| proxy.to_canonical() == address.to_canonical())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("rollcall-data"),
            http: Http::default(),
            database: Database::default(),
            log: Log::default(),
            runtime: Runtime::default(),
            session: Session::default(),
            password: Password::default(),
            registration: Registration::default(),
            throttle: Throttle::default(),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            request_timeout_seconds: 10,
            max_connections: 1000,
            max_connections_per_source: 250,
            idle_timeout_seconds: 15,
            drain_seconds: 5,
            shutdown_grace_seconds: 20,
            trusted_proxies: Vec::new(),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: None,
            migration_url: None,
            shared_connections: 4,
            pool_size: 8,
            changes_per_caller: 0,
            search_pool_size: 4,
            searches_per_caller: 0,
            search_timeout_milliseconds: 1000,
            pool_wait_milliseconds: 250,
            statement_timeout_milliseconds: 1500,
            lock_timeout_milliseconds: 1000,
            postgres_bin_dir: None,
            migrate_on_start: true,
        }
    }
}

impl Database {
    /// Concurrent transactions per caller.
    pub fn changes_per_caller(&self) -> usize {
        share(self.changes_per_caller, self.pool_size / 4)
    }

    /// Concurrent searches per caller.
    pub fn searches_per_caller(&self) -> usize {
        share(self.searches_per_caller, self.search_pool_size / 2)
    }
}

fn share(set: u32, default: u32) -> usize {
    if set == 0 { default.max(1) as usize } else { set as usize }
}

impl Default for Log {
    fn default() -> Self {
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let format = if terminal { LogFormat::Terminal } else { LogFormat::Json };
        Self { level: LogLevel::Info, format }
    }
}

impl Default for Runtime {
    fn default() -> Self {
        Self { worker_threads: 1 }
    }
}

impl Default for Session {
    fn default() -> Self {
        Self {
            lifetime_seconds: 86_400,
            idle_timeout_seconds: 3600,
            reauthentication_seconds: 300,
            max_per_user: 50,
        }
    }
}

impl Default for Password {
    fn default() -> Self {
        Self {
            min_length: 15,
            max_age_days: None,
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
            hash_threads: 0,
            hash_queue: 64,
        }
    }
}

impl Default for Registration {
    fn default() -> Self {
        Self { mode: RegistrationMode::Closed }
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            window_seconds: 900,
            account_attempts: 10,
            source_attempts: 100,
            recorded_refusals_per_minute: 300,
        }
    }
}

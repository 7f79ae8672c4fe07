//! The table of settings: their names, types, and the rule that an error quotes.
//!
//! The structs in [`super`] hold the values; a test keeps both in step.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use toml::{Table, Value};

use super::DatabaseUrl;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    /// `section.key`, as in the TOML file.
    pub name: &'static str,
    /// The type of its value.
    pub takes: Takes,
}

/// The values that a setting accepts; Display completes "must be …".
#[derive(Clone, Copy, Debug)]
pub(super) enum Takes {
    Path,
    Address,
    Addresses,
    Url,
    Whole(i64, i64),
    Switch,
    Choice(&'static [&'static str]),
}

const fn key(name: &'static str, takes: Takes) -> Key {
    Key { name, takes }
}

/// All settings.
pub(super) const KEYS: &[Key] = &[
    key("data_dir", Takes::Path),
    key("http.address", Takes::Address),
    key("http.request_timeout_seconds", Takes::Whole(1, 300)),
    key("http.max_connections", Takes::Whole(8, 20_000)),
    key("http.max_connections_per_source", Takes::Whole(1, 20_000)),
    key("http.idle_timeout_seconds", Takes::Whole(1, 25)),
    key("http.drain_seconds", Takes::Whole(0, 600)),
    key("http.shutdown_grace_seconds", Takes::Whole(1, 3600)),
    key("http.trusted_proxies", Takes::Addresses),
    key("database.url", Takes::Url),
    key("database.migration_url", Takes::Url),
    key("database.shared_connections", Takes::Whole(1, 32)),
    key("database.pool_size", Takes::Whole(2, 200)),
    key("database.changes_per_caller", Takes::Whole(0, 200)),
    key("database.search_pool_size", Takes::Whole(1, 32)),
    key("database.searches_per_caller", Takes::Whole(0, 32)),
    key("database.search_timeout_milliseconds", Takes::Whole(1, 600_000)),
    key("database.pool_wait_milliseconds", Takes::Whole(1, 60_000)),
    key("database.statement_timeout_milliseconds", Takes::Whole(1, 600_000)),
    key("database.lock_timeout_milliseconds", Takes::Whole(1, 600_000)),
    key("database.postgres_bin_dir", Takes::Path),
    key("database.migrate_on_start", Takes::Switch),
    key("log.level", Takes::Choice(&["trace", "debug", "info", "warn", "error"])),
    key("log.format", Takes::Choice(&["terminal", "json"])),
    key("runtime.worker_threads", Takes::Whole(1, 256)),
    key("session.lifetime_seconds", Takes::Whole(60, 31_536_000)),
    key("session.idle_timeout_seconds", Takes::Whole(60, 31_536_000)),
    key("session.reauthentication_seconds", Takes::Whole(1, 86_400)),
    key("session.max_per_user", Takes::Whole(1, 10_000)),
    key("password.min_length", Takes::Whole(8, 256)),
    key("password.max_age_days", Takes::Whole(1, 36_500)),
    key("password.memory_kib", Takes::Whole(8, 1_048_576)),
    key("password.iterations", Takes::Whole(1, 100)),
    key("password.parallelism", Takes::Whole(1, 64)),
    key("password.hash_threads", Takes::Whole(0, 256)),
    key("password.hash_queue", Takes::Whole(1, 100_000)),
    key("registration.mode", Takes::Choice(&["closed", "invite", "open"])),
    key("throttle.window_seconds", Takes::Whole(1, 86_400)),
    key("throttle.account_attempts", Takes::Whole(1, 1_000_000)),
    key("throttle.source_attempts", Takes::Whole(1, 1_000_000)),
    key("throttle.recorded_refusals_per_minute", Takes::Whole(0, 1_000_000)),
];

/// Finds a setting by name.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The value at `section.key` of a table.
pub(super) fn get<'a>(table: &'a Table, name: &str) -> Option<&'a Value> {
    match name.split_once('.') {
        Some((section, key)) => table.get(section)?.as_table()?.get(key),
        None => table.get(name),
    }
}

impl Key {
    /// The environment variable that sets it.
    pub(super) fn variable(&self) -> String {
        match self.name {
            "database.url" => "ROLLCALL_DATABASE_URL".to_owned(),
            "database.migration_url" => "ROLLCALL_DATABASE_MIGRATION_URL".to_owned(),
            name => format!("ROLLCALL_{}", name.replace('.', "__").to_uppercase()),
        }
    }

    /// The environment variable that names a file with the value, for settings that may hold a password.
    pub(super) fn file_variable(&self) -> Option<String> {
        matches!(self.takes, Takes::Url).then(|| format!("{}_FILE", self.variable()))
    }

    /// Converts a string from the environment or the command line into the value that the file would hold. Text of
    /// the wrong form stays a string, and [`Takes::accepts`] rejects it.
    pub(super) fn read(&self, text: &str) -> Value {
        let string = || Value::String(text.to_owned());
        match self.takes {
            Takes::Whole(..) => text.trim().parse().map_or_else(|_| string(), Value::Integer),
            Takes::Switch => text.trim().parse().map_or_else(|_| string(), Value::Boolean),
            Takes::Addresses => Value::Array(
                text.split(',')
                    .map(str::trim)
                    .filter(|part| !part.is_empty())
                    .map(|part| Value::String(part.to_owned()))
                    .collect(),
            ),
            Takes::Path | Takes::Address | Takes::Url | Takes::Choice(_) => string(),
        }
    }

    /// The value as an error may show it.
    pub(super) fn show(&self, value: &Value) -> String {
        match self.takes {
            Takes::Url => "the value given, which isn't shown because it may hold a password".to_owned(),
            _ => value.to_string(),
        }
    }
}

impl Takes {
    /// Returns true if the value follows the rule.
    pub(super) fn accepts(&self, value: &Value) -> bool {
        match (self, value) {
            (Takes::Path, Value::String(text)) => !text.is_empty(),
            (Takes::Address, Value::String(text)) => address(text).is_some(),
            (Takes::Addresses, Value::Array(parts)) => {
                parts.iter().all(|part| part.as_str().is_some_and(|text| text.parse::<IpAddr>().is_ok()))
            }
            (Takes::Url, Value::String(text)) => DatabaseUrl::is_plausible(text),
            (Takes::Whole(low, high), Value::Integer(number)) => (low..=high).contains(&number),
            (Takes::Switch, Value::Boolean(_)) => true,
            (Takes::Choice(choices), Value::String(text)) => choices.contains(&text.as_str()),
            _ => false,
        }
    }
}

impl Takes {
    /// The value in one form, if it may be written in several.
    pub(super) fn settle(self, value: &Value) -> Value {
        match (self, value) {
            (Takes::Address, Value::String(text)) => {
                address(text).map_or_else(|| value.clone(), |address| Value::String(address.to_string()))
            }
            _ => value.clone(),
        }
    }
}

/// Parses an address and a port; `localhost` is the IPv4 loopback.
fn address(text: &str) -> Option<SocketAddr> {
    let local =
        || Some(SocketAddr::from((Ipv4Addr::LOCALHOST, text.strip_prefix("localhost:")?.parse().ok()?)));
    text.parse().ok().or_else(local)
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Takes::Path => f.write_str("a path"),
            Takes::Address => f.write_str(
                "an IP address and a port, like \"127.0.0.1:8080\", \"[::]:8080\" or \"localhost:8080\"",
            ),
            Takes::Addresses => f.write_str("a list of IP addresses, like [\"10.0.0.1\"]"),
            Takes::Url => f.write_str("a URL, like \"postgres://user:password@host/database\""),
            Takes::Whole(low, high) => write!(f, "a whole number from {low} to {high}"),
            Takes::Switch => f.write_str("true or false"),
            Takes::Choice(choices) => write!(f, "one of {}", choices.join(", ")),
        }
    }
}

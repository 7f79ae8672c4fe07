//! Filter for Dropshot's log. Its lines about requests contain the whole target, with search terms and any tokens in
//! it, and the text of errors, which quotes queries. A line here has the fields listed in [`RequestLog::note`] and no
//! others, whatever Dropshot adds.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use slog::{Drain, KV, Key, Level, Logger, Never, OwnedKVList, Record, Serializer, debug, error, warn};

use crate::listen::Peers;
use crate::secrets::token::{INVITATION_PREFIX, SESSION_PREFIX};

/// Maximum number of characters of a path that are logged.
const PATH_MAX: usize = 256;
/// Maximum number of characters of a method that are logged; a client may send any method.
const METHOD_MAX: usize = 16;

/// A drain for Dropshot's records.
#[derive(Debug)]
pub struct RequestLog {
    log: Logger,
    peers: Arc<Peers>,
}

impl RequestLog {
    /// A drain that writes to the server's own log.
    pub fn new(log: Logger, peers: Arc<Peers>) -> Self {
        Self { log, peers }
    }

    fn note(&self, record: &Record<'_>, fields: &Fields) {
        let message = record.msg().to_string();
        let Some(target) = fields.get("uri") else {
            // About the server itself. `listen` and `serve` log everything of interest.
            if record.level().is_at_least(Level::Warning) {
                warn!(self.log, "{message}"; "reason" => fields.get("error"));
            }
            return;
        };
        let loopback = fields.get("remote_addr").and_then(|address| address.parse().ok());
        let client = loopback.and_then(|address| self.peers.of(address)).map(|client| client.to_string());
        let fields = slog::o!(
            "request_id" => fields.get("req_id").map(str::to_owned),
            "client" => client,
            "method" => fields.get("method").map(|method| method.chars().take(METHOD_MAX).collect::<String>()),
            "path" => path(target),
            "status" => fields.get("response_code").map(str::to_owned),
            "latency_us" => fields.get("latency_us").map(str::to_owned),
        );
        if record.level().is_at_least(Level::Error) {
            error!(self.log.new(fields), "{message}");
        } else {
            // A disconnected client needs no attention.
            debug!(self.log.new(fields), "{message}");
        }
    }
}

impl Drain for RequestLog {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        // The line at a request's start has no information that the line at its end lacks.
        if record.level().is_at_least(Level::Info) {
            let mut fields = Fields::default();
            // The innermost come first; none of the fields that are kept occurs twice.
            let _unread = record.kv().serialize(record, &mut fields);
            let _unread = values.serialize(record, &mut fields);
            self.note(record, &fields);
        }
        Ok(())
    }
}

/// The fields of a record as text.
#[derive(Default)]
struct Fields(HashMap<String, String>);

impl Fields {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Serializer for Fields {
    fn emit_arguments(&mut self, key: Key, value: &fmt::Arguments<'_>) -> slog::Result {
        self.0.insert(key.to_string(), value.to_string());
        Ok(())
    }
}

/// The path of a request's target, without the query, credentials in front of the host, and tokens in place of ids.
fn path(target: &str) -> String {
    let target = match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            rest.find(['/', '?']).map_or("", |place| &rest[place..])
        }
        _ => target,
    };
    if target != "*" && !target.starts_with(['/', '?']) {
        return String::new();
    }
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let shown = path.split('/').map(|segment| {
        let secret = [SESSION_PREFIX, INVITATION_PREFIX].into_iter().any(|prefix| segment.contains(prefix));
        if secret { "(a token)" } else { segment }
    });
    shown.collect::<Vec<_>>().join("/").chars().take(PATH_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_of_a_target_is_logged() {
        for (target, logged) in [
            ("/v1/users?q=secret", "/v1/users"),
            ("/v1/users/@ada?next=http://secret/", "/v1/users/@ada"),
            ("http://ada:secret@example.com/v1/users?q=secret", "/v1/users"),
            ("http://ada:secret@example.com?q=secret", ""),
            ("ada:secret@example.com:443", ""),
            ("?q=secret", ""),
            ("*", "*"),
            ("/v1/sessions/rcs_secret", "/v1/sessions/(a token)"),
            ("/v1/Bearer%20rci_secret/x", "/v1/(a token)/x"),
            ("/v1/users//x", "/v1/users//x"),
        ] {
            assert_eq!(path(target), logged, "{target}");
        }
        assert_eq!(path(&format!("/{}", "x".repeat(30_000))).len(), PATH_MAX);
    }
}

//! Query strings: adds the parameter's name to errors, which `serde_urlencoded` leaves out.

use serde::de::DeserializeOwned;

/// Parses a query string; the error names the parameter and the rule.
pub(crate) fn parse<T: DeserializeOwned>(raw: &str) -> Result<T, String> {
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(raw.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|error| {
        let (path, rule) = (error.path().to_string(), error.inner().to_string());
        match path.as_str() {
            // Missing, unknown and repeated parameters: these messages already have the name.
            "" | "." => rule,
            name if rule.contains(&format!("field `{name}`")) => rule,
            name => format!("{name}: {}", without_name(&rule)),
        }
    })
}

/// Strips the name that a rule begins with. It is the name of the type (`user: must be an id …`), which parameters with other
/// names have too.
fn without_name(rule: &str) -> &str {
    match rule.split_once(": ") {
        Some((name, rest)) if name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') => rest,
        _ => rule,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{AuditEventListQuery, UserListQuery};

    #[test]
    fn errors_name_the_parameter_once() {
        let users = |raw: &str| parse::<UserListQuery>(raw).unwrap_err();
        let events = |raw: &str| parse::<AuditEventListQuery>(raw).unwrap_err();
        let time = "must be a time with its offset from UTC (RFC 3339), such as 2026-01-31T12:00:00Z, or a date, such as \
            2026-01-31, which means its midnight in UTC";
        for raw in ["since=yesterday", "since=2026-11-24T10:00:00", "since=2026-13-01", "since="] {
            assert_eq!(events(raw), format!("since: {time}"), "{raw}");
        }
        assert_eq!(
            events("until=2026-11-24T10:00:00+01:00"),
            format!("until: {time}; in a URL write + as %2B")
        );
        assert_eq!(events("actor=admin"), "actor: must be an id, @username or me");
        assert_eq!(events("target=@a%20b"), "target: must be an id, @username or me");
        assert_eq!(users("not_group=qa"), "not_group: must be an id or @slug");
        assert_eq!(users("limit=0"), "limit: must be a number from 1 to 200");
        assert_eq!(users("limit=1&limit=2"), "duplicate field `limit`");
        assert!(users("total=all").starts_with("total: unknown variant `all`"), "{}", users("total=all"));
        assert!(users("color=red").starts_with("unknown field `color`"), "{}", users("color=red"));
    }
}

//! Times in requests.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use serde::{Deserialize, Deserializer};

/// A time in a request: RFC 3339, or a date for its midnight in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeInput(pub DateTime<Utc>);

const RULE: &str = "must be a time with its offset from UTC (RFC 3339), such as 2026-01-31T12:00:00Z, or a date, such as \
    2026-01-31, which means its midnight in UTC";

impl TryFrom<&str> for TimeInput {
    type Error = String;

    fn try_from(text: &str) -> Result<Self, String> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text)
            // chrono also accepts a space for the T. In a query string, a space may also be an unescaped + of the offset.
            && text.as_bytes().get(10).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'T'))
        {
            return Ok(Self(time.to_utc()));
        }
        if text.len() == 10
            && let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        {
            return Ok(Self(date.and_time(NaiveTime::MIN).and_utc()));
        }
        let lost_plus = text.contains(' ') && DateTime::parse_from_rfc3339(&text.replace(' ', "+")).is_ok();
        Err(format!("{RULE}{}", if lost_plus { "; in a URL write + as %2B" } else { "" }))
    }
}

impl<'de> Deserialize<'de> for TimeInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(String::deserialize(deserializer)?.as_str()).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for TimeInput {
    fn schema_name() -> String {
        "TimeInput".to_owned()
    }

    fn is_referenceable() -> bool {
        false
    }

    // Published as a time only, so that generated clients use their language's type for it.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        DateTime::<Utc>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_their_midnight_in_utc() {
        let read = |text| TimeInput::try_from(text).map(|time| time.0.to_rfc3339());
        assert_eq!(read("2026-11-24").as_deref(), Ok("2026-11-24T00:00:00+00:00"));
        assert_eq!(read("2026-11-24T01:00:00+01:00").as_deref(), Ok("2026-11-24T00:00:00+00:00"));
        assert_eq!(read("2026-11-24t00:00:00z").as_deref(), Ok("2026-11-24T00:00:00+00:00"));
        for wrong in ["2026-11-24 00:00:00Z", "2026-11-24T00:00", "2026-1-4", "24.11.2026", "2026-02-30", "0"]
        {
            assert_eq!(read(wrong), Err(RULE.to_owned()), "{wrong}");
        }
    }
}

//! Database URLs: the secrets of the configuration, and their display without passwords.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// Parameters of a database URL that are not secret. Any other value is hidden when the URL is shown.
const SHOWN_PARAMETERS: [&str; 12] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "load_balance_hosts",
    "port",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
];

/// `postgres://user:password@host/database`. Debug, Display and serialization hide the password;
/// [`DatabaseUrl::expose`] doesn't.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// Wraps a URL without a check; [`super::Config::load`] validates it.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The URL with its password, for the code that connects.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns true if the scheme is one that Postgres clients accept.
    pub(super) fn is_plausible(url: &str) -> bool {
        ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.len() > scheme.len() && url.starts_with(scheme))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // If there is no scheme, nothing is shown: the text may be a bare password.
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return f.write_str("***");
        };
        write!(f, "{scheme}://")?;
        // The last `@`, so that a password with an unescaped `@` or `/` is hidden whole.
        let place = match rest.rsplit_once('@') {
            Some((user_info, place)) => {
                match user_info.split_once(':') {
                    Some((user, _)) => write!(f, "{user}:***@")?,
                    None => write!(f, "{user_info}@")?,
                }
                place
            }
            None => rest,
        };
        let Some((place, parameters)) = place.split_once('?') else {
            return f.write_str(place);
        };
        write!(f, "{place}?")?;
        for (index, parameter) in parameters.split('&').enumerate() {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = if SHOWN_PARAMETERS.contains(&name) { value } else { "***" };
            write!(f, "{}{name}={value}", if index == 0 { "" } else { "&" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::DatabaseUrl;

    #[test]
    fn passwords_are_never_shown() {
        for (url, shown) in [
            ("postgres://ada:s3cret@db:5432/rollcall", "postgres://ada:***@db:5432/rollcall"),
            ("postgres://ada:s3c@r/et@db/rollcall", "postgres://ada:***@db/rollcall"),
            ("postgres://ada@db/rollcall", "postgres://ada@db/rollcall"),
            (
                "postgres://db/rollcall?user=ada&password=s3cret",
                "postgres://db/rollcall?user=ada&password=***",
            ),
            ("postgres://a:s3cret@one,two/r?sslmode=require", "postgres://a:***@one,two/r?sslmode=require"),
            ("s3cret", "***"),
        ] {
            let url = DatabaseUrl::new(url);
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("DatabaseUrl({shown})"));
        }
    }
}

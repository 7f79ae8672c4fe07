//! Passwords in requests. Never logged, never quoted in an error, zeroized when dropped.

use std::fmt;

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Metadata, Schema, SchemaObject, StringValidation};
use serde::{Deserialize, Deserializer};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroize;

/// Maximum length of a password, in code points of at most four bytes each; keeps hashing cheap.
pub const PASSWORD_MAX: u32 = 256;
/// Smallest minimum length of new passwords that a configuration may set, in code points.
pub const PASSWORD_MIN_FLOOR: u32 = 8;

/// A password in a request, in Unicode NFC (RFC 8265, OpaqueString), so that the same password typed on two keyboards is
/// equal. `MIN` is the published minimum length in code points.
pub struct Secret<const MIN: u32>(String);

/// A password to check: of any length up to [`PASSWORD_MAX`], because it may be older than the policy.
pub type PasswordAttempt = Secret<1>;

/// A password to set: of any length up to [`PASSWORD_MAX`]. The server's policy checks the minimum length, so that all short
/// passwords get the same error code.
pub type NewPassword = Secret<0>;

impl<const MIN: u32> Secret<MIN> {
    /// Returns the password for hashing. Don't copy or log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl<const MIN: u32> TryFrom<String> for Secret<MIN> {
    type Error = String;

    fn try_from(mut raw: String) -> Result<Self, String> {
        let length = raw.chars().count();
        let fits = u32::try_from(length).is_ok_and(|length| (MIN..=PASSWORD_MAX).contains(&length));
        let nul = raw.contains('\0');
        let text = if fits { raw.nfc().collect() } else { String::new() };
        raw.zeroize();
        if !fits {
            let least = if MIN == 0 { String::new() } else { format!("at least {MIN} and ") };
            return Err(format!("must have {least}at most {PASSWORD_MAX} characters, has {length}"));
        }
        if nul {
            return Err("must not contain the NUL character".to_owned());
        }
        Ok(Self(text))
    }
}

impl<const MIN: u32> Drop for Secret<MIN> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const MIN: u32> fmt::Debug for Secret<MIN> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

impl<'de, const MIN: u32> Deserialize<'de> for Secret<MIN> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // By way of a `Value`, because serde's own messages would quote the password.
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Self::try_from(text).map_err(serde::de::Error::custom),
            _ => Err(serde::de::Error::custom("must be a string")),
        }
    }
}

impl<const MIN: u32> JsonSchema for Secret<MIN> {
    fn schema_name() -> String {
        if MIN == 1 { "PasswordAttempt".to_owned() } else { "NewPassword".to_owned() }
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let description = if MIN == 1 {
            "A password to check. Never stored, logged or returned."
        } else {
            "A password to set. Any characters, compared in Unicode NFC; no composition rules (NIST SP 800-63B). The \
             minimum is 15 code points unless the server is configured otherwise. A shorter password, including an empty one, gets \
             a 422 `password_too_short`, whose message states the minimum; one that is easily guessed or made of the user's own \
             names gets a 422 `password_blocked`. Stored only as an argon2id hash."
        };
        SchemaObject {
            metadata: Some(Box::new(Metadata {
                description: Some(description.to_owned()),
                write_only: true,
                ..Default::default()
            })),
            instance_type: Some(InstanceType::String.into()),
            format: Some("password".to_owned()),
            string: Some(Box::new(StringValidation {
                min_length: (MIN > 0).then_some(MIN),
                max_length: Some(PASSWORD_MAX),
                pattern: Some(r"^[^\u0000]*$".to_owned()),
            })),
            ..Default::default()
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_debug_never_quote_the_secret() {
        let error = serde_json::from_str::<PasswordAttempt>("12345678").unwrap_err().to_string();
        assert!(!error.contains("1234"), "{error}");
        let secret: PasswordAttempt = serde_json::from_str("\"open sesame\"").unwrap();
        assert!(!format!("{secret:?}").contains("sesame"));
    }

    #[test]
    fn both_unicode_forms_are_one_password() {
        let composed = PasswordAttempt::try_from("\u{e9}".to_owned()).unwrap();
        let decomposed = PasswordAttempt::try_from("e\u{301}".to_owned()).unwrap();
        assert_eq!(composed.expose(), decomposed.expose());
    }
}

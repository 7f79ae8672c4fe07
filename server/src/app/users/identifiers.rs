//! Rules that hold between a user's identifiers.

use rollcall_api::Uuid;
use rollcall_api::error;
use rollcall_api::types::{self, Email, Username, fold};

use crate::error::{AppResult, reject};

/// Validates a username's characters and returns the form to store.
pub fn username(sent: Username) -> AppResult<String> {
    match types::username(sent.as_str()) {
        Ok(name) => Ok(name),
        Err(rule) => reject(error::USERNAME_NOT_ALLOWED, format!("username: {rule}")),
    }
}

/// Rejects a username that could be taken for an id or for `me` in a path.
pub fn username_is_no_reference(username: Option<&str>) -> AppResult<()> {
    let folded = username.map(fold).unwrap_or_default();
    if folded == "me" || Uuid::try_parse(&folded).is_ok() {
        let message =
            "username: must not be a UUID or the word me, which stand for users in paths; choose another one";
        return reject(error::USERNAME_NOT_ALLOWED, message);
    }
    Ok(())
}

/// Rejects a user that has no username, address or number.
pub fn at_least_one(username: Option<&str>, email: Option<&str>, phone: Option<&str>) -> AppResult<()> {
    if username.or(email).or(phone).is_some() {
        return Ok(());
    }
    reject(error::IDENTIFIER_REQUIRED, "a user needs at least one of username, email and phone")
}

/// Rejects a username that looks like an address or a number unless it is the user's own: otherwise somebody could
/// sign up under another person's address and lock them out.
pub fn username_is_own(username: Option<&str>, email: Option<&str>, phone: Option<&str>) -> AppResult<()> {
    let Some(username) = username else { return Ok(()) };
    let folded = fold(username);
    let own_email = email.is_some_and(|email| fold(email) == folded);
    let own_phone = phone == Some(folded.as_str());
    let like_email = username.parse::<Email>().is_ok() || folded.parse::<Email>().is_ok();
    let like_phone = folded
        .strip_prefix('+')
        .is_some_and(|digits| digits.len() >= 7 && digits.bytes().all(|b| b.is_ascii_digit()));
    if (like_email && !own_email) || (like_phone && !own_phone) {
        let message =
            "username: looks like an e-mail address or a telephone number that isn't the user's own";
        return reject(error::USERNAME_NOT_OWN_EMAIL, message);
    }
    Ok(())
}

/// Returns true if a proof of one address also proves the other. Stricter than the folding that makes addresses
/// unique: `straße@…` and `strasse@…` can't belong to two users, but may be two mailboxes.
pub fn is_same_mailbox(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Rejects verifying an address or number that is not set.
pub fn can_be_verified(field: &str, verified: Option<bool>, value: Option<&str>) -> AppResult<()> {
    if verified != Some(true) || value.is_some() {
        return Ok(());
    }
    reject(
        error::NOTHING_TO_VERIFY,
        format!("{field}_verified: the user has no {field}; set it in the same request"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_like_references_are_nobodys() {
        let id = "018f3c1e-7a00-7000-8000-000000000001";
        for name in ["me", "Me", "ME", id, &id.to_uppercase(), &id.replace('-', "")] {
            assert!(username_is_no_reference(Some(name)).is_err(), "{name}");
        }
        for name in ["mee", "me2", "m.e", "cafe", &id[1..]] {
            assert!(username_is_no_reference(Some(name)).is_ok(), "{name}");
        }
        assert!(username_is_no_reference(None).is_ok());
    }

    #[test]
    fn names_like_addresses_must_be_own() {
        assert!(username_is_own(Some("ada"), None, None).is_ok());
        assert!(username_is_own(Some("ada@example.org"), Some("Ada@Example.org"), None).is_ok());
        assert!(username_is_own(Some("ada@example.org"), Some("eve@example.org"), None).is_err());
        assert!(username_is_own(Some("ada@example.org"), None, None).is_err());
        assert!(username_is_own(Some("+4930123456"), None, None).is_err());
        assert!(username_is_own(Some("+4930123456"), None, Some("+4930123456")).is_ok());
    }
}

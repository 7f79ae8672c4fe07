//! Policy for new passwords: long enough, and not guessable. No composition rules (NIST SP 800-63B, section 3.1.1.2):
//! length and a blocklist are more effective. The estimator is zxcvbn, which knows common passwords, names, keyboard
//! walks, sequences and repetitions, and gets the user's own names.

use rollcall_api::error;

use crate::error::{AppResult, Error};

/// A password is blocked if zxcvbn needs fewer than ten to this power of guesses.
const MIN_GUESSES_LOG10: f64 = 8.0;

/// Words that an attacker of this service tries first.
const CONTEXT: &[&str] = &["rollcall", "password", "administrator"];

/// Rejects a password that is too short or guessable; `field` is its name in the request, `own` are the user's own
/// names. Takes milliseconds: call it on a hashing thread.
pub fn check(field: &str, password: &str, min_length: u32, own: &[String]) -> AppResult<()> {
    let length = password.chars().count();
    if length < min_length as usize {
        let message = format!("{field}: must have at least {min_length} characters, has {length}");
        return Err(Error::rejected(error::PASSWORD_TOO_SHORT, message));
    }
    match guessable(password, own) {
        Some(reason) => Err(Error::rejected(error::PASSWORD_BLOCKED, format!("{field}: {reason}"))),
        None => Ok(()),
    }
}

/// Minimum number of characters that a password must have besides these words.
const REST_MIN: usize = 8;

/// Returns true if little is left of a password without these words. zxcvbn alone doesn't detect this: it rates every
/// chain of three parts as strong, even a name, a dot and the name again.
fn is_made_of(password: &str, words: &[&str]) -> bool {
    let mut words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    words.retain(|word| word.chars().count() > 2);
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let password = password.to_lowercase();
    let rest = words.iter().fold(password.clone(), |rest, word| rest.replace(word.as_str(), ""));
    rest.len() < password.len() && rest.chars().count() < REST_MIN
}

/// The reason for which a password is guessable, if it is.
pub fn guessable(password: &str, own: &[String]) -> Option<String> {
    let mut words: Vec<&str> = CONTEXT.to_vec();
    words.extend(
        own.iter().flat_map(|name| name.split(['@', '.', ' ', '-', '_', '+'])).filter(|word| word.len() > 2),
    );
    words.extend(own.iter().map(String::as_str));
    if is_made_of(password, &words) {
        return Some(
            "consists mostly of the user's own names or of words that attackers try first".to_owned(),
        );
    }
    let estimate = zxcvbn::zxcvbn(password, &words);
    if estimate.guesses_log10() >= MIN_GUESSES_LOG10 {
        return None;
    }
    let hint = estimate.feedback().and_then(|feedback| feedback.warning()).map(|warning| warning.to_string());
    Some(match hint {
        Some(hint) => format!("is easily guessed: {hint}"),
        None => "is easily guessed; a few random words are better".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessable_passwords_are_blocked_and_plain_long_ones_are_not() {
        let own = ["ada.lovelace".to_owned(), "ada.lovelace@example.org".to_owned()];
        for bad in [
            "aaaaaaaaaaaaaaaaaaaa",
            "passwordpassword",
            "123456789012345",
            "qwertyuiopasdfg",
            "ada.lovelaceada.lovelace",
            "rollcallrollcall",
            "Lovelace.Lovelace",
            "ada lovelace 1815",
            "password.password",
        ] {
            assert!(guessable(bad, &own).is_some(), "{bad}");
        }
        for good in [
            "correct horse battery staple",
            "jfkwmqzvbxnapte",
            "ünïcödé ist lang genug",
            "🦀 crabs walk sideways 🦀",
            "lovelace and some other words",
        ] {
            assert!(guessable(good, &own).is_none(), "{good}");
        }
    }

    #[test]
    fn lengths_are_counted_in_code_points() {
        assert!(check("password", "ééééé zwölf böxkämpfer", 15, &[]).is_ok());
        let rejected = check("new_password", "short", 15, &[]).unwrap_err();
        assert!(matches!(rejected, Error::Rejected { code: error::PASSWORD_TOO_SHORT, .. }));
        assert_eq!(rejected.to_string(), "new_password: must have at least 15 characters, has 5");
    }
}

//! Bearer tokens: a prefix for the kind, 30 random characters (178 bits), and a checksum of six, so that a mistyped
//! or made-up token is rejected without a database lookup. Stored as SHA-256 only: a token has too much entropy for
//! any attack on the hash.

use std::fmt;

use rand::RngExt;
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// Prefix of session tokens.
pub const SESSION_PREFIX: &str = "rcs_";

/// Prefix of invitation tokens.
pub const INVITATION_PREFIX: &str = "rci_";

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM: usize = 30;
const CHECK: usize = 6;

/// A token in clear. It exists only until the response that shows it.
pub struct Token(String);

impl Token {
    /// A fresh session token.
    pub fn session() -> Self {
        Self::with_prefix(SESSION_PREFIX)
    }

    /// A fresh invitation token.
    pub fn invitation() -> Self {
        Self::with_prefix(INVITATION_PREFIX)
    }

    fn with_prefix(prefix: &str) -> Self {
        let mut rng = rand::rng();
        let mut text = prefix.to_owned();
        for _ in 0..RANDOM {
            text.push(char::from(ALPHABET[rng.random_range(0..ALPHABET.len())]));
        }
        let check = checksum(&text);
        text.push_str(&check);
        Self(text)
    }

    /// The token in clear, for its owner.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The hash that the database stores.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

/// The SHA-256 of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenHash(pub [u8; 32]);

impl TokenHash {
    /// The hash of a session token in a request; `None` if the checksum or form is wrong.
    pub fn of_session(sent: &str) -> Option<Self> {
        Self::of(SESSION_PREFIX, sent)
    }

    /// The hash of an invitation token in a request; `None` if the checksum or form is wrong.
    pub fn of_invitation(sent: &str) -> Option<Self> {
        Self::of(INVITATION_PREFIX, sent)
    }

    fn of(prefix: &str, sent: &str) -> Option<Self> {
        let random = sent.strip_prefix(prefix)?;
        if random.len() != RANDOM + CHECK || !random.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let (body, check) = sent.split_at(sent.len() - CHECK);
        (checksum(body) == check).then(|| Self(Sha256::digest(sent.as_bytes()).into()))
    }
}

fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes()) as usize;
    let mut digits = [b'0'; CHECK];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[rest % ALPHABET.len()];
        rest /= ALPHABET.len();
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// A password for people to copy: 20 characters without look-alikes, in groups of five (about 98 bits).
pub fn generated_password() -> String {
    const CLEAR: &[u8; 31] = b"abcdefghijkmnpqrstuvwxyz2345678";
    let mut rng = rand::rng();
    let groups =
        (0..4).map(|_| (0..5).map(|_| char::from(CLEAR[rng.random_range(0..CLEAR.len())])).collect());
    groups.collect::<Vec<String>>().join("-")
}

/// Random bytes for a key.
pub fn fresh_key() -> [u8; 32] {
    let mut key = [0; 32];
    rand::rng().fill(&mut key);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_their_form_and_differ() {
        let (one, two) = (Token::session(), Token::session());
        assert_eq!(one.expose().len(), 4 + RANDOM + CHECK);
        assert_ne!(one.expose(), two.expose());
        assert_eq!(TokenHash::of_session(one.expose()), Some(one.hash()));
        assert!(!format!("{one:?}").contains(one.expose()));
    }

    #[test]
    fn whatever_is_changed_the_checksum_notices() {
        let token = Token::session();
        let text = token.expose();
        for length in 0..text.len() {
            assert_eq!(TokenHash::of_session(&text[..length]), None, "a prefix passed");
        }
        for index in 4..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[index] = if bytes[index] == b'x' { b'y' } else { b'x' };
            assert_eq!(TokenHash::of_session(std::str::from_utf8(&bytes).unwrap()), None, "place {index}");
        }
        assert_eq!(TokenHash::of_session(&format!("{text}0")), None);
        assert_eq!(TokenHash::of_session(&text.to_lowercase().replace("rcs_", "rcp_")), None);
    }

    #[test]
    fn generated_passwords_pass_the_policy() {
        let password = generated_password();
        assert_eq!(password.len(), 23);
        assert!(super::super::policy::guessable(&password, &[]).is_none());
    }
}

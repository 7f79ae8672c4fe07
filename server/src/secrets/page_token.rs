//! Page tokens: the position in a list, sealed with a key that all replicas share, and bound to the operation, its
//! parameters and the caller's view. Edited tokens and those of other lists are rejected.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const SEAL: usize = 16;

/// Seals and opens page tokens.
pub struct PageSealer {
    key: [u8; 32],
}

impl std::fmt::Debug for PageSealer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PageSealer(…)")
    }
}

impl PageSealer {
    /// Creates a sealer with this directory's key.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// A token for the page after `last`. `binding` is everything that must be the same on the next page.
    pub fn seal(&self, binding: &[String], last: &[u8]) -> String {
        let mut bytes = self.mac(binding, last).to_vec();
        bytes.extend_from_slice(last);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Opens a token; `None` if it was not sealed for this list.
    pub fn open(&self, binding: &[String], token: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (seal, last) = bytes.split_at_checked(SEAL)?;
        let genuine: bool = self.mac(binding, last).ct_eq(seal).into();
        genuine.then(|| last.to_vec())
    }

    fn mac(&self, binding: &[String], payload: &[u8]) -> [u8; SEAL] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        for part in binding {
            // Length first, so that two different lists of parts never have the same bytes.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.update(payload);
        let full = mac.finalize().into_bytes();
        let mut seal = [0; SEAL];
        seal.copy_from_slice(&full[..SEAL]);
        seal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_only_where_it_was_sealed() {
        let sealer = PageSealer::new([7; 32]);
        let list = |parts: [&str; 2]| parts.map(str::to_owned);
        let last = b"sixteen bytes id[\"and keys\"]";
        let token = sealer.seal(&list(["user_list", "full"]), last);
        assert_eq!(sealer.open(&list(["user_list", "full"]), &token).as_deref(), Some(last.as_slice()));
        assert_eq!(sealer.open(&list(["user_list", "card"]), &token), None);
        assert_eq!(sealer.open(&list(["user_listf", "ull"]), &token), None);
        assert_eq!(PageSealer::new([8; 32]).open(&list(["user_list", "full"]), &token), None);
        for index in 0..token.len() {
            let mut edited = token.clone().into_bytes();
            edited[index] = if edited[index] == b'A' { b'Q' } else { b'A' };
            assert_eq!(
                sealer.open(&list(["user_list", "full"]), std::str::from_utf8(&edited).unwrap()),
                None,
                "{index}"
            );
        }
        for junk in ["", "A", "AAAA", "%%%"] {
            assert_eq!(sealer.open(&list(["user_list", "full"]), junk), None);
        }
    }
}

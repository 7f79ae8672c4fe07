//! Conditional requests: the entity tag of what a response shows, and the check of `If-Match` against it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use rollcall_api::extract::{IfMatch, Tags};
use rollcall_api::reply::Reply;
use rollcall_api::types::User;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::error::{AppResult, Error};

/// Bytes of the digest that an entity tag contains.
const TAG_BYTES: usize = 16;

/// A resource as its response shows it, as JSON, with an entity tag that is a digest of that JSON. The tag changes
/// exactly when the JSON changes, whichever table the change was in.
#[derive(Clone, Debug)]
pub struct Representation {
    json: Vec<u8>,
    tag: String,
}

impl Representation {
    /// The representation of a resource, with every field in the digest.
    pub fn of<T: Serialize>(shown: &T) -> AppResult<Self> {
        let json = to_json(shown)?;
        let tag = URL_SAFE_NO_PAD.encode(&Sha256::digest(&json)[..TAG_BYTES]);
        Ok(Self { json, tag })
    }

    /// The representation of a user. The digest leaves out `last_sign_in_at`, which nobody edits: a sign-in must not
    /// make another caller's `If-Match` fail.
    pub fn of_user(mut user: User) -> AppResult<Self> {
        let last_sign_in_at = user.last_sign_in_at.take();
        let mut shown = Self::of(&user)?;
        if let Some(last_sign_in_at) = last_sign_in_at {
            let activity = to_json(&Activity { last_sign_in_at })?;
            // Joins two objects: the closing brace of the first and the opening brace of the second become a comma.
            shown.json.pop();
            shown.json.push(b',');
            shown.json.extend_from_slice(&activity[1..]);
        }
        Ok(shown)
    }

    /// The entity tag, without its quotes.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The response with this body and its `ETag` header.
    pub fn reply<T, const STATUS: u16>(self) -> Reply<T, STATUS> {
        Reply::raw(self.json).tagged(&self.tag)
    }
}

/// The part of a user's representation that the digest leaves out.
#[derive(Serialize)]
struct Activity {
    last_sign_in_at: DateTime<Utc>,
}

fn to_json<T: Serialize>(value: &T) -> AppResult<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::internal(error.to_string()))
}

/// Rejects a write if `If-Match` lists tags and none of them is the current one. `current` is the caller's view of
/// the resource, read under the write's lock. Comparison is strong (RFC 9110, section 13.1.1).
pub fn check_if_match(
    expected: &IfMatch,
    current: impl FnOnce() -> AppResult<Representation>,
) -> AppResult<()> {
    let Some(Tags::Listed(tags)) = &expected.0 else { return Ok(()) };
    let current = current()?;
    if tags.iter().any(|tag| !tag.weak && tag.opaque == current.tag) {
        return Ok(());
    }
    Err(Error::Stale { tag: current.tag })
}

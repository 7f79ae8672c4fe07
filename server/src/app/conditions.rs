//! Conditional requests: which versions a write may meet.

use http::header::ETAG;
use rollcall_api::error;
use rollcall_api::extract::{IfMatch, Tags};

use crate::error::AppResult;

/// The versions that the row may have when it is written: the one that was read, unless `If-Match` names others only. Tags
/// begin with the version; what follows tells views of it apart. Strong comparison (RFC 9110, section 13.1.1).
pub fn writable(expected: &IfMatch, current: i64, current_tag: &str) -> AppResult<Vec<i64>> {
    let matches = match &expected.0 {
        None | Some(Tags::Any) => true,
        Some(Tags::Listed(tags)) => {
            tags.iter().filter(|tag| !tag.weak).any(|tag| version_of(&tag.opaque) == Some(current))
        }
    };
    if matches {
        return Ok(vec![current]);
    }
    let mut stale =
        error::PRECONDITION_FAILED.with("if-match: the resource has changed; the ETag header has its tag");
    if let Ok(value) = http::HeaderValue::from_str(&format!("\"{current_tag}\"")) {
        stale.headers_mut().insert(ETAG, value);
    }
    Err(stale.into())
}

fn version_of(opaque: &str) -> Option<i64> {
    opaque.split('-').next()?.parse().ok()
}

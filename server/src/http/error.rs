//! Responses to failed operations: the one place that maps an error to a status, a code and headers.

use dropshot::HttpError;
use http::HeaderValue;
use http::header::ETAG;
use rollcall_api::error;
use rollcall_store::StoreError;

use crate::error::Error;

impl From<Error> for HttpError {
    fn from(error: Error) -> Self {
        match error {
            Error::Rejected { code, message } => code.with(message),
            Error::RetryLater { code, message, seconds } => code.with_retry(message, seconds),
            Error::Stale { tag } => stale(&tag),
            Error::Store(error) => store(error),
            Error::Internal(what) => internal(what),
        }
    }
}

fn stale(tag: &str) -> HttpError {
    let mut response =
        error::PRECONDITION_FAILED.with("if-match: the resource has changed; the ETag header has its tag");
    if let Ok(value) = HeaderValue::from_str(&format!("\"{tag}\"")) {
        response.headers_mut().insert(ETAG, value);
    }
    response
}

fn store(error: StoreError) -> HttpError {
    const AWAY: &str = "the service is busy or its database is unavailable";
    match error {
        StoreError::Taken(constraint) => taken(&constraint),
        StoreError::Collision => error::CONFLICT.with("conflicts with another change; retry"),
        StoreError::TooSlow => error::UNAVAILABLE.with_retry(AWAY, 1),
        StoreError::Lost(why) => {
            let message = "the database did not respond; a change may still take effect";
            with_reason(error::UNAVAILABLE.with_retry(message, 1), why)
        }
        StoreError::Unavailable(why) => with_reason(error::UNAVAILABLE.with_retry(AWAY, 1), why),
        StoreError::Defect(what) => internal(what),
    }
}

fn internal(what: String) -> HttpError {
    with_reason(error::INTERNAL.with("internal error"), what)
}

/// Adds a reason for the log, which the caller does not see.
fn with_reason(response: HttpError, reason: String) -> HttpError {
    HttpError { internal_message: reason, ..response }
}

fn taken(constraint: &str) -> HttpError {
    match constraint {
        "users_username_key" => error::USERNAME_TAKEN.with("username: is used by another account"),
        "users_email_key" => error::EMAIL_TAKEN.with("email: is used by another account"),
        "roles_name_key" => error::ROLE_NAME_TAKEN.with("name: is used by another role"),
        "groups_slug_key" => error::SLUG_TAKEN.with("slug: is used by another group"),
        "users_phone_key" => error::PHONE_TAKEN.with("phone: is used by another account"),
        _ => error::CONFLICT.with("conflicts with another change; retry"),
    }
}

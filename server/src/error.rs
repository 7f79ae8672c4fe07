//! Errors of the server, which know the error codes and nothing of HTTP. [`crate::http`] converts them into
//! responses.

use std::fmt;

use rollcall_api::error::{self, ErrorCode};
use rollcall_store::{MaybeLost, StoreError};

/// The failure of an operation.
#[derive(Debug)]
pub enum Error {
    /// The request broke a rule; the message is for the caller.
    Rejected {
        /// The rule's code.
        code: ErrorCode,
        /// The field, the rule, and how to follow it.
        message: String,
    },
    /// No tag in `If-Match` is the current one.
    Stale {
        /// The current entity tag, without quotes.
        tag: String,
    },
    /// The same request can succeed later.
    RetryLater {
        /// The code of the reason.
        code: ErrorCode,
        /// The reason, for the caller.
        message: String,
        /// Seconds to wait; at least 1.
        seconds: u64,
    },
    /// The database failed.
    Store(StoreError),
    /// An invariant of the server does not hold. The text goes to the log, never to the caller.
    Internal(String),
}

/// The result of an operation.
pub type AppResult<T> = Result<T, Error>;

impl Error {
    /// A broken rule.
    pub fn rejected(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Rejected { code, message: message.into() }
    }

    /// An error with a time after which to retry.
    pub fn retry_later(code: ErrorCode, message: impl Into<String>, seconds: u64) -> Self {
        Self::RetryLater { code, message: message.into(), seconds }
    }

    /// A broken invariant.
    pub fn internal(what: impl Into<String>) -> Self {
        Self::Internal(what.into())
    }
}

/// The text for the server's log and command line.
impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected { message, .. } | Self::RetryLater { message, .. } => formatter.write_str(message),
            Self::Stale { .. } => formatter.write_str("the resource has changed"),
            Self::Store(error) => error.fmt(formatter),
            Self::Internal(what) => formatter.write_str(what),
        }
    }
}

impl std::error::Error for Error {}

impl MaybeLost for Error {
    fn is_lost(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_lost())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Fails with a broken rule.
pub fn reject<T>(code: ErrorCode, message: impl Into<String>) -> AppResult<T> {
    Err(Error::rejected(code, message))
}

/// Fails because the resource does not exist or is hidden from the caller. The message is the same for both.
pub fn not_found<T>() -> AppResult<T> {
    reject(error::NOT_FOUND, "there is no such resource, or none that you may see")
}

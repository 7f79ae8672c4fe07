//! The one place where what went wrong becomes a status and a code.

use dropshot::HttpError;
use rollcall_api::error::{self, ErrorCode};
use rollcall_store::{MaybeLost, StoreError};

/// Why an operation did not do what was asked.
#[derive(Debug)]
pub enum Fault {
    /// The caller's doing, or something to try again later: already as the caller will read it.
    Answer(Box<HttpError>),
    /// The database's.
    Store(StoreError),
    /// Ours. The text goes to the log, never to the caller.
    Defect(String),
}

/// What an operation gives.
pub type AppResult<T> = Result<T, Fault>;

impl Fault {
    /// A defect of ours.
    pub fn defect(what: impl Into<String>) -> Self {
        Self::Defect(what.into())
    }

    /// The error code that the caller will see, where it is settled.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Answer(error) => error.error_code.as_deref(),
            Self::Store(_) | Self::Defect(_) => None,
        }
    }

    /// The answer.
    pub fn into_http(self) -> HttpError {
        match self {
            Self::Answer(error) => *error,
            Self::Store(StoreError::Taken(constraint)) => taken(&constraint),
            Self::Store(StoreError::Collision) => {
                error::CONFLICT.with("collided with another change; try again")
            }
            Self::Store(StoreError::TooSlow) => {
                error::UNAVAILABLE.with_retry("the service is busy or its database is away", 1)
            }
            Self::Store(StoreError::Lost(why)) => {
                let mut answer = error::UNAVAILABLE
                    .with_retry("the database did not respond; a change may still take effect", 1);
                answer.internal_message = why;
                answer
            }
            Self::Store(StoreError::Unavailable(why)) => {
                let mut answer =
                    error::UNAVAILABLE.with_retry("the service is busy or its database is away", 1);
                answer.internal_message = why;
                answer
            }
            Self::Store(StoreError::Defect(what)) | Self::Defect(what) => {
                let mut answer = error::INTERNAL.with("internal error");
                answer.internal_message = what;
                answer
            }
        }
    }
}

impl MaybeLost for Fault {
    fn is_lost(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_lost())
    }
}

impl From<HttpError> for Fault {
    fn from(error: HttpError) -> Self {
        Self::Answer(Box::new(error))
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Shorthand for an error with its message.
pub fn refuse<T>(code: ErrorCode, message: impl Into<String>) -> AppResult<T> {
    Err(code.with(message).into())
}

/// What doesn't exist, or must look as if it didn't: always the same body.
pub fn not_found<T>() -> AppResult<T> {
    refuse(error::NOT_FOUND, "there is no such resource, or none that you may see")
}

fn taken(constraint: &str) -> HttpError {
    match constraint {
        "users_username_key" => error::USERNAME_TAKEN.with("username: is used by another account"),
        "users_email_key" => error::EMAIL_TAKEN.with("email: is used by another account"),
        "roles_name_key" => error::ROLE_NAME_TAKEN.with("name: is used by another role"),
        "groups_slug_key" => error::SLUG_TAKEN.with("slug: is used by another group"),
        "users_phone_key" => error::PHONE_TAKEN.with("phone: is used by another account"),
        _ => error::CONFLICT.with("collided with another change; try again"),
    }
}

//! Errors of the database, classified by the way the service reacts to them.

use std::fmt;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A failed statement or transaction.
#[derive(Debug)]
pub enum StoreError {
    /// A unique constraint was violated; contains its name.
    Taken(String),
    /// The transaction conflicted with another one; the caller may retry the whole transaction.
    Collision,
    /// The database is unreachable, overloaded or too slow; the statement itself may be correct.
    Unavailable(String),
    /// The connection was lost or abandoned while a statement was in progress; its outcome is unknown.
    Lost(String),
    /// The statement exceeded its timeout, or contains a regular expression that Postgres rejects as too
    /// complex.
    TooSlow,
    /// Any other error: an internal error of Rollcall.
    Defect(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(constraint) => write!(formatter, "unique constraint {constraint} violated"),
            Self::Collision => formatter.write_str("collided with another transaction"),
            Self::Unavailable(why) => write!(formatter, "database unavailable: {why}"),
            Self::Lost(why) => write!(formatter, "database connection lost: {why}"),
            Self::TooSlow => formatter.write_str("statement took too long"),
            Self::Defect(what) => write!(formatter, "statement failed: {what}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// Errors that may mean a lost connection.
pub trait MaybeLost {
    /// True if the connection was lost.
    fn is_lost(&self) -> bool;
}

impl MaybeLost for StoreError {
    fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                Self::Taken(info.constraint_name().unwrap_or("").to_owned())
            }
            // A referenced row was deleted after it was read.
            DieselError::DatabaseError(
                DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ForeignKeyViolation,
                _,
            ) => Self::Collision,
            DieselError::DatabaseError(
                DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection,
                info,
            ) => Self::Lost(info.message().to_owned()),
            DieselError::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, info) => {
                Self::Unavailable(info.message().to_owned())
            }
            // Diesel does not expose the SQLSTATE of other errors; connections use English messages.
            DieselError::DatabaseError(_, info) => {
                let message = info.message();
                if message.contains("deadlock detected") {
                    Self::Collision
                } else if message.contains("statement timeout")
                    || message.contains("regular expression is too complex")
                {
                    Self::TooSlow
                } else if message.contains("terminating connection") {
                    Self::Lost(message.to_owned())
                } else if AWAY.iter().any(|sign| message.contains(sign)) {
                    Self::Unavailable(message.to_owned())
                } else {
                    Self::Defect(message.to_owned())
                }
            }
            DieselError::BrokenTransactionManager => {
                Self::Unavailable("the transaction broke off".to_owned())
            }
            other => Self::Defect(other.to_string()),
        }
    }
}

/// Parts of messages that describe a temporary condition.
const AWAY: &[&str] = &[
    "lock timeout",
    "the database system is",
    "too many clients",
    "remaining connection slots",
    "connection closed",
    "idle-in-transaction timeout",
];

/// Result of a store function.
pub type StoreResult<T> = Result<T, StoreError>;

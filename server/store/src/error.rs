//! What can go wrong with the database, in the words that the service acts on.

use std::fmt;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A failed statement or transaction.
#[derive(Debug)]
pub enum StoreError {
    /// A unique constraint was violated: its name.
    Taken(String),
    /// The statement collided with another transaction; the whole may be tried again.
    Collision,
    /// The database is away, overloaded or too slow; nothing is known to be wrong with the statement.
    Unavailable(String),
    /// The connection was lost, or given up, while a statement was under way: what became of it is not known.
    Lost(String),
    /// The statement took longer than one may, or has a regular expression that Postgres finds too complex.
    TooSlow,
    /// Anything else: a defect of ours.
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

/// Errors that may say that the connection was lost.
pub trait MaybeLost {
    /// Whether it was.
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
            // What a row refers to has gone since it was looked at.
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
            // Diesel hides the SQLSTATE of the rest; connections run with English messages.
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

/// Parts of messages that mean "not now" rather than "never".
const AWAY: &[&str] = &[
    "lock timeout",
    "the database system is",
    "too many clients",
    "remaining connection slots",
    "connection closed",
    "idle-in-transaction timeout",
];

/// What a statement gives.
pub type StoreResult<T> = Result<T, StoreError>;

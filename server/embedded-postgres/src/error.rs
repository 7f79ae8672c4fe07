//! The error of the private database, whose messages include the fix.

use std::fmt;
use std::path::Path;

/// Failure to provide the private database. The message is for the operator who starts the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedError {
    kind: EmbeddedErrorKind,
    message: String,
}

/// Kind of an [`EmbeddedError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbeddedErrorKind {
    /// Another process uses the data folder.
    InUse,
    /// Postgres' programs are not installed.
    NotFound,
    /// The data belong to another major version of Postgres.
    WrongVersion,
    /// Any other failure, such as of a program or a file operation.
    Failed,
}

impl EmbeddedError {
    pub(super) fn new(kind: EmbeddedErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::new(EmbeddedErrorKind::Failed, message)
    }

    /// Converts an error of a file operation, for `map_err`. `what` is the operation, such as "reading".
    pub(super) fn file(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let message = format!("the private database: {what} {} failed", path.display());
        move |error| Self::failed(format!("{message}: {error}"))
    }

    /// Kind of the error.
    pub fn kind(&self) -> EmbeddedErrorKind {
        self.kind
    }
}

impl fmt::Display for EmbeddedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EmbeddedError {}

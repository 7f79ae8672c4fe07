//! What can go wrong with the private database, in words that say what to do about it.

use std::fmt;
use std::path::Path;

/// Why the private database isn't available. Its text is meant for the person who starts the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedError {
    kind: EmbeddedErrorKind,
    message: String,
}

/// What sort of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmbeddedErrorKind {
    /// Another process works on the same data folder.
    InUse,
    /// Postgres' programs are not on this machine.
    NotFound,
    /// The data belong to another major version of Postgres.
    WrongVersion,
    /// Something else: a program failed, a folder can't be used.
    Failed,
}

impl EmbeddedError {
    pub(super) fn new(kind: EmbeddedErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::new(EmbeddedErrorKind::Failed, message)
    }

    /// For `map_err` on file operations: what was tried, on which path.
    pub(super) fn file(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let message = format!("the private database: {what} {} failed", path.display());
        move |error| Self::failed(format!("{message}: {error}"))
    }

    /// What sort of trouble it is.
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

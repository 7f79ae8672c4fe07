//! The lock of a data folder: a lock file that the kernel releases when its holder ends, also by a crash.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::EmbeddedError;

const NAME: &str = "rollcall.lock";

/// Role of the lock's holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A server, which holds the lock until it is stopped.
    Server,
    /// A command that ends soon: `create-admin`, `migrate`, a download.
    Command,
}

/// The lock, held until it is dropped.
#[derive(Debug)]
pub(super) struct DataLock {
    _file: File,
}

/// The outcome of one attempt.
#[derive(Debug)]
pub(super) enum Attempt {
    Taken(DataLock),
    /// Held by another process. The second field is its process id as written in the file, for messages only.
    HeldBy(Role, String),
}

impl DataLock {
    /// Tries once to take the lock, without waiting.
    pub fn attempt(data_dir: &Path, role: Role) -> Result<Attempt, EmbeddedError> {
        let path = data_dir.join(NAME);
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::PermissionDenied => EmbeddedError::failed(format!(
                    "the data folder {} belongs to another user: start as that user, or name another folder with \
                     --data-dir DIR",
                    data_dir.display()
                )),
                _ => EmbeddedError::file("opening", &path)(error),
            })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let (word, pid) = text.trim().split_once(' ').unwrap_or_default();
                // Between the lock and the write, the file is empty or old: callers read it again.
                let role = if word == "server" { Role::Server } else { Role::Command };
                return Ok(Attempt::HeldBy(role, pid.to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(EmbeddedError::file("locking", &path)(error)),
        }
        let word = if role == Role::Server { "server" } else { "command" };
        file.set_len(0)
            .and_then(|()| file.write_all(format!("{word} {}\n", std::process::id()).as_bytes()))
            .map_err(EmbeddedError::file("writing", &path))?;
        Ok(Attempt::Taken(Self { _file: file }))
    }
}

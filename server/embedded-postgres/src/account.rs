//! The user that runs Postgres. Its programs reject root, so as root they run as another user; otherwise they run as the
//! user of this process.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::EmbeddedError;

/// Environment variables that Postgres' programs get. The others are dropped: `PGPORT` and similar ones change the
/// programs' behaviour, and the server's own variables may contain secrets.
const KEPT_VARIABLES: [&str; 5] = ["PATH", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// The user that runs Postgres' programs and owns the database's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub uid: u32,
    pub gid: u32,
    /// True if this process is root and drops to another user.
    pub other: bool,
}

impl Account {
    /// True if this process is root.
    pub fn we_are_root() -> bool {
        rustix::process::geteuid().is_root()
    }

    /// The user of this process.
    pub fn ourselves() -> Self {
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Self { uid, gid, other: false }
    }

    /// The user that runs Postgres for root: `postgres` (on macOS `_postgres`) if it exists, else `nobody`.
    pub fn for_root() -> Result<Self, EmbeddedError> {
        let found = ["postgres", "_postgres", "nobody"].iter().find_map(|name| {
            let (uid, gid) = (id("-u", name)?, id("-g", name)?);
            (uid != 0).then_some(Self { uid, gid, other: true })
        });
        found.ok_or_else(|| {
            EmbeddedError::failed(
                "the private database can't run as root, and this machine has neither a user `postgres` nor `nobody`: \
                 run the server as an ordinary user, or add one with `useradd --system postgres`",
            )
        })
    }

    /// The owner of an existing database; `None` where root owns it.
    pub fn owner_of(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        (metadata.uid() != 0).then(|| Self { uid: metadata.uid(), gid: metadata.gid(), other: true })
    }

    /// Creates a command that runs as this user, with a clean environment, in `/`.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
        for name in KEPT_VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if self.other {
            // The standard library drops root's supplementary groups when a user is given.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Changes the owner of a file to this user, without following a link.
    pub fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        if !self.other {
            return Ok(());
        }
        std::os::unix::fs::lchown(path, Some(self.uid), Some(self.gid))
            .map_err(EmbeddedError::file("changing the owner of", path))
    }

    /// Calls [`Account::give`] for a folder and its contents.
    pub fn give_all(&self, path: &Path) -> Result<(), EmbeddedError> {
        self.give(path)?;
        let metadata = path.symlink_metadata().map_err(EmbeddedError::file("looking at", path))?;
        if self.other && metadata.is_dir() {
            for entry in path.read_dir().map_err(EmbeddedError::file("reading", path))? {
                self.give_all(&entry.map_err(EmbeddedError::file("reading", path))?.path())?;
            }
        }
        Ok(())
    }

    /// True if this user may enter a folder. A child process tries it, because access control lists and security modules
    /// add rules to the mode.
    pub fn can_enter(&self, folder: &Path) -> bool {
        let mut command = self.command(Path::new("/bin/sh"));
        // The standard library changes the user before it changes the folder.
        command.args(["-c", ":"]).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

fn id(what: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([what, name]).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

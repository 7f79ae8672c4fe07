//! Who runs Postgres. Its programs refuse root, so root hands them over to another user; everyone else runs
//! them as themselves.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::EmbeddedError;

/// Variables that Postgres' programs keep. The others are dropped: `PGPORT` and its like change what the programs
/// do, and the server's own variables may hold secrets.
const KEPT_VARIABLES: [&str; 5] = ["PATH", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// The user that runs Postgres' programs and owns the database's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub uid: u32,
    pub gid: u32,
    /// Whether this isn't us: we are root and step down.
    pub other: bool,
}

impl Account {
    /// Whether this process is root.
    pub fn we_are_root() -> bool {
        rustix::process::geteuid().is_root()
    }

    /// The user that this process runs as.
    pub fn ourselves() -> Self {
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Self { uid, gid, other: false }
    }

    /// The user that root hands Postgres to: `postgres` if there is one, else `nobody`.
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

    /// The owner of a database that exists already; None where root owns it.
    pub fn owner_of(path: &Path) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        (metadata.uid() != 0).then(|| Self { uid: metadata.uid(), gid: metadata.gid(), other: true })
    }

    /// A command that runs as this user, with a clean environment, from a folder that everyone may enter.
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

    /// Makes this user the owner, without following a link.
    pub fn give(&self, path: &Path) -> Result<(), EmbeddedError> {
        if !self.other {
            return Ok(());
        }
        std::os::unix::fs::lchown(path, Some(self.uid), Some(self.gid))
            .map_err(EmbeddedError::file("changing the owner of", path))
    }

    /// [`Account::give`] for a folder and all that is in it.
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

    /// Whether this user may enter a folder, tried rather than computed: lists and modules add rules of their own.
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

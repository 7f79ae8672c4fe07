//! A Postgres for one test alone, which the test can stop, freeze and configure.

use std::path::PathBuf;

use rollcall_embedded_postgres::{EmbeddedPostgres, Options};
use rustix::process::{Pid, Signal, kill_process};
use slog::{Discard, Logger, o};

use super::cluster::{as_role, connect, prepare, temporary_folder};

/// A Postgres with a migrated database and its administrator. Needs Tokio's multi-threaded runtime.
#[derive(Debug)]
pub struct OwnPostgres {
    options: Options,
    running: Option<EmbeddedPostgres>,
    folder: tempfile::TempDir,
}

impl OwnPostgres {
    /// Creates and starts a Postgres, migrates its database and creates the administrator.
    pub async fn prepared() -> Self {
        let postgres = Self::empty();
        prepare(&postgres.url()).await;
        postgres
    }

    /// Creates and starts a Postgres with an empty database.
    pub fn empty() -> Self {
        let folder = temporary_folder();
        let options = Options { fsync: false, ..Options::new(folder.path()) };
        let mut postgres = Self { options, running: None, folder };
        postgres.start();
        postgres
    }

    /// URL for the server's role, which does not change.
    pub fn url(&self) -> String {
        self.running.as_ref().expect("it runs").url()
    }

    /// Changes a setting of the running Postgres.
    pub async fn configure(&self, setting: &str) {
        let owner = connect(&as_role(&self.url(), "rollcall")).await.unwrap();
        // Two calls, because `ALTER SYSTEM` is not allowed inside of a transaction.
        owner.batch_execute(&format!("ALTER SYSTEM SET {setting}")).await.unwrap();
        owner.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    }

    /// Starts the Postgres again.
    pub fn start(&mut self) {
        let start = || EmbeddedPostgres::start(&self.options, &Logger::root(Discard, o!())).unwrap();
        self.running = Some(tokio::task::block_in_place(start));
    }

    /// Stops the Postgres, which can be started again.
    pub fn stop(&mut self) {
        let running = self.running.take().expect("it runs");
        tokio::task::block_in_place(|| running.stop().unwrap());
    }

    /// Stops all processes with SIGSTOP; connections stay open.
    pub fn freeze(&self) {
        self.send(Signal::STOP);
    }

    /// Continues all processes with SIGCONT.
    pub fn thaw(&self) {
        self.send(Signal::CONT);
    }

    fn send(&self, signal: Signal) {
        let postmaster = self.postmaster();
        // The postmaster first, so that it starts no others meanwhile.
        for pid in [postmaster].into_iter().chain(children(postmaster)) {
            // A process may have ended meanwhile.
            let _sent = kill_process(Pid::from_raw(pid).unwrap(), signal);
        }
    }

    fn postmaster(&self) -> i32 {
        let mut versions = self.folder.path().read_dir().unwrap().flatten();
        let file: PathBuf = versions
            .find_map(|entry| {
                let file = entry.path().join("cluster/postmaster.pid");
                file.exists().then_some(file)
            })
            .expect("it runs");
        std::fs::read_to_string(file).unwrap().lines().next().unwrap().trim().parse().unwrap()
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        // A frozen Postgres can't be stopped.
        if self.running.is_some() {
            self.thaw();
        }
    }
}

fn children(parent: i32) -> Vec<i32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name, in parentheses, may contain parentheses.
            let (_, rest) = stat.rsplit_once(')')?;
            (rest.split_whitespace().nth(1)?.parse() == Ok(parent)).then_some(pid)
        })
        .collect()
}

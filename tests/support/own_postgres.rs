//! A Postgres that one test has to itself: it can be stopped, frozen and configured.

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
    /// Makes and starts one.
    pub async fn prepared() -> Self {
        let postgres = Self::empty();
        prepare(&postgres.url()).await;
        postgres
    }

    /// The same without anything in it.
    pub fn empty() -> Self {
        let folder = temporary_folder();
        let options = Options { fsync: false, ..Options::new(folder.path()) };
        let mut postgres = Self { options, running: None, folder };
        postgres.start();
        postgres
    }

    /// Its address, which stays the same.
    pub fn url(&self) -> String {
        self.running.as_ref().expect("it runs").url()
    }

    /// Changes a setting while it runs.
    pub async fn configure(&self, setting: &str) {
        let owner = connect(&as_role(&self.url(), "rollcall")).await.unwrap();
        // A statement each: the first is not allowed inside of a transaction.
        owner.batch_execute(&format!("ALTER SYSTEM SET {setting}")).await.unwrap();
        owner.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    }

    /// Starts it again.
    pub fn start(&mut self) {
        let start = || EmbeddedPostgres::start(&self.options, &Logger::root(Discard, o!())).unwrap();
        self.running = Some(tokio::task::block_in_place(start));
    }

    /// Stops it, as in order to start it again.
    pub fn stop(&mut self) {
        let running = self.running.take().expect("it runs");
        tokio::task::block_in_place(|| running.stop().unwrap());
    }

    /// Stops all of its processes where they are; whoever is connected stays connected.
    pub fn freeze(&self) {
        self.tell(Signal::STOP);
    }

    /// Lets its processes go on.
    pub fn thaw(&self) {
        self.tell(Signal::CONT);
    }

    fn tell(&self, signal: Signal) {
        let postmaster = self.postmaster();
        // The postmaster first: it would start others meanwhile.
        for pid in [postmaster].into_iter().chain(children(postmaster)) {
            // One that has just ended needs no telling.
            let _told = kill_process(Pid::from_raw(pid).unwrap(), signal);
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
        // What is frozen can't be stopped.
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
            // The name, in parentheses, may hold anything.
            let (_, rest) = stat.rsplit_once(')')?;
            (rest.split_whitespace().nth(1)?.parse() == Ok(parent)).then_some(pid)
        })
        .collect()
}

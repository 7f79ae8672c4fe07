//! The process that keeps one Postgres for all test processes of a run: starts it, publishes its URL, and
//! stops it some seconds after the last process has ended, whatever the cause.
//!
//! ```text
//! <folder>/keeper.lock   held by the one keeper
//!         /users.lock    held, shared, by every process that uses the database
//!         /url           where the database is, while it can be used
//! ```

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rollcall_embedded_postgres::{EmbeddedPostgres, Options};
use slog::{Discard, Logger, o};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Interval between checks for remaining processes.
const LOOK: Duration = Duration::from_millis(500);
/// Number of consecutive checks without a process before the database is stopped.
const PATIENCE: u32 = 10;

/// Keeps the database until no process uses it.
pub fn keep(folder: &Path) -> ExitCode {
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .and_then(|runtime| runtime.block_on(run(folder)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A developer whose tests wait for this file reads it.
            let _unsaid = std::fs::write(folder.join("error"), error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn run(folder: &Path) -> std::io::Result<()> {
    let keeper = open(&folder.join("keeper.lock"))?;
    if keeper.try_lock().is_err() {
        return Ok(());
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let users = open(&folder.join("users.lock"))?;
    let url = folder.join("url");
    let options = Options { fsync: false, ..Options::new(folder) };
    let log = Logger::root(Discard, o!());
    let started = tokio::task::spawn_blocking(move || EmbeddedPostgres::start(&options, &log)).await;
    let postgres = started.map_err(std::io::Error::other)?.map_err(std::io::Error::other)?;
    std::fs::write(folder.join("url.new"), postgres.owner_url())?;
    std::fs::rename(folder.join("url.new"), &url)?;
    let locked = until_deserted(&users, &mut terminate).await;
    // A process that starts now waits for the lock, finds no URL and starts another keeper.
    std::fs::remove_file(&url)?;
    tokio::task::spawn_blocking(move || postgres.stop())
        .await
        .map_err(std::io::Error::other)?
        .map_err(std::io::Error::other)?;
    drop((locked, users, keeper));
    Ok(())
}

/// Waits until no process has used the database for a while; then holds the lock, unless terminated.
async fn until_deserted(users: &File, terminate: &mut Signal) -> bool {
    let mut deserted = 0;
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = terminate.recv() => return false,
        }
        if users.try_lock().is_err() {
            deserted = 0;
            continue;
        }
        deserted += 1;
        if deserted == PATIENCE {
            return true;
        }
        let _held = users.unlock();
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)
}

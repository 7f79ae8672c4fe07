//! Tests of a private database against the real Postgres of this machine: start, sharing, crash, recovery, stop.
//!
//! Skipped with a message where the machine has no Postgres. Tests end only processes that they started.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use slog::{Discard, Logger, o};
use tempfile::TempDir;

use super::account::Account;
use super::home::Home;
use super::pid_file::{self, PidFile};
use super::{EmbeddedErrorKind, EmbeddedPostgres, Options, find, running};

/// Variable with the data folder: makes the test binary act as a server that is then killed.
const HELPER: &str = "EMBEDDED_POSTGRES_TEST_FOLDER";

fn log() -> Logger {
    Logger::root(Discard, o!())
}

/// A data folder that the user who runs Postgres can enter; `None`, with a message, where there is no Postgres.
fn folder() -> Option<TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path(), &log()).unwrap();
    if let Err(error) = find::choose(&home, None) {
        println!("skipped: {error}");
        return None;
    }
    Some(folder)
}

fn options(folder: &Path) -> Options {
    Options { fsync: false, ..Options::new(folder) }
}

fn start(folder: &Path) -> EmbeddedPostgres {
    EmbeddedPostgres::start(&options(folder), &log()).unwrap()
}

/// The folder of the one cluster in a data folder.
fn cluster(folder: &Path) -> PathBuf {
    let home = Home::open(folder, &log()).unwrap();
    home.folder(home.clusters()[0]).join("cluster")
}

fn pid(folder: &Path) -> i32 {
    PidFile::read(&cluster(folder)).expect("the database runs").pid
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

/// Runs statements through a URL of the database; returns the first value of the last row.
fn sql(url: &str, statements: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let work = async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let messages = client.simple_query(statements).await.unwrap();
        let value = messages.iter().rev().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        value.unwrap_or_default()
    };
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), work).await.unwrap() })
}

/// Another process that starts the database and waits to be killed.
struct Helper(Child);

impl Helper {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::act_as_server", "--nocapture", "--ignored"])
            .env(HELPER, folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        assert!(output.lines().map_while(Result::ok).any(|line| line.contains("helper is ready")));
        Self(child)
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
#[ignore = "started by other tests, as a process to kill"]
fn act_as_server() {
    if let Some(folder) = std::env::var_os(HELPER) {
        let _database = start(Path::new(&folder));
        println!("helper is ready");
        std::thread::sleep(Duration::from_secs(120));
    }
}

#[test]
fn start_and_stop_keep_data_and_leave_no_process() {
    let Some(folder) = folder() else { return };
    let database = start(folder.path());
    let first = pid(folder.path());
    assert_eq!(
        sql(
            &database.owner_url(),
            "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7); SELECT n FROM kept"
        ),
        "7"
    );
    assert_eq!(sql(&database.owner_url(), "SHOW listen_addresses"), "");
    let privileged =
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user";
    assert_eq!(
        (sql(&database.url(), privileged), sql(&database.owner_url(), privileged)),
        ("f".to_owned(), "t".to_owned())
    );
    assert_eq!(
        sql(&database.owner_url(), "SELECT datctype FROM pg_database WHERE datname = 'rollcall'"),
        "C.UTF-8"
    );
    for private in ["cluster", "socket"] {
        let mode = cluster(folder.path()).parent().unwrap().join(private).metadata().unwrap().mode();
        assert_eq!(mode & 0o777, 0o700, "{private}");
    }
    assert!(!database.ensure_running().unwrap());
    database.stop().unwrap();
    database.stop().unwrap();
    assert!(!pid_file::is_alive(first));
    assert_eq!(PidFile::read(&cluster(folder.path())), None);
    assert!(!database.ensure_running().unwrap(), "a stopped database stays stopped");

    let again = start(folder.path());
    assert_eq!(again.url(), database.url());
    assert_eq!(sql(&again.owner_url(), "SELECT n FROM kept"), "7");
    let second = pid(folder.path());
    drop(again);
    assert!(!pid_file::is_alive(second), "a drop stops it too");
}

#[test]
fn a_second_server_is_rejected_and_a_command_shares_the_database() {
    let Some(folder) = folder() else { return };
    let database = start(folder.path());
    let error = EmbeddedPostgres::start(&options(folder.path()), &log()).unwrap_err();
    assert_eq!(error.kind(), EmbeddedErrorKind::InUse);
    let text = error.to_string();
    assert!(text.contains(folder.path().to_str().unwrap()) && text.contains("--data-dir"), "{text}");

    let shared = EmbeddedPostgres::connect_existing(&options(folder.path()), &log()).unwrap();
    assert_eq!(shared.url(), database.url());
    shared.stop().unwrap();
    drop(shared);
    assert_eq!(sql(&database.owner_url(), "SELECT 1"), "1", "a command doesn't stop the server's database");
    database.stop().unwrap();

    let alone = EmbeddedPostgres::connect_existing(&options(folder.path()), &log()).unwrap();
    assert_eq!(sql(&alone.owner_url(), "SELECT 1"), "1");
    let started = pid(folder.path());
    drop(alone);
    assert!(!pid_file::is_alive(started), "a command stops a database that it started");
}

#[test]
fn ensure_running_restarts_a_killed_postgres() {
    let Some(folder) = folder() else { return };
    let database = start(folder.path());
    sql(&database.owner_url(), "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)");
    kill(pid(folder.path()));
    let killed_at = Instant::now();
    while !database.ensure_running().unwrap() {
        assert!(killed_at.elapsed() < Duration::from_secs(5), "not restarted");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(sql(&database.owner_url(), "SELECT n FROM kept"), "7");
    assert!(killed_at.elapsed() < Duration::from_secs(30));
}

#[test]
fn start_takes_over_the_database_of_a_killed_server() {
    let Some(folder) = folder() else { return };
    Helper::start(folder.path()).kill();
    let orphan = pid(folder.path());
    assert!(pid_file::is_alive(orphan));
    let database = start(folder.path());
    assert_eq!(pid(folder.path()), orphan, "the process is the same");
    assert_eq!(sql(&database.owner_url(), "SELECT 1"), "1");
    database.stop().unwrap();
    assert!(!pid_file::is_alive(orphan));
}

#[test]
fn start_works_after_server_and_database_were_killed() {
    let Some(folder) = folder() else { return };
    let helper = Helper::start(folder.path());
    let orphan = pid(folder.path());
    helper.kill();
    kill(orphan);
    let database = start(folder.path());
    assert_ne!(pid(folder.path()), orphan);
    assert_eq!(sql(&database.owner_url(), "SELECT 1"), "1");
}

#[test]
fn ensure_running_removes_a_lock_file_that_names_another_process() {
    let Some(folder) = folder() else { return };
    let database = start(folder.path());
    kill(pid(folder.path()));
    std::thread::sleep(Duration::from_millis(500));
    // As after a reboot: the process id in the lock file belongs to another process of the same user.
    let home = Home::open(folder.path(), &log()).unwrap();
    let mut stranger = home.account.command(Path::new("/bin/sleep")).arg("60").spawn().unwrap();
    let path = cluster(folder.path()).join("postmaster.pid");
    let text = std::fs::read_to_string(&path).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    std::fs::write(&path, format!("{}\n{rest}", stranger.id())).unwrap();
    let restarted = database.ensure_running();
    let alive = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert!(restarted.unwrap());
    assert!(alive, "the other process was ended");
    assert_eq!(sql(&database.owner_url(), "SELECT 1"), "1");
}

#[test]
fn start_runs_an_interrupted_initdb_again() {
    let Some(folder) = folder() else { return };
    let home = Home::open(folder.path(), &log()).unwrap();
    let programs = find::choose(&home, None).unwrap();
    let outer = home.folder(programs.major);
    home.make_private(&outer).unwrap();
    let half = outer.join("cluster.new-1");
    std::fs::create_dir(&half).unwrap();
    std::fs::write(half.join("PG_VERSION"), "15\n").unwrap();
    let database = start(folder.path());
    assert_eq!(sql(&database.owner_url(), "SELECT 1"), "1");
    assert!(!half.exists());
    assert!(running(&home).is_some());
}

#[test]
fn start_rejects_data_of_another_version() {
    let Some(folder) = folder() else { return };
    let old = folder.path().join("postgres-9").join("cluster");
    std::fs::create_dir_all(&old).unwrap();
    std::fs::write(old.join("PG_VERSION"), "9\n").unwrap();
    let error = EmbeddedPostgres::start(&options(folder.path()), &log()).unwrap_err();
    assert_eq!(error.kind(), EmbeddedErrorKind::WrongVersion);
    assert!(error.to_string().contains("apt-get install postgresql-9"), "{error}");
}

#[test]
fn a_folder_that_only_root_can_enter_gets_a_stand_in() {
    if !Account::we_are_root() {
        println!("skipped: this test needs root");
        return;
    }
    let Some(outer) = folder() else { return };
    std::fs::set_permissions(outer.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let inner = outer.path().join("data");
    let home = Home::open(&inner, &log()).unwrap();
    assert!(home.base.starts_with("/var/lib/rollcall"), "{}", home.base.display());
    let database = start(&inner);
    assert_eq!(sql(&database.owner_url(), "SELECT 1"), "1");
    drop(database);
    assert_eq!(Home::open(&inner, &log()).unwrap().base, home.base, "the stand-in is kept");
    std::fs::remove_dir_all(home.base).unwrap();
}

//! Startup failures: the message names the place and the setting, nothing is created before a failure, and
//! the suggested commands work.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::program::{Program, command};
use crate::support::cluster::{Database, PROGRAM, temporary_folder};

/// A local port without a listener.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Result of a program that has ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    out: String,
    error: String,
}

/// Runs a program that ends by itself.
fn ended(command: &mut Command) -> Ended {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_secs(60) {
            let _killed = child.kill();
            panic!("it does not end: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { code: output.status.code(), out: text(&output.stdout), error: text(&output.stderr) }
}

/// A command of the program that does not serve.
fn plain(folder: &Path, arguments: &[&str]) -> Command {
    let mut plain = Command::new(PROGRAM);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ROLLCALL_")) {
        plain.env_remove(name);
    }
    plain.args(arguments).current_dir(folder).stdin(Stdio::null());
    plain.env("ROLLCALL_PASSWORD__MEMORY_KIB", "64").env("ROLLCALL_PASSWORD__ITERATIONS", "1");
    plain
}

/// The program on an existing database.
fn on(folder: &Path, database: &Database) -> Command {
    let mut command = command(folder, &[]);
    command.env("ROLLCALL_DATABASE_URL", database.server_url());
    command.env("ROLLCALL_DATABASE_MIGRATION_URL", &database.url);
    command
}

#[test]
fn start_reports_why_it_cannot_listen_and_creates_no_database() {
    let folder = temporary_folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (address, why) in [
        (taken.as_str(), "another program listens there"),
        ("203.0.113.9:8080", "does not have that address"),
    ] {
        let end = ended(command(folder.path(), &[]).args(["serve", "--address", address]));
        assert_eq!(end.code, Some(1), "{end:?}");
        for part in [&format!("can't listen on {address}"), why, "--address", "http.address"] {
            assert!(end.error.contains(part), "{part}: {end:?}");
        }
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing was made");
    }
}

#[test]
fn start_accepts_localhost_as_an_address() {
    let folder = temporary_folder();
    let database = Database::migrated();
    let mut command = on(folder.path(), &database);
    let program = Program::spawn(folder.path(), command.args(["serve", "--address", "localhost:0"]));
    assert!(program.url.starts_with("http://127.0.0.1:"), "{}", program.url);
    drop(program);
    database.drop_now();
}

#[test]
fn start_names_place_and_setting_of_an_unreachable_database() {
    let (folder, database) = (temporary_folder(), Database::empty());
    let place = format!("127.0.0.1:{}", closed_port());
    let closed = format!("postgres://ada:s3cret@{place}/rollcall");
    for arguments in [&["serve"][..], &["migrate"], &["create-admin"]] {
        let settings =
            [("ROLLCALL_DATABASE_URL", closed.as_str()), ("ROLLCALL_HTTP__ADDRESS", "127.0.0.1:0")];
        let end = ended(plain(folder.path(), arguments).envs(settings));
        assert_eq!(end.code, Some(1), "{end:?}");
        assert!(end.error.contains(&place) && end.error.contains("database.url"), "{end:?}");
        assert!(!end.error.contains("s3cret"), "{end:?}");
    }
    let end = ended(on(folder.path(), &database).env("ROLLCALL_DATABASE_MIGRATION_URL", &closed));
    assert!(end.code == Some(1) && end.error.contains(&place), "{end:?}");
    assert!(end.error.contains("database.migration_url") && !end.error.contains("s3cret"), "{end:?}");
    // A database that does not exist, on a server that does.
    let (server, _) = database.url.rsplit_once('/').unwrap();
    let place = server.rsplit_once('@').unwrap().1.replace("%2F", "/");
    let nowhere = format!("{server}/nowhere_at_all");
    let end = ended(plain(folder.path(), &["migrate"]).env("ROLLCALL_DATABASE_URL", &nowhere));
    for part in [&place, "database.url", "\"nowhere_at_all\" does not exist"] {
        assert!(end.code == Some(1) && end.error.contains(part), "{part}: {end:?}");
    }
    database.drop_now();
}

#[test]
fn start_names_the_migration_url_where_the_servers_role_may_not_create_tables() {
    let (folder, database) = (temporary_folder(), Database::empty());
    let url = database.server_url();
    for arguments in [&["serve", "--address", "127.0.0.1:0"][..], &["migrate"], &["create-admin"]] {
        let end = ended(plain(folder.path(), arguments).env("ROLLCALL_DATABASE_URL", &url));
        assert_eq!(end.code, Some(1), "{end:?}");
        for part in [
            "permission denied for schema public",
            "the role rollcall_server",
            "database.migration_url (ROLLCALL_DATABASE_MIGRATION_URL)",
        ] {
            assert!(end.error.contains(part), "{part}: {end:?}");
        }
    }
    // Also if the other role lacks the privilege as well.
    let both = [("ROLLCALL_DATABASE_URL", &database.url), ("ROLLCALL_DATABASE_MIGRATION_URL", &url)];
    let end = ended(plain(folder.path(), &["migrate"]).envs(both));
    assert!(end.error.contains("the role of database.migration_url may not migrate"), "{end:?}");
    database.drop_now();
}

#[test]
fn create_admin_needs_a_data_folder_or_a_database() {
    let folder = temporary_folder();
    let end = ended(&mut plain(folder.path(), &["create-admin", "--data-dir", "mistyped"]));
    assert_eq!((end.code, end.out.as_str()), (Some(2), ""), "{end:?}");
    for part in ["the data folder mistyped does not exist", "--data-dir", "--database-url"] {
        assert!(end.error.contains(part), "{part}: {end:?}");
    }
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing was made");
}

#[test]
fn start_on_an_empty_external_database_asks_for_the_first_administrator() {
    let (folder, database) = (temporary_folder(), Database::empty());
    let program = Program::spawn(folder.path(), &mut on(folder.path(), &database));
    let said = program.announcement.clone();
    assert!(said.contains("The first administrator: rollcall-server create-admin --username NAME"), "{said}");
    assert!(program.admin_password.is_none() && !said.contains("nother administrator"), "{said}");
    drop(program);
    let mut create = plain(folder.path(), &["create-admin", "--username", "ada"]);
    let created = ended(
        create
            .env("ROLLCALL_DATABASE_URL", database.server_url())
            .env("ROLLCALL_DATABASE_MIGRATION_URL", &database.url),
    );
    assert_eq!(created.code, Some(0), "{created:?}");
    let program = Program::spawn(folder.path(), &mut on(folder.path(), &database));
    assert!(program.announcement.contains("Another administrator: rollcall-server create-admin"));
    drop(program);
    database.drop_now();
}

/// If cargo does not run the server, the examples may not be available; `curl` is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_prints_commands_that_work() {
    let folder = temporary_folder();
    let program = Program::start(folder.path(), &[]);
    let (_, next) = program.announcement.split_once("Next, in another terminal:\n").unwrap();
    assert_eq!(next.lines().filter(|line| line.contains("curl")).count(), 2, "{next}");
    assert!(!next.contains("cargo"), "{next}");
    let end = ended(Command::new("sh").args(["-c", next]).stdin(Stdio::null()));
    let me: serde_json::Value = serde_json::from_str(&end.out).unwrap_or_else(|_| panic!("{end:?}"));
    assert_eq!(me["username"], "admin", "{end:?}");
    drop(program);
    // As `cargo run` does.
    let mut cargo = command(folder.path(), &[]);
    let again = Program::spawn(folder.path(), cargo.env("CARGO_PKG_NAME", "rollcall-server"));
    let example = "cargo run -p rollcall-client --example sign_in_and_list";
    assert!(again.announcement.contains(example), "{}", again.announcement);
    assert!(!again.announcement.contains("curl"), "{}", again.announcement);
}

#[test]
fn start_ignores_unrelated_variables_and_rejects_misspelt_settings() {
    let (folder, database) = (temporary_folder(), Database::migrated());
    let others = [
        ("ROLLCALL_URL", "http://127.0.0.1:8080"),
        ("ROLLCALL_PASSWORD", "x"),
        ("ROLLCALL_PORT", "tcp://10.0.0.1:80"),
        ("ROLLCALL_SERVICE_HOST", "10.0.0.1"),
        ("ROLLCALL_THEME", "dark"),
    ];
    let program = Program::spawn(folder.path(), on(folder.path(), &database).envs(others));
    drop(program);
    let log = std::fs::read_to_string(folder.path().join("server.log")).unwrap();
    assert!(log.contains("ROLLCALL_THEME"), "a warning names what means nothing to anybody: {log}");
    for (name, _) in &others[..4] {
        assert!(!log.contains(&format!("{name}\"")), "{name}: {log}");
    }
    for (name, says) in [
        ("ROLLCALL_HTTP__ADRESS", "ROLLCALL_HTTP__ADDRESS"),
        ("ROLLCALL_DATABSE_URL", "ROLLCALL_DATABASE_URL"),
        ("ROLLCALL_LOG__COLOUR", "ROLLCALL_LOG__LEVEL"),
    ] {
        let end = ended(on(folder.path(), &database).env(name, "x"));
        assert_eq!(end.code, Some(2), "{end:?}");
        assert!(end.error.contains(name) && end.error.contains(says), "{end:?}");
    }
    database.drop_now();
}

//! The real program in a separate process, with its own private database that is durable on disk. It can be
//! killed; nothing of it outlives the test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::Answer;
use crate::support::cluster::{PROGRAM, connect};

/// A running server.
#[derive(Debug)]
pub struct Program {
    child: Child,
    folder: PathBuf,
    pub url: String,
    /// The generated password of the administrator `admin`, after the first start.
    pub admin_password: Option<String>,
    /// The standard output once the server listens.
    pub announcement: String,
    pub http: reqwest::Client,
}

/// The command that serves from a folder.
pub fn command(folder: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(PROGRAM);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ROLLCALL_")) {
        command.env_remove(name);
    }
    command
        .args(["--address", "127.0.0.1:0", "--data-dir"])
        .arg(folder.join("data"))
        .current_dir(folder)
        .env("ROLLCALL_HTTP__DRAIN_SECONDS", "0")
        .env("ROLLCALL_PASSWORD__MEMORY_KIB", "64")
        .env("ROLLCALL_PASSWORD__ITERATIONS", "1")
        .envs(settings.iter().copied())
        .stdin(Stdio::null());
    command
}

impl Program {
    /// Starts the server on the data of a folder; returns once it listens.
    pub fn start(folder: &Path, settings: &[(&str, &str)]) -> Self {
        Self::spawn(folder, &mut command(folder, settings))
    }

    /// Starts a server from the given command.
    pub fn spawn(folder: &Path, command: &mut Command) -> Self {
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(folder.join("server.log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let after =
            |line: &str, word: &str| line.trim().strip_prefix(word).map(|rest| rest.trim().to_owned());
        let (mut url, mut admin_password, mut announcement) = (None, None, String::new());
        for line in lines.by_ref() {
            url = url.or(after(&line, "Rollcall listens on"));
            admin_password = admin_password.or(after(&line, "password"));
            announcement.push_str(&line);
            announcement.push('\n');
            if line.contains("/v1/users/me") || line.contains("sign_in_and_list") {
                break;
            }
        }
        let Some(url) = url else {
            let ended = child.wait();
            let log = std::fs::read_to_string(folder.join("server.log")).unwrap_or_default();
            panic!("the server does not start: {ended:?}\n{log}");
        };
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        Self { child, folder: folder.to_owned(), url, admin_password, announcement, http }
    }

    /// Logs the administrator in and returns the token.
    pub async fn sign_in(&self, password: &str) -> String {
        let request = self.http.post(format!("{}/v1/login", self.url));
        let response =
            Answer::of(request.json(&json!({ "identifier": "admin", "password": password }))).await;
        assert_eq!(response.code(), 200, "{}", response.message());
        response.json()["token"].as_str().unwrap().to_owned()
    }

    /// Ends the process as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// True if the process is running.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the process to end by itself.
    pub fn wait(&mut self, patience: Duration) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < patience, "the server does not end within {patience:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The lines of Postgres' `postmaster.pid`, while it runs.
    fn pid_file(&self) -> Option<Vec<String>> {
        let versions = self.folder.join("data").read_dir().ok()?.flatten();
        let mut files = versions.map(|entry| entry.path().join("cluster/postmaster.pid"));
        let text = files.find_map(|file| std::fs::read_to_string(file).ok())?;
        Some(text.lines().map(str::to_owned).collect())
    }

    /// The process id of this server's private Postgres, identified by its command line.
    pub fn postgres(&self) -> Option<Pid> {
        let pid: i32 = self.pid_file()?.first()?.trim().parse().ok()?;
        let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        command.contains(self.folder.to_str()?).then(|| Pid::from_raw(pid))?
    }

    /// Kills the private Postgres.
    pub fn kill_postgres(&self) {
        kill_process(self.postgres().expect("the private Postgres runs"), Signal::KILL).unwrap();
    }

    /// A connection to the private database.
    pub async fn db(&self) -> tokio_postgres::Client {
        let socket = self.pid_file().expect("the private Postgres runs")[4].trim().to_owned();
        connect(&format!("host='{socket}' user=rollcall dbname=rollcall")).await.unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _told = kill_process(Pid::from_child(&self.child), Signal::TERM);
            let begun = Instant::now();
            while let Ok(None) = self.child.try_wait() {
                if begun.elapsed() > Duration::from_secs(15) {
                    let _killed = self.child.kill();
                    let _reaped = self.child.wait();
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        if let Some(pid) = self.postgres() {
            // An immediate shutdown: the data is no longer needed.
            let _told = kill_process(pid, Signal::QUIT);
            let begun = Instant::now();
            while self.postgres().is_some() && begun.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

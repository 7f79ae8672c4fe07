//! One cluster: created by `initdb`, run by `postgres`, stopped by `pg_ctl`. Callers hold the data folder's lock.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use slog::{Logger, info, warn};

use super::EmbeddedError;
use super::find::Programs;
use super::home::Home;
use super::pid_file::{self, PidFile};
use super::probe::{self, Status};

/// Timeout of a start, recovery after a crash included.
const START_LIMIT: Duration = Duration::from_secs(300);
/// Timeout for leftovers of a killed database: its dying processes, its zombie.
const LEFTOVERS_LIMIT: Duration = Duration::from_secs(20);
/// Time after which lock files of a dead database are removed.
const LEFTOVERS_PATIENCE: Duration = Duration::from_secs(3);
/// Timeout for a process that a lock file names and that accepts no connection.
const SILENCE_LIMIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(40);
/// Size in bytes above which the log is renamed at a start.
const LOG_LIMIT: u64 = 16 << 20;
const NOFOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
/// Character types for the text search, the best first: `C` knows no letters beyond ASCII.
const CHARACTER_TYPES: [&str; 4] = ["C.UTF-8", "UTF-8", "en_US.UTF-8", "C"];

/// The folders, programs and settings of one cluster.
#[derive(Debug)]
pub(super) struct Cluster {
    pub home: Home,
    pub programs: Programs,
    pub socket_dir: PathBuf,
    pub fsync: bool,
}

/// A running database.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: i32,
    /// The child to reap; `None` when an earlier server started the process.
    child: Option<Child>,
}

/// A failed attempt to start.
enum StartError {
    /// Leftovers of an earlier database prevent the start, perhaps only for now.
    Leftovers(EmbeddedError),
    Final(EmbeddedError),
}

impl Postmaster {
    pub fn is_alive(&mut self) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(None)),
            None => pid_file::is_alive(self.pid),
        }
    }
}

impl Cluster {
    /// Creates the folders for one major version where they are missing.
    pub fn open(home: Home, programs: Programs, fsync: bool) -> Result<Self, EmbeddedError> {
        let folder = home.folder(programs.major);
        home.make_private(&folder)?;
        let socket_dir = home.socket_dir(programs.major)?;
        Ok(Self { home, programs, socket_dir, fsync })
    }

    fn folder(&self) -> PathBuf {
        self.home.folder(self.programs.major)
    }

    /// Folder of the data, `PGDATA`.
    pub fn data(&self) -> PathBuf {
        self.folder().join("cluster")
    }

    fn log_file(&self) -> PathBuf {
        self.folder().join("postgres.log")
    }

    fn command(&self, program: &str) -> Command {
        self.home.account.command(&self.programs.path(program))
    }

    /// Creates the cluster unless it exists. `initdb` works in a temporary folder that is renamed at the end, so that an
    /// interrupted one is created again.
    pub fn initialize(&self, log: &Logger) -> Result<(), EmbeddedError> {
        let (folder, data) = (self.folder(), self.data());
        for entry in folder.read_dir().map_err(EmbeddedError::file("reading", &folder))?.flatten() {
            if entry.file_name().as_encoded_bytes().starts_with(b"cluster.new-") {
                warn!(log, "removing an incomplete database"; "folder" => %entry.path().display());
                // Where this fails, because an `initdb` outlived a killed server, the next start removes it.
                drop(std::fs::remove_dir_all(entry.path()));
            }
        }
        if data.join("PG_VERSION").is_file() {
            if self.home.account.other && super::account::Account::owner_of(&data).is_none() {
                self.home.account.give_all(&data)?;
            }
            return Ok(());
        }
        info!(log, "creating the private database";
            "postgres" => &self.programs.version, "folder" => %data.display());
        let beside = folder.join(format!("cluster.new-{}", std::process::id()));
        self.initdb(&beside)?;
        std::fs::rename(&beside, &data).map_err(EmbeddedError::file("moving into place", &data))?;
        File::open(&folder)
            .and_then(|folder| folder.sync_all())
            .map_err(EmbeddedError::file("syncing", &folder))
    }

    fn initdb(&self, place: &Path) -> Result<(), EmbeddedError> {
        let mut complaint = String::new();
        for character_type in CHARACTER_TYPES {
            let mut command = self.command("initdb");
            command
                .arg("--pgdata")
                .arg(place)
                .args([
                    "--username",
                    probe::NAME,
                    "--auth-local=trust",
                    "--auth-host=reject",
                    "--encoding=UTF8",
                ])
                .args(["--locale=C", &format!("--lc-ctype={character_type}"), "--no-instructions"]);
            if !self.fsync {
                command.arg("--no-sync");
            }
            let output =
                command.output().map_err(EmbeddedError::file("starting", &self.programs.path("initdb")))?;
            if output.status.success() {
                return Ok(());
            }
            drop(std::fs::remove_dir_all(place));
            complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            if !complaint.contains("locale") {
                break;
            }
        }
        Err(EmbeddedError::failed(format!("creating the private database failed; initdb said:\n{complaint}")))
    }

    /// Takes over a database that an earlier server left running, or starts it.
    pub fn bring_up(&mut self, log: &Logger) -> Result<Postmaster, EmbeddedError> {
        if let Some(postmaster) = self.adopt(log)? {
            return Ok(postmaster);
        }
        let started_at = Instant::now();
        let mut cleared = false;
        loop {
            match self.start_once(log) {
                Ok(postmaster) => return Ok(postmaster),
                Err(StartError::Final(error)) => return Err(error),
                Err(StartError::Leftovers(error)) if started_at.elapsed() > LEFTOVERS_LIMIT => {
                    return Err(error);
                }
                Err(StartError::Leftovers(_)) => {}
            }
            if !cleared && started_at.elapsed() > LEFTOVERS_PATIENCE {
                pid_file::remove_if_deserted(&self.data(), &self.socket_dir, &self.home.account, log);
                cleared = true;
            }
            sleep(PAUSE * 8);
        }
    }

    /// Takes over a database that outlived its server.
    fn adopt(&mut self, log: &Logger) -> Result<Option<Postmaster>, EmbeddedError> {
        let started_at = Instant::now();
        let mut last_response = started_at;
        while let Some(file) = PidFile::read(&self.data()).filter(|file| pid_file::is_alive(file.pid)) {
            match probe::ask(&file.socket_dir, &self.data()) {
                Status::Ready => {
                    info!(log, "taking over the private database that an earlier server left running";
                        "postgres_pid" => file.pid);
                    self.socket_dir = file.socket_dir;
                    return Ok(Some(Postmaster { pid: file.pid, child: None }));
                }
                Status::Busy => last_response = Instant::now(),
                // The process id belongs to another process by now; `postgres` decides that when it starts.
                Status::Unavailable(_) if last_response.elapsed() > SILENCE_LIMIT => return Ok(None),
                Status::Unavailable(_) => {}
            }
            if started_at.elapsed() > START_LIMIT {
                return Err(self.too_slow());
            }
            sleep(PAUSE);
        }
        Ok(None)
    }

    fn start_once(&self, log: &Logger) -> Result<Postmaster, StartError> {
        let (output, offset) = self.open_log().map_err(StartError::Final)?;
        let errors = output
            .try_clone()
            .map_err(|error| StartError::Final(EmbeddedError::file("opening", &self.log_file())(error)))?;
        let mut child = self.postgres_command().stdout(output).stderr(errors).spawn().map_err(|error| {
            StartError::Final(EmbeddedError::file("starting", &self.programs.path("postgres"))(error))
        })?;
        let (started_at, mut last_report) = (Instant::now(), Instant::now());
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                let said = self.log_since(offset);
                let error = EmbeddedError::failed(format!(
                    "the private database didn't start ({status}); {} says:\n{}",
                    self.log_file().display(),
                    said.trim()
                ));
                let leftovers = ["already exists", "still in use"];
                let temporary = leftovers.iter().any(|sign| said.contains(sign));
                return Err(if temporary { StartError::Leftovers(error) } else { StartError::Final(error) });
            }
            if probe::ask(&self.socket_dir, &self.data()) == Status::Ready {
                let pid = i32::try_from(child.id()).unwrap_or(-1);
                info!(log, "the private database is running"; "postgres" => &self.programs.version, "postgres_pid" => pid,
                    "milliseconds" => u64::try_from(started_at.elapsed().as_millis()).unwrap_or(u64::MAX));
                return Ok(Postmaster { pid, child: Some(child) });
            }
            if started_at.elapsed() > START_LIMIT {
                // The recovery continues, and the next start takes the database over.
                return Err(StartError::Final(self.too_slow()));
            }
            if last_report.elapsed() > Duration::from_secs(10) {
                last_report = Instant::now();
                info!(log, "waiting for the private database"; "log" => %self.log_file().display());
            }
            sleep(PAUSE);
        }
    }

    fn postgres_command(&self) -> Command {
        let switch = |on: bool| if on { "on" } else { "off" };
        // A list of names, quoted as Postgres requires.
        let sockets = format!("\"{}\"", self.socket_dir.to_string_lossy().replace('"', "\"\""));
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data());
        for setting in [
            "listen_addresses=".to_owned(),
            format!("unix_socket_directories={sockets}"),
            "unix_socket_permissions=0700".to_owned(),
            "port=5432".to_owned(),
            "max_connections=200".to_owned(),
            "logging_collector=off".to_owned(),
            "log_destination=stderr".to_owned(),
            // The details of errors contain column values: names, addresses, digests.
            "log_error_verbosity=terse".to_owned(),
            "log_statement=none".to_owned(),
            format!("fsync={}", switch(self.fsync)),
            format!("full_page_writes={}", switch(self.fsync)),
            // On also without fsync: then only a crash of the machine loses writes, not a crash of Postgres.
            "synchronous_commit=on".to_owned(),
        ] {
            command.arg("-c").arg(setting);
        }
        // In a process group of its own, so that Ctrl-C reaches only the server, which then stops the database.
        command.process_group(0);
        command
    }

    /// Opens Postgres' log for appending; returns it with its size.
    fn open_log(&self) -> Result<(File, u64), EmbeddedError> {
        let path = self.log_file();
        if path.metadata().is_ok_and(|metadata| metadata.len() > LOG_LIMIT) {
            drop(std::fs::rename(&path, path.with_extension("log.1")));
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            // The folder belongs to another user, so root must not follow its links.
            .custom_flags(NOFOLLOW)
            .open(&path)
            .map_err(EmbeddedError::file("opening", &path))?;
        self.home.account.give(&path)?;
        let size = file.metadata().map_or(0, |metadata| metadata.len());
        Ok((file, size))
    }

    fn log_since(&self, offset: u64) -> String {
        let bytes = std::fs::read(self.log_file()).unwrap_or_default();
        let new = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
        let text = String::from_utf8_lossy(new);
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n")
    }

    fn too_slow(&self) -> EmbeddedError {
        EmbeddedError::failed(format!(
            "the private database accepts no connection after {} seconds; {} says:\n{}",
            START_LIMIT.as_secs(),
            self.log_file().display(),
            self.log_since(0)
        ))
    }

    /// Stops the database: rolls transactions back, closes connections, writes a checkpoint.
    pub fn shut_down(&self, mut postmaster: Postmaster, log: &Logger) -> Result<(), EmbeddedError> {
        let mut complaint = String::new();
        for (mode, seconds) in [("fast", "60"), ("immediate", "10")] {
            if !postmaster.is_alive() {
                return Ok(());
            }
            let mut command = self.command("pg_ctl");
            command.args(["stop", "--wait", "--silent", "--mode", mode, "--timeout", seconds, "--pgdata"]);
            let output = command.arg(self.data()).stdout(Stdio::null()).output();
            if let Ok(output) = output {
                complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            }
            // pg_ctl ends when the lock file is removed; the process ends right after.
            let waiting_since = Instant::now();
            while postmaster.is_alive() && waiting_since.elapsed() < Duration::from_secs(5) {
                sleep(PAUSE / 4);
            }
            if !postmaster.is_alive() {
                info!(log, "the private database is stopped"; "mode" => mode);
                return Ok(());
            }
        }
        Err(EmbeddedError::failed(format!(
            "the private database (process {}) does not stop; pg_ctl said: {complaint}",
            postmaster.pid
        )))
    }
}

//! The server under test: the release binary on a data folder of its own, with its private Postgres.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::process::{Postgres, postgres_of};
use super::wire::Connection;

/// The server's process; terminated when dropped, its database with it.
#[derive(Debug)]
struct Process(Child);

/// A running server.
#[derive(Debug)]
pub struct Server {
    process: Process,
    /// Address that it listens on.
    pub address: SocketAddr,
    /// Its database.
    pub postgres: Postgres,
    /// The first administrator's password, where this start created the account.
    pub password: Option<String>,
    /// Time from the start to the first 200.
    pub started_in: Duration,
}

impl Server {
    /// Starts the server and waits for its first response.
    pub fn start(binary: &Path, data: &Path, log: &Path) -> anyhow::Result<Self> {
        let errors = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = Command::new(binary);
        // Settings in the caller's environment must not influence the benchmark.
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ROLLCALL_"))
        {
            if name != "ROLLCALL_RUNTIME__WORKER_THREADS" && name != "ROLLCALL_DATABASE__SHARED_CONNECTIONS" {
                command.env_remove(name);
            }
        }
        command
            .current_dir(data.parent().context("the data folder has no parent")?)
            .args(["--address", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .env("ROLLCALL_LOG__LEVEL", "warn")
            .env("ROLLCALL_HTTP__DRAIN_SECONDS", "0")
            // One administrator sends all requests here, so the limits per caller would limit the whole load.
            .env("ROLLCALL_DATABASE__CHANGES_PER_CALLER", "200")
            .env("ROLLCALL_DATABASE__SEARCHES_PER_CALLER", "32")
            .env("ROLLCALL_THROTTLE__ACCOUNT_ATTEMPTS", "1000000")
            .env("ROLLCALL_THROTTLE__SOURCE_ATTEMPTS", "1000000");
        let begun = Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
        let child = command.spawn().with_context(|| format!("{} does not start", binary.display()))?;
        let mut process = Process(child);
        let (address, password) = match announcement(&mut process.0) {
            Ok(found) => found,
            Err(error) => {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let end: Vec<&str> = said.lines().rev().take(5).collect();
                bail!(
                    "the server did not start ({error:#}); {} ends with (newest first):\n{}",
                    log.display(),
                    end.join("\n")
                );
            }
        };
        await_ready(address)?;
        let started_in = begun.elapsed();
        let postgres = postgres_of(process.0.id())?;
        Ok(Self { process, address, postgres, password, started_in })
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Terminates the server and waits for its end.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.process.terminate()
    }
}

impl Process {
    fn terminate(&mut self) -> anyhow::Result<()> {
        if self.0.try_wait()?.is_some() {
            return Ok(());
        }
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = self.0.wait()?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Does nothing where the server is stopped. A destructor can't report a failure.
        let _stopped = self.terminate();
    }
}

/// Reads the address and the first administrator's password from the server's output.
fn announcement(child: &mut Child) -> anyhow::Result<(SocketAddr, Option<String>)> {
    let output = child.stdout.take().context("no standard output")?;
    let (mut address, mut password) = (None, None);
    for line in BufReader::new(output).lines() {
        let line = line?;
        if let Some(url) = line.strip_prefix("Rollcall listens on http://") {
            address = Some(url.parse().with_context(|| format!("not an address: {url}"))?);
        }
        if let Some(word) = line.trim().strip_prefix("password ") {
            password = Some(word.trim().to_owned());
        }
        // The last line.
        if line.contains("/v1/users/me") || line.contains("sign_in_and_list") {
            break;
        }
    }
    Ok((address.context("it did not print its address")?, password))
}

fn await_ready(address: SocketAddr) -> anyhow::Result<()> {
    let mut last = None;
    for _ in 0..500 {
        match Connection::open(address).and_then(|mut connection| connection.call("GET", "/readyz", None, ""))
        {
            Ok(_) => return Ok(()),
            Err(error) => last = Some(error),
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Err(last.unwrap_or_else(|| anyhow::anyhow!("no response from /readyz")))
}

/// Removes the data folder of a stopped server, and its database where that is outside of the folder.
pub fn remove_data(data: &Path, cluster: &Path) -> anyhow::Result<()> {
    let version: Option<PathBuf> = cluster.parent().map(Path::to_owned);
    if let Some(folder) = version.filter(|folder| !folder.starts_with(data)) {
        std::fs::remove_dir_all(&folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    std::fs::remove_dir_all(data).with_context(|| format!("removing {}", data.display()))
}

//! A Rollcall server and its supervisor, which restarts it when it ends by itself.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio::task::JoinHandle;

use super::cluster::Choices;
use super::database::Database;
use super::files;
use super::http::{Call, Client};
use super::process::{Process, command};

/// Interval of the supervisor's checks.
const WATCH_EVERY: Duration = Duration::from_millis(250);
/// Timeout for a server to stop or to become ready.
const TIMEOUT: Duration = Duration::from_secs(90);

/// Program, environment and log of a server.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The server's program.
    pub program: PathBuf,
    /// The whole environment.
    pub environment: Vec<(String, String)>,
    /// File of the log.
    pub log: PathBuf,
}

#[derive(Debug)]
struct State {
    recipe: Recipe,
    process: Option<Process>,
    /// Number of times that the server ended by itself.
    ended: u32,
}

/// A server, killed when dropped.
#[derive(Debug)]
pub struct Server {
    /// Name for messages.
    pub name: String,
    /// Loopback port.
    pub port: u16,
    state: Arc<Mutex<State>>,
    supervisor: JoinHandle<()>,
}

impl Server {
    /// Starts a server and its supervisor.
    pub fn start(name: &str, port: u16, recipe: Recipe) -> anyhow::Result<Self> {
        let process = recipe.start(name)?;
        let state = Arc::new(Mutex::new(State { recipe, process: Some(process), ended: 0 }));
        let supervisor = tokio::spawn(supervise(name.to_owned(), Arc::clone(&state)));
        Ok(Self { name: name.to_owned(), port, state, supervisor })
    }

    /// Number of times that the server ended by itself.
    pub fn ended(&self) -> u32 {
        lock(&self.state).ended
    }

    /// Waits until `/readyz` returns 200.
    pub async fn ready(&self) -> anyhow::Result<()> {
        let (started_at, mut client) = (Instant::now(), Client::of(self.port));
        while !client
            .send(&Call::get("/readyz"), Duration::from_secs(2))
            .await
            .is_ok_and(|reply| reply.status == 200)
        {
            if started_at.elapsed() > TIMEOUT {
                bail!("{} is not ready after {} s", self.name, TIMEOUT.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// Sends SIGTERM, waits for the end, and starts the server again. Returns the time that it took to end.
    pub async fn restart(&self) -> anyhow::Result<Duration> {
        let started_at = Instant::now();
        // Without a process, the supervisor restarts nothing.
        let taken = lock(&self.state).process.take();
        if let Some(mut process) = taken {
            process.terminate();
            while process.check().is_ok() {
                if started_at.elapsed() > TIMEOUT {
                    bail!("{} has not ended {} s after SIGTERM", self.name, TIMEOUT.as_secs());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let took = started_at.elapsed();
        let mut state = lock(&self.state);
        state.process = Some(state.recipe.start(&self.name)?);
        Ok(took)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.supervisor.abort();
        lock(&self.state).process = None;
    }
}

impl Recipe {
    fn start(&self, name: &str) -> anyhow::Result<Process> {
        let mut command = command(&self.program, None);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = self.log.parent() {
            command.current_dir(folder);
        }
        Process::start(name, &mut command, &self.log)
    }

    /// Creates a command of the server's program with the same environment.
    fn command(&self) -> std::process::Command {
        let mut command = command(&self.program, None);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Ports and recipes of the two servers.
pub fn recipes(
    choices: &Choices,
    folder: &Path,
    database: &Database,
    ports: [u16; 2],
) -> anyhow::Result<[(u16, Recipe); 2]> {
    let recipe = |index: usize| {
        let port = ports[index];
        let own = folder.join(format!("app{}", index + 1));
        std::fs::create_dir_all(&own)?;
        let mut environment = files::rollcall(&choices.root, port, database)?;
        // The load's users have many sessions, none of which may be ended to make room for another.
        environment.push(("ROLLCALL_SESSION__MAX_PER_USER".to_owned(), "10000".to_owned()));
        Ok::<_, anyhow::Error>((
            port,
            Recipe { program: choices.server.clone(), environment, log: own.join("server.log") },
        ))
    };
    Ok([recipe(0)?, recipe(1)?])
}

/// Creates the first administrator, which also migrates the database.
pub fn create_admin(recipe: &Recipe, password: &str) -> anyhow::Result<()> {
    let mut command = recipe.command();
    command.args(["create-admin", "--password-stdin"]).stdin(Stdio::piped());
    let log = std::fs::OpenOptions::new().create(true).append(true).open(&recipe.log)?;
    let mut child =
        command.stdout(log.try_clone()?).stderr(log).spawn().context("the server does not start")?;
    child.stdin.take().context("no standard input")?.write_all(format!("{password}\n").as_bytes())?;
    let status = child.wait()?;
    if !status.success() {
        bail!("creating the administrator failed ({status}): see {}", recipe.log.display());
    }
    Ok(())
}

async fn supervise(name: String, state: Arc<Mutex<State>>) {
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        let mut state = lock(&state);
        if state.process.as_mut().is_some_and(|process| process.check().is_err()) {
            state.ended += 1;
            // Where the start fails, the next check tries again.
            state.process = state.recipe.start(&name).ok().or(state.process.take());
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Address of a loopback port.
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

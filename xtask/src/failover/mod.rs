//! `cargo xtask failover`: the deployment of `server/HIGH-AVAILABILITY.md` on one machine, under load, while machines fail.
//! No acknowledged change may be lost, and every request must get a response within two seconds. Not a part of the test
//! run: it takes minutes and needs Patroni, etcd and HAProxy.

mod cluster;
mod database;
mod etcd;
mod events;
mod files;
mod http;
mod load;
mod node;
mod patroni;
mod ports;
mod process;
mod relay;
mod report;
mod rolling;
mod server;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use cluster::{Choices, Cluster};
use events::Event;
use load::Load;

/// Options of `cargo xtask failover`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    /// Events to run, in this order
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "kill,cut,switchover,freeze,kill,cut,switchover,kill"
    )]
    events: Vec<Event>,
    /// Run this server instead of the one built from this checkout
    #[arg(long, global = true, value_name = "FILE")]
    server: Option<PathBuf>,
    /// Run this Patroni instead of the installed one
    #[arg(long, global = true, value_name = "FILE")]
    patroni: Option<PathBuf>,
    /// Let Patroni use etcd's third API; needs a newer one than 3.0.2
    #[arg(long, global = true)]
    etcd3: bool,
    /// Turn synchronous_mode off, to see which changes are lost
    #[arg(long, global = true)]
    asynchronous: bool,
    /// Keep the folder with all logs also after success
    #[arg(long, global = true)]
    keep: bool,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Start the deployment and run it until Ctrl-C
    SetUp,
    /// Restart the two servers in turn, under load, and count failed requests
    Rolling {
        /// Number of restarts of both servers
        #[arg(long, default_value_t = 20)]
        rounds: u32,
    },
}

/// Runs `cargo xtask failover`.
pub fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let patroni = match &options.patroni {
        Some(patroni) => patroni.canonicalize().with_context(|| format!("{}", patroni.display()))?,
        None => process::find("patroni")?,
    };
    let choices = Choices {
        root: root.to_owned(),
        server: server_program(root, options)?,
        patroni,
        etcd3: options.etcd3,
        synchronous: !options.asynchronous,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // Processes are killed when the losing future is dropped, before the runtime with its relays ends.
    runtime.block_on(async {
        tokio::select! {
            // In this order, so that signals are handled before anything is started.
            biased;
            signal = shutdown_signal() => {
                signal?;
                if let Some(Part::SetUp) = options.part {
                    return Ok(());
                }
                bail!("interrupted; all processes are stopped")
            }
            outcome = run_part(options, choices) => outcome,
        }
    })
}

fn server_program(root: &Path, options: &Options) -> anyhow::Result<PathBuf> {
    if let Some(program) = &options.server {
        return program.canonicalize().with_context(|| format!("{}", program.display()));
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status =
        Command::new(cargo).args(["build", "--package", "rollcall-server"]).current_dir(root).status()?;
    if !status.success() {
        bail!("building the server failed");
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    Ok(target.join("debug/rollcall-server"))
}

async fn shutdown_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

async fn run_part(options: &Options, choices: Choices) -> anyhow::Result<()> {
    let root = choices.root.clone();
    let conditions = conditions(&choices);
    let mut cluster = Cluster::start(choices).await?;
    if let Some(Part::SetUp) = options.part {
        cluster.folder.disable_cleanup(options.keep);
        return stay(&cluster).await;
    }
    let load = Load::start(cluster.port, &cluster.admin_password).await?;
    let journal = std::sync::Arc::clone(&load.journal);
    let mut happened = Vec::new();
    let mut outcome = match options.part {
        Some(Part::Rolling { rounds }) => rolling::restart(rounds, &cluster, &load, &mut happened).await,
        _ => events::happen_all(&options.events, &mut cluster, &load, &mut happened).await,
    };
    println!("{:>6.1} s  reading all acknowledged changes", journal.now().as_secs_f64());
    // The table is printed also after a failure.
    let verified = match finish(&cluster, load).await {
        Ok(read) => format!("{read} were read at the end; both servers work"),
        Err(error) => {
            let text = format!("the acknowledged changes could not be read: {error:#}");
            outcome = outcome.and(Err(error));
            text
        }
    };
    let text = format!(
        "{conditions}\n\n{}\n{verified}; servers that ended by themselves and were restarted: {}\n{}",
        report::table(&happened, &journal),
        cluster.servers_ended(),
        report::faults(&journal),
    );
    println!("\n{text}");
    write(&root, &text)?;
    outcome?;
    report::check(&journal)?;
    if let Some(Part::Rolling { .. }) = options.part {
        rolling::check(&journal)?;
    }
    cluster.folder.disable_cleanup(options.keep);
    Ok(())
}

/// Reads all acknowledged changes, and checks that each server works by itself.
async fn finish(cluster: &Cluster, load: Load) -> anyhow::Result<String> {
    let read = load.finish().await?;
    for server in &cluster.servers {
        load::works(server::loopback(server.port), &cluster.admin_password).await?;
    }
    Ok(read)
}

/// Conditions of the run: versions, settings, machine.
fn conditions(choices: &Choices) -> String {
    let version = |program: &Path, flag: &str| {
        let output = Command::new(program).arg(flag).output().ok();
        let text = output.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
        text.lines().next().unwrap_or_default().to_owned()
    };
    let now = chrono::DateTime::<chrono::Utc>::from(SystemTime::now());
    let found = |name: &str| process::find(name).unwrap_or_default();
    format!(
        "{}; {}; {}; {}; etcd API {}; synchronous_mode {}; {} cores, load {:.1} at the start",
        now.format("%Y-%m-%d %H:%M UTC"),
        version(&choices.patroni, "--version"),
        version(&found("etcd"), "--version"),
        version(&found("haproxy"), "-v"),
        if choices.etcd3 { 3 } else { 2 },
        choices.synchronous,
        std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        process::load_average(),
    )
}

async fn stay(cluster: &Cluster) -> anyhow::Result<()> {
    println!("\nRollcall, replicated, at http://127.0.0.1:{}", cluster.port);
    println!("  username   admin\n  password   {}", cluster.admin_password);
    for server in &cluster.servers {
        println!("  {}       http://127.0.0.1:{}", server.name, server.port);
    }
    println!("  Patroni    patronictl -c {} list", cluster.nodes[0].config.display());
    println!("Ctrl-C stops and removes everything.");
    std::future::pending().await
}

fn write(root: &Path, text: &str) -> anyhow::Result<()> {
    let folder = root.join("target/failover");
    std::fs::create_dir_all(&folder)?;
    let now = chrono::DateTime::<chrono::Utc>::from(SystemTime::now());
    let file = folder.join(format!("{}.md", now.format("%Y-%m-%dT%H-%M-%SZ")));
    std::fs::write(&file, text)?;
    println!("written    {}", file.display());
    Ok(())
}

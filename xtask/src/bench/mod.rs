//! `cargo xtask bench`: a release server on a fresh database, driven over the loopback, beside what the machine could
//! do at best, measured in the same run. Figures are for reading; nothing fails because it is slow. What fails is an
//! answer that is no 2xx: that scenario ends, and the run fails when the others are done.
//!
//! The load generator must be fast too: an `xtask` without optimizations builds both in release and hands over.

mod chart;
mod finding;
mod hello;
mod limits;
mod load;
pub mod process;
mod report;
mod scenarios;
mod seed;
mod server;
mod wire;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use hello::Hello;
use limits::Pgbench;
use process::{load_average, memory};
use report::Report;
use scenarios::{Bench, Random, Scenario};
use server::{Server, remove_data};
use wire::Connection;

/// What to measure and how long.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    /// How many users; with several sizes, separated by commas, the chart shows what growth costs
    #[arg(long, value_delimiter = ',', default_value = "100000")]
    users: Vec<u64>,
    /// Only these scenarios; all unless said otherwise
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Scenario>,
    /// How many connections read at once
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// How many rounds; what is compared takes turns in each
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many seconds one measurement takes
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many reads fall due in a second in the open loop; 0.7 of what the closed one reached unless said otherwise
    #[arg(long)]
    rate: Option<f64>,
    /// A smoke test of about 20 seconds: few users, one-second measurements, one round
    #[arg(long)]
    quick: bool,
    /// Measure this server instead of the one built from this checkout
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The bare server, run by the benchmark itself
    #[command(hide = true)]
    HelloServer,
}

/// Runs it.
pub fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    if let Some(Part::HelloServer) = options.part {
        return hello::serve();
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    if cfg!(debug_assertions) {
        return hand_over(root, &target, options);
    }
    let binary = match &options.server {
        Some(binary) => binary.canonicalize().with_context(|| format!("{}", binary.display()))?,
        None => target.join("release/rollcall-server"),
    };
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder)?;
    let settings = Settings::of(options)?;
    let data = folder.join(format!("data-{}", std::process::id()));
    let mut report = Report::default();
    let outcome = measure(&settings, &binary, &folder, &data, &mut report);
    if let Err(error) = &outcome {
        report.notes.push(format!("FAILED: {error:#}"));
    }
    println!("{}", report.text());
    write(&folder, &settings, &report)?;
    outcome
}

/// Builds this program and the server in release, and runs the former with our arguments.
fn hand_over(root: &Path, target: &Path, options: &Options) -> anyhow::Result<()> {
    let packages = ["rollcall-server", "xtask"];
    // One at a time: built together, one's features would become the other's.
    for package in packages.into_iter().filter(|package| *package == "xtask" || options.server.is_none()) {
        let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let status = build.args(["build", "--release", "--package", package]).current_dir(root).status()?;
        if !status.success() {
            bail!("building {package} in release failed");
        }
    }
    let status = Command::new(target.join("release/xtask")).args(std::env::args_os().skip(1)).status()?;
    if !status.success() {
        bail!("the benchmark failed");
    }
    Ok(())
}

/// The options, resolved.
#[derive(Debug)]
struct Settings {
    sizes: Vec<u64>,
    scenarios: Vec<Scenario>,
    connections: usize,
    rounds: usize,
    time: Duration,
    rate: Option<f64>,
}

impl Settings {
    fn of(options: &Options) -> anyhow::Result<Self> {
        let mut sizes = if options.quick { vec![5_000] } else { options.users.clone() };
        sizes.sort_unstable();
        sizes.dedup();
        if sizes.iter().any(|size| !(1_000..=50_000_000).contains(size)) {
            bail!("--users: must be from 1,000 to 50,000,000");
        }
        // An administrator has 50 sessions at the most.
        if !(1..=48).contains(&options.connections) || options.rounds == 0 || options.seconds == 0 {
            bail!("--connections: must be from 1 to 48; --rounds and --seconds: at least 1");
        }
        if options.rate.is_some_and(|rate| rate.is_nan() || rate < 1.0) {
            bail!("--rate: must be at least 1");
        }
        let all = Scenario::value_variants();
        let wanted = |scenario: &&Scenario| options.only.is_empty() || options.only.contains(scenario);
        Ok(Self {
            sizes,
            scenarios: all.iter().filter(wanted).copied().collect(),
            connections: options.connections,
            rounds: if options.quick { 1 } else { options.rounds },
            time: Duration::from_secs(if options.quick { 1 } else { options.seconds }),
            rate: options.rate,
        })
    }
}

fn measure(
    settings: &Settings,
    binary: &Path,
    folder: &Path,
    data: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let busy = load_average();
    if busy > 0.7 {
        report
            .notes
            .push(format!("the machine was busy before we began (load {busy:.2}): trust ratios, not rates"));
    }
    println!("starting {} on {}", binary.display(), data.display());
    let log = folder.join("server.log");
    let server = Server::start(binary, data, &log)?;
    let cluster = server.postgres.data.clone();
    let outcome = measure_sizes(settings, binary, folder, data, server, report);
    // By now it is stopped, however that ended.
    remove_data(data, &cluster)?;
    outcome
}

fn measure_sizes(
    settings: &Settings,
    binary: &Path,
    folder: &Path,
    data: &Path,
    mut server: Server,
    report: &mut Report,
) -> anyhow::Result<()> {
    let password = server.password.clone().context("the server printed no password")?;
    let (mut seeded, mut failures) = (0, Vec::new());
    for size in &settings.sizes {
        println!("seeding {} users", report::thousands(*size as f64));
        seed::seed(&server.postgres.socket, seeded, *size)?;
        seeded = *size;
        report.users = *size;
        server.stop()?;
        // The first start builds the indexes that were left out while the users came.
        server = Server::start(binary, data, &folder.join("server.log"))?;
        report.fact("building the lists' indexes, s", server.started_in.as_secs_f64(), "");
        server.stop()?;
        server = Server::start(binary, data, &folder.join("server.log"))?;
        report.fact("start to first 200, ms", server.started_in.as_secs_f64() * 1e3, "under 1000");
        report.memory("after its start", memory(server.pid())?, "under 64");
        let tokens = sign_in(&server, &password, settings.connections)?;
        let token_hash = seed::token_hash(&server.postgres.socket)?;
        let pgbench = Pgbench::find(&server.postgres, folder, *size, token_hash)?;
        if pgbench.is_none() {
            report.notes.push("there is no pgbench: its limits and ratios are missing".to_owned());
        }
        let mut bench = Bench {
            server,
            password: password.clone(),
            tokens,
            hello: Hello::start()?,
            pgbench,
            users: *size,
            rounds: settings.rounds,
            time: settings.time,
            open_rate: settings.rate,
            random: Random(0x9e37_79b9_7f4a_7c15),
        };
        for scenario in &settings.scenarios {
            println!("measuring {scenario:?}");
            // What the others show is still worth having.
            if let Err(error) = bench.run(*scenario, report) {
                failures.push(format!("{error:#}"));
            }
        }
        server = bench.server;
    }
    server.stop()?;
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    Ok(())
}

/// An administrator's tokens.
fn sign_in(server: &Server, password: &str, count: usize) -> anyhow::Result<Vec<String>> {
    let body = json!({ "identifier": "admin", "password": password }).to_string();
    let mut connection = Connection::open(server.address)?;
    (0..count)
        .map(|_| {
            let answer = connection.call("POST", "/v1/login", None, &body)?;
            Ok(answer["token"].as_str().context("a sign-in without a token")?.to_owned())
        })
        .collect()
}

/// Writes the report for programs, and the chart.
fn write(folder: &Path, settings: &Settings, report: &Report) -> anyhow::Result<()> {
    let now = chrono::DateTime::<chrono::Utc>::from(SystemTime::now());
    let stem = now.format("%Y-%m-%dT%H-%M-%SZ").to_string();
    let mut json = report.json();
    json["at"] = json!(now.to_rfc3339());
    json["settings"] = json!({
        "users": settings.sizes, "connections": settings.connections, "rounds": settings.rounds,
        "seconds": settings.time.as_secs(), "cores": std::thread::available_parallelism()?.get(),
    });
    let title = format!("Rollcall, {} connections, {}", settings.connections, now.format("%Y-%m-%d"));
    for (ending, content) in [("json", format!("{json:#}\n")), ("svg", chart::svg(report, &title))] {
        let file = folder.join(format!("{stem}.{ending}"));
        std::fs::write(&file, content)?;
        println!("written    {}", file.display());
    }
    Ok(())
}

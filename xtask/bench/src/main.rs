//! `cargo xtask bench`: a release server on a new database, under load over the loopback, beside the best that the machine
//! can do, measured in the same run. The figures are for reading: no run fails because it is slow. A response other than a
//! 2xx ends its scenario, and the run fails after the other scenarios.

#![expect(clippy::print_stdout, reason = "prints its results to the terminal")]

mod chart;
mod finding;
mod hello;
mod limits;
mod load;
mod process;
mod report;
mod scenarios;
mod seed;
mod server;
mod wire;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand, ValueEnum};
use serde_json::json;

use hello::Hello;
use limits::Pgbench;
use process::{load_average, memory};
use report::Report;
use scenarios::{Bench, Random, Scenario};
use server::{Server, remove_data};
use wire::Connection;

/// Measures the server beside the best that the machine can do; writes figures, a table and a chart to `target/bench`
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Options {
    #[command(subcommand)]
    part: Option<Part>,
    /// Number of users; with several numbers, separated by commas, the chart shows the cost of growth
    #[arg(long, value_delimiter = ',', default_value = "100000")]
    users: Vec<u64>,
    /// Scenarios to run; all by default
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Scenario>,
    /// Number of connections that read at once
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Number of rounds; measurements that are compared take turns in each
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds that one measurement takes
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Reads per second in the open loop; by default 0.7 of the rate of the closed loop
    #[arg(long)]
    rate: Option<f64>,
    /// A smoke test of about 20 seconds: few users, one-second measurements, one round
    #[arg(long)]
    quick: bool,
    /// Measure this server instead of the one built from this checkout
    #[arg(long, value_name = "FILE")]
    server: Option<PathBuf>,
    /// The checkout to measure; by default the one that this program was built from
    #[arg(long, overrides_with = "root", value_name = "FOLDER")]
    root: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// The bare server, which the benchmark starts itself
    #[command(hide = true)]
    HelloServer,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let result = match options.part {
        Some(Part::HelloServer) => hello::serve(),
        None => run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        bail!("a load generator without optimizations measures itself: run `cargo xtask bench`");
    }
    let settings = Settings::of(options)?;
    let root = options.root.clone().unwrap_or_else(checkout);
    let root = root.canonicalize().with_context(|| format!("--root {}", root.display()))?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder));
    let binary = match &options.server {
        Some(binary) => binary.canonicalize().with_context(|| format!("{}", binary.display()))?,
        None => build_server(&root, &target)?,
    };
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder)?;
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

/// The checkout that this program was built from.
fn checkout() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Builds the server in release and returns its path. It is built alone: together with this package it would get the
/// features that this package asks of their common dependencies.
fn build_server(root: &Path, target: &Path) -> anyhow::Result<PathBuf> {
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--package", "rollcall-server"])
        .current_dir(root)
        .status()?;
    if !status.success() {
        bail!("building rollcall-server in release failed");
    }
    Ok(target.join("release/rollcall-server"))
}

/// The options after validation.
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
            .push(format!("the machine was busy before the run (load {busy:.2}): trust ratios, not rates"));
    }
    println!("starting {} on {}", binary.display(), data.display());
    let log = folder.join("server.log");
    let server = Server::start(binary, data, &log)?;
    let cluster = server.postgres.data.clone();
    let outcome = measure_sizes(settings, binary, folder, data, server, report);
    // The server is stopped by now, in success and in failure.
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
        // The first start builds the indexes that were dropped before seeding.
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
            report.notes.push("pgbench is not installed: its limits and ratios are missing".to_owned());
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
            // The other scenarios run all the same.
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

/// Signs the administrator in; returns the tokens.
fn sign_in(server: &Server, password: &str, count: usize) -> anyhow::Result<Vec<String>> {
    let body = json!({ "identifier": "admin", "password": password }).to_string();
    let mut connection = Connection::open(server.address)?;
    (0..count)
        .map(|_| {
            let response = connection.call("POST", "/v1/login", None, &body)?;
            Ok(response["token"].as_str().context("a sign-in without a token")?.to_owned())
        })
        .collect()
}

/// Writes the report as JSON, and the chart.
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
    for (ending, content) in [("json", format!("{json:#}\n")), ("svg", chart::svg(report, &title)?)] {
        let file = folder.join(format!("{stem}.{ending}"));
        std::fs::write(&file, content)?;
        println!("written    {}", file.display());
    }
    Ok(())
}

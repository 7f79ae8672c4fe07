//! Rollcall's development tasks, as `cargo xtask <task>`: generation of files, checks of a change, measurements.

#![expect(clippy::print_stdout, reason = "prints its results to the terminal")]

mod client;
mod failover;
mod generate;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};

/// Rollcall's development tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
    /// The checkout to work on; by default the one that this program was built from.
    #[arg(long, global = true)]
    root: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Generate files from the contract: the published document and its pages, and the client.
    Generate {
        /// Change nothing; fail where a generated file is out of date.
        #[arg(long)]
        check: bool,
    },
    /// Run every check of a change, as `.ci/run` does.
    Ci,
    /// Measure the server beside the best that the machine can do; see `cargo xtask bench --help`.
    #[command(disable_help_flag = true)]
    Bench {
        /// Options of the package `rollcall-bench`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
        options: Vec<OsString>,
    },
    /// Run a replicated deployment on this machine, under load, while machines fail; see server/HIGH-AVAILABILITY.md.
    Failover(failover::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let root = arguments.root.unwrap_or_else(checkout);
    let result = match arguments.task {
        Task::Generate { check: false } => generate::write(&root),
        Task::Generate { check: true } => generate::check(&root),
        Task::Ci => ci(&root),
        Task::Bench { options } => bench(&root, &options),
        Task::Failover(options) => failover::run(&root, &options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The checkout that this program was built from.
fn checkout() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

fn ci(root: &Path) -> anyhow::Result<()> {
    let status =
        Command::new(root.join(".ci/run")).current_dir(root).status().context(".ci/run does not start")?;
    if !status.success() {
        bail!(".ci/run: {status}");
    }
    Ok(())
}

/// Runs the load generator, a package of its own, built in release. The working directory is kept, for relative paths in
/// the options.
fn bench(root: &Path, options: &[OsString]) -> anyhow::Result<()> {
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--release", "--package", "rollcall-bench", "--manifest-path"])
        .arg(root.join("Cargo.toml"))
        .args(["--", "--root"])
        .arg(root)
        .args(options)
        .status()?;
    if !status.success() {
        bail!("the benchmark failed");
    }
    Ok(())
}

//! Rollcall's chores, as `cargo xtask <chore>`: making the generated files, and the checks of a change.

#![expect(clippy::print_stdout, reason = "a chore speaks to the person who runs it")]

mod client;
mod failover;
mod generate;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};

/// Rollcall's chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
    /// The checkout to work on; the one that this was built from unless said otherwise.
    #[arg(long, global = true)]
    root: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Make the generated files: the published document, its two tables, and the client.
    Generate {
        /// Change nothing; fail where a generated file is not what would be made.
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
    /// Run it replicated on this machine, under load, while machines fail; see server/HIGH-AVAILABILITY.md.
    Failover(failover::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let root = arguments.root.unwrap_or_else(checkout);
    let result = match arguments.chore {
        Chore::Generate { check: false } => generate::write(&root),
        Chore::Generate { check: true } => generate::check(&root),
        Chore::Ci => ci(&root),
        Chore::Bench { options } => bench(&root, &options),
        Chore::Failover(options) => failover::run(&root, &options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The checkout that this was built from.
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

/// Runs the load generator, which is a package of its own and built in release.
fn bench(root: &Path, options: &[OsString]) -> anyhow::Result<()> {
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--release", "--package", "rollcall-bench", "--", "--root"])
        .arg(root)
        .args(options)
        .current_dir(root)
        .status()?;
    if !status.success() {
        bail!("the benchmark failed");
    }
    Ok(())
}

//! The command line: parses arguments, loads the configuration, sets up logging, opens a database and runs one
//! command.
//!
//! The only module that prints. Exit codes: 0 success, 1 failure, 2 wrong usage or configuration.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use slog::{Drain, Logger, error, o, warn};
use tokio::runtime::Runtime;

use crate::commands::{self, DatabaseSource, Ready, ServeOptions};
use crate::config::{Config, DatabaseUrl, Flags, Loaded, LogFormat, LogLevel};
use rollcall_embedded_postgres::{EmbeddedPostgres, Options};

/// Time that background tasks have to end before the database is stopped.
const RUNTIME_GRACE: Duration = Duration::from_secs(2);

/// Rollcall: a directory of people behind an API.
///
/// Without a command it serves. Without a database of yours it runs a private Postgres in its data folder.
///
/// Settings come from a TOML file, then ROLLCALL_* environment variables, then these flags; `rollcall-server
/// config` shows the result.
#[derive(Debug, Parser)]
#[command(name = "rollcall-server", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    global: GlobalFlags,
    #[command(flatten)]
    serve: ServeFlags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API until SIGTERM or Ctrl-C (the default)
    Serve(ServeFlags),
    /// Bring the database's schema up to date, then exit
    Migrate,
    /// Create an administrator and print the password, once
    ///
    /// Works while the server runs and while it doesn't. The generated password is the only thing on standard
    /// output.
    CreateAdmin {
        /// The administrator's username
        #[arg(long, value_name = "NAME", default_value = "admin")]
        username: String,
        /// Read the password from the first line of standard input instead of generating one
        #[arg(long)]
        password_stdin: bool,
    },
    /// Print the configuration in force, secrets hidden
    Config,
}

#[derive(Debug, Args)]
struct GlobalFlags {
    /// Read this configuration file [env: ROLLCALL_CONFIG] [default: rollcall.toml, if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep the server's own files here [env: ROLLCALL_DATA_DIR] [default: rollcall-data]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Use this Postgres instead of the private one [env: ROLLCALL_DATABASE_URL]
    ///
    /// Like postgres://user:password@host/database. Other users of this machine can see flags: pass a password by
    /// the environment variable, or by ROLLCALL_DATABASE_URL_FILE.
    #[arg(long, global = true, value_name = "URL", value_parser = unchecked_url)]
    database_url: Option<DatabaseUrl>,
    /// Migrate as this role, the owner of the tables [env: ROLLCALL_DATABASE_MIGRATION_URL]
    ///
    /// The same database as --database-url, whose role is then granted what the server needs and no more.
    #[arg(long, global = true, value_name = "URL", value_parser = unchecked_url)]
    database_migration_url: Option<DatabaseUrl>,
    /// If PostgreSQL isn't installed, fetch it with npm into the data folder (about 60 MB)
    #[arg(long, global = true)]
    fetch_postgres: bool,
}

#[derive(Debug, Default, Args)]
struct ServeFlags {
    /// Listen on this address and port [env: ROLLCALL_HTTP__ADDRESS] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    address: Option<String>,
}

/// The failure of a command, with its exit code.
struct Failure {
    code: u8,
    message: String,
    /// True if the log has the message already; printing it again would put a plain line into a stream of JSON.
    logged: bool,
}

impl Failure {
    fn usage(message: impl ToString) -> Self {
        Self { code: 2, message: message.to_string(), logged: false }
    }

    fn failed(message: impl ToString) -> Self {
        Self { code: 1, message: message.to_string(), logged: false }
    }
}

/// Runs the program and returns its exit code.
pub fn main() -> ExitCode {
    // Prints help, version and wrong usage by itself; exits with 0 and 2.
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.logged {
                print_stderr(&failure.message);
            }
            ExitCode::from(failure.code)
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let Cli { command, global, serve: mut flags } = cli;
    let command = match command {
        Some(Command::Serve(inner)) => {
            flags.address = inner.address.or(flags.address);
            None
        }
        Some(_) if flags.address.is_some() => {
            return Err(Failure::usage("--address belongs to `serve`: leave it out"));
        }
        other => other,
    };
    let layer = Flags {
        config: global.config,
        data_dir: global.data_dir,
        database_url: global.database_url,
        database_migration_url: global.database_migration_url,
        address: flags.address,
    };
    // Settings are UTF-8, so other variables are skipped.
    let env = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
    let Loaded { config, ignored } = Config::load(&layer, env).map_err(Failure::usage)?;
    if let Some(Command::Config) = command {
        print(config.to_toml().trim_end());
        for variable in ignored {
            print_stderr(&format!("{variable}: this environment variable is not a setting and is ignored"));
        }
        return Ok(());
    }
    // Before anything is started: a missing password fails without starting a database.
    let password = match &command {
        Some(Command::CreateAdmin { password_stdin: true, .. }) => Some(password_from_stdin()?),
        _ => None,
    };
    // The guard flushes queued records when this function ends.
    let (log, _guard) = logger(&config);
    for variable in ignored {
        warn!(log, "this environment variable is not a setting and is ignored"; "variable" => variable);
    }
    match command {
        Some(Command::Migrate) => migrate(&config, global.fetch_postgres, &log),
        Some(Command::CreateAdmin { username, .. }) => {
            create_admin(&config, global.fetch_postgres, &username, password, &log)
        }
        None | Some(Command::Serve(_) | Command::Config) => {
            let json = config.log.format == LogFormat::Json;
            serve(config, global.fetch_postgres, &log).map_err(|failure| {
                if json {
                    error!(log, "{}", failure.message);
                }
                Failure { logged: json, ..failure }
            })
        }
    }
}

fn serve(config: Config, fetch: bool, log: &Logger) -> Result<(), Failure> {
    let runtime = runtime(&config)?;
    // Before a database is created or changed: another server may already be using the address.
    let address = commands::bind(&config).map_err(Failure::failed)?;
    let (database, private) = match &config.database.url {
        Some(url) => {
            let url = url.expose().to_owned();
            (DatabaseSource::Url(url), None)
        }
        None => {
            let options = private_database(&config, fetch, log)?;
            let private = Arc::new(EmbeddedPostgres::start(&options, log).map_err(Failure::failed)?);
            (DatabaseSource::Embedded(Arc::clone(&private)), Some(private))
        }
    };
    warn_about_fetch(&config, fetch, log);
    let data_dir = config.data_dir.display().to_string();
    let on_ready = Box::new(move |ready: &Ready| announce(ready, &data_dir));
    let options = ServeOptions { config, address, database, log: log.clone(), on_ready };
    // serve.rs: handles SIGTERM and SIGINT, and returns when the last request is done or the grace period is over.
    let outcome = runtime.block_on(commands::serve(options)).map_err(Failure::failed);
    runtime.shutdown_timeout(RUNTIME_GRACE);
    finish(private.as_deref(), outcome)
}

/// Prints the address, the database, the first administrator and the next commands to type.
fn announce(ready: &Ready, data_dir: &str) {
    let url = format!("http://{}", ready.address);
    let database =
        if ready.private_database { format!("private Postgres in {data_dir}") } else { "yours".to_owned() };
    let mut text =
        format!("Rollcall listens on {url}\n  document   {url}/openapi.json\n  database   {database}\n");
    let (username, password) = match &ready.first_admin {
        Some(admin) => {
            let password = admin.password.as_deref().unwrap_or_default();
            text.push_str(&format!(
                "\nThe first administrator; the password is shown only now:\n  username   {}\n  password   {password}\n",
                admin.username
            ));
            (admin.username.as_str(), password)
        }
        None if ready.is_empty => {
            text.push_str(
                "\nThere are no users yet. The first administrator: rollcall-server create-admin --username NAME\n",
            );
            ("NAME", "…")
        }
        None => {
            text.push_str("\nAnother administrator: rollcall-server create-admin --username NAME\n");
            ("NAME", "…")
        }
    };
    text.push_str("\nNext, in another terminal:\n");
    text.push_str(&next(&url, username, password));
    print(&text);
}

/// Commands that sign in: a client example if cargo runs the server, because the sources are there, otherwise curl.
fn next(url: &str, username: &str, password: &str) -> String {
    if std::env::var_os("CARGO_PKG_NAME").is_some_and(|package| package == env!("CARGO_PKG_NAME")) {
        return format!(
            "  ROLLCALL_URL={url} ROLLCALL_PASSWORD={password} cargo run -p rollcall-client --example sign_in_and_list"
        );
    }
    format!(
        "  TOKEN=$(curl -s {url}/v1/login -H 'content-type: application/json' -d \
         '{{\"identifier\":\"{username}\",\"password\":\"{password}\"}}' | grep -o 'rcs_[A-Za-z0-9]*')\n  \
         curl -s {url}/v1/users/me -H \"authorization: Bearer $TOKEN\""
    )
}

fn migrate(config: &Config, fetch: bool, log: &Logger) -> Result<(), Failure> {
    with_database(config, fetch, log, |runtime, database| {
        // serve.rs
        runtime.block_on(commands::migrate(config, database, log)).map_err(Failure::failed)
    })
}

fn create_admin(
    config: &Config,
    fetch: bool,
    username: &str,
    password: Option<String>,
    log: &Logger,
) -> Result<(), Failure> {
    if config.database.url.is_none() && !config.data_dir.is_dir() {
        return Err(Failure::usage(format!(
            "the data folder {} does not exist, so there is no directory to make an administrator of: start the server \
             first, which makes one, or name the server's folder with --data-dir, or its database with --database-url",
            config.data_dir.display()
        )));
    }
    let created = with_database(config, fetch, log, |runtime, database| {
        // serve.rs
        runtime
            .block_on(commands::create_admin(config, database, username, password, log))
            .map_err(Failure::failed)
    })?;
    match created.password {
        Some(password) => {
            print_stderr(&format!(
                "Created the administrator {}. The password, shown only now:",
                created.username
            ));
            print(&password);
        }
        None => print_stderr(&format!("Created the administrator {}.", created.username)),
    }
    Ok(())
}

/// Runs a command with the configured database or the private one, which it shares with a running server.
fn with_database<T>(
    config: &Config,
    fetch: bool,
    log: &Logger,
    work: impl FnOnce(&Runtime, &DatabaseSource) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let runtime = runtime(config)?;
    warn_about_fetch(config, fetch, log);
    if let Some(url) = &config.database.url {
        return work(&runtime, &DatabaseSource::Url(url.expose().to_owned()));
    }
    let options = private_database(config, fetch, log)?;
    let private = Arc::new(EmbeddedPostgres::connect_existing(&options, log).map_err(Failure::failed)?);
    let outcome = work(&runtime, &DatabaseSource::Embedded(Arc::clone(&private)));
    runtime.shutdown_timeout(RUNTIME_GRACE);
    finish(Some(&private), outcome)
}

fn private_database(config: &Config, fetch: bool, log: &Logger) -> Result<Options, Failure> {
    if fetch {
        EmbeddedPostgres::fetch(&config.data_dir, log).map_err(Failure::failed)?;
    }
    Ok(Options { bin_dir: config.database.postgres_bin_dir.clone(), ..Options::new(&config.data_dir) })
}

/// Stops the private database. A failure of the command takes precedence over a failure to stop.
fn finish<T>(private: Option<&EmbeddedPostgres>, outcome: Result<T, Failure>) -> Result<T, Failure> {
    let stopped = private.map_or(Ok(()), EmbeddedPostgres::stop).map_err(Failure::failed);
    let value = outcome?;
    stopped.map(|()| value)
}

fn warn_about_fetch(config: &Config, fetch: bool, log: &Logger) {
    if fetch && config.database.url.is_some() {
        warn!(log, "--fetch-postgres does nothing: a database is configured");
    }
}

fn runtime(config: &Config) -> Result<Runtime, Failure> {
    let mut builder = match config.runtime.worker_threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        threads => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
    };
    let built = builder.enable_all().build();
    built.map_err(|error| Failure::failed(format!("the async runtime can't be started: {error}")))
}

/// Logger to standard error. It blocks when its queue is full, and drops no record.
fn logger(config: &Config) -> (Logger, slog_async::AsyncGuard) {
    let level = match config.log.level {
        LogLevel::Trace => slog::Level::Trace,
        LogLevel::Debug => slog::Level::Debug,
        LogLevel::Info => slog::Level::Info,
        LogLevel::Warn => slog::Level::Warning,
        LogLevel::Error => slog::Level::Error,
    };
    let (drain, guard) = match config.log.format {
        LogFormat::Terminal => {
            let decorator = slog_term::TermDecorator::new().stderr().build();
            in_background(slog_term::FullFormat::new(decorator).build().fuse())
        }
        LogFormat::Json => {
            in_background(slog_bunyan::with_name("rollcall", std::io::stderr()).build().fuse())
        }
    };
    (Logger::root(drain.filter_level(level).fuse(), o!()), guard)
}

/// Writes records on a thread of its own, in order and without loss.
fn in_background<D>(drain: D) -> (slog_async::Async, slog_async::AsyncGuard)
where
    D: Drain<Ok = (), Err = slog::Never> + Send + 'static,
{
    let builder = slog_async::Async::new(drain).chan_size(1024);
    builder.overflow_strategy(slog_async::OverflowStrategy::Block).build_with_guard()
}

/// The first line of standard input. Only the line ending is removed: spaces may belong to the password.
fn password_from_stdin() -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        print_stderr("Reading the password from the terminal; it will be visible.");
    }
    let mut line = String::new();
    stdin
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::usage(format!("--password-stdin: reading failed: {error}")))?;
    let password =
        line.strip_suffix('\n').map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    if password.is_empty() {
        return Err(Failure::usage("--password-stdin: standard input holds no password"));
    }
    Ok(password.to_owned())
}

/// A URL as it was typed. A check here would make clap print it with its password; [`Config::load`] checks it.
fn unchecked_url(text: &str) -> Result<DatabaseUrl, std::convert::Infallible> {
    Ok(DatabaseUrl::new(text))
}

#[expect(clippy::print_stdout, reason = "what a command was asked for goes to standard output")]
fn print(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "what a person should read beside it goes to standard error")]
fn print_stderr(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use super::{Cli, Command};
    use clap::{CommandFactory, Parser};

    fn parse(line: &str) -> Result<Cli, String> {
        Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string())
    }

    #[test]
    fn the_definitions_hold_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_is_the_default_and_takes_its_flags_with_and_without_the_word() {
        let bare = parse("rollcall-server --address 127.0.0.1:0 --data-dir d").unwrap();
        assert!(bare.command.is_none());
        assert_eq!(bare.serve.address.as_deref(), Some("127.0.0.1:0"));
        let named = parse("rollcall-server serve --address 127.0.0.1:0 --fetch-postgres").unwrap();
        assert!(matches!(named.command, Some(Command::Serve(flags)) if flags.address.is_some()));
        assert!(named.global.fetch_postgres);
        assert!(parse("rollcall-server migrate --address x").is_err());
    }

    #[test]
    fn create_admin_has_a_default_name() {
        let cli = parse("rollcall-server create-admin --password-stdin --config c.toml").unwrap();
        assert!(matches!(
            cli.command,
            Some(Command::CreateAdmin { username, password_stdin: true }) if username == "admin"
        ));
    }

    #[test]
    fn a_wrong_url_is_not_quoted() {
        let cli = parse("rollcall-server --database-url mysql://ada:s3cret@db").unwrap();
        assert!(!format!("{cli:?}").contains("s3cret"));
        let failure = super::run(cli).err().map(|failure| failure.message).unwrap_or_default();
        assert!(failure.contains("database.url: must be a URL") && !failure.contains("s3cret"), "{failure}");
    }
}

//! Talking to the private database: does it answer, is it the right one, has it our database and the server's role.
//!
//! Callers are synchronous, some of them on a thread of an async runtime, so each question gets a short-lived
//! thread and runtime of its own.

use std::path::Path;
use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use super::EmbeddedError;

/// The role that owns everything, and the database's name.
pub(super) const NAME: &str = "rollcall";
/// The role that the server runs as. What it may do is granted after the migrations.
pub(super) const SERVER_ROLE: &str = "rollcall_server";
/// A database that every cluster has.
const MAINTENANCE: &str = "postgres";

/// What came back from the socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Our cluster takes connections.
    Ready,
    /// Postgres is there but starting, recovering or stopping.
    Busy,
    /// Nobody answers, or not our cluster; why, for messages.
    Nothing(String),
}

/// Asks whether the cluster answers on the socket.
pub(super) fn ask(socket_dir: &Path, cluster: &Path) -> Answer {
    let question = async {
        let client = connect(socket_dir, MAINTENANCE).await?;
        let row = client.query_one("SHOW data_directory", &[]).await?;
        row.try_get::<_, String>(0)
    };
    match run(question) {
        Ok(Ok(folder)) if same_folder(Path::new(&folder), cluster) => Answer::Ready,
        Ok(Ok(folder)) => Answer::Nothing(format!("the socket belongs to the database in {folder}")),
        Ok(Err(error)) => match error.code() {
            Some(&SqlState::CANNOT_CONNECT_NOW | &SqlState::TOO_MANY_CONNECTIONS) => Answer::Busy,
            _ => Answer::Nothing(text(&error)),
        },
        Err(error) => Answer::Nothing(error),
    }
}

/// Creates the database and the server's role where they aren't there yet.
pub(super) fn prepare(socket_dir: &Path) -> Result<(), EmbeddedError> {
    let work = async {
        let client = connect(socket_dir, MAINTENANCE).await?;
        let database = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1";
        if client.query_opt(database, &[&NAME]).await?.is_none() {
            create(&client, &format!("CREATE DATABASE {NAME}")).await?;
        }
        let role = "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1";
        if client.query_opt(role, &[&SERVER_ROLE]).await?.is_none() {
            create(&client, &format!("CREATE ROLE {SERVER_ROLE} LOGIN")).await?;
        }
        // Postgres 14 lets everybody create there, and what stands there could mislead the owner's migrations.
        connect(socket_dir, NAME).await?.batch_execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC").await
    };
    let outcome = run(work).and_then(|outcome| outcome.map_err(|error: tokio_postgres::Error| text(&error)));
    outcome.map_err(|error| {
        EmbeddedError::failed(format!(
            "the private database runs, but making the database {NAME} and the role {SERVER_ROLE} failed: {error}"
        ))
    })
}

/// Creates something, unless a second process has done the same at the same time.
async fn create(client: &Client, statement: &str) -> Result<(), tokio_postgres::Error> {
    match client.batch_execute(statement).await {
        Err(error)
            if [SqlState::DUPLICATE_DATABASE, SqlState::DUPLICATE_OBJECT, SqlState::UNIQUE_VIOLATION]
                .iter()
                .any(|state| error.code() == Some(state)) =>
        {
            Ok(())
        }
        other => other,
    }
}

async fn connect(socket_dir: &Path, database: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = Config::new()
        .host_path(socket_dir)
        .user(NAME)
        .dbname(database)
        .application_name("rollcall: start")
        .connect_timeout(Duration::from_secs(2))
        .connect(NoTls)
        .await?;
    // Ends when the client is dropped; its errors reach the client too.
    tokio::spawn(connection);
    Ok(client)
}

/// Runs a question with a limit of ten seconds.
fn run<T: Send>(work: impl Future<Output = T> + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?;
            runtime
                .block_on(async { tokio::time::timeout(Duration::from_secs(10), work).await })
                .map_err(|_| "no answer within ten seconds".to_owned())
        });
        thread.join().unwrap_or_else(|_| Err("the thread that asked panicked".to_owned()))
    })
}

/// The error with its causes: tokio-postgres' own text stops at "db error".
fn text(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(error), _) => error.to_string(),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

fn same_folder(one: &Path, other: &Path) -> bool {
    one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

//! Queries to the private database: its status, its identity, and the creation of the database and the server's role.
//!
//! Callers are synchronous, some of them on a thread of an async runtime, so each query runs on a short-lived thread and
//! runtime of its own.

use std::path::Path;
use std::time::Duration;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use super::EmbeddedError;

/// Name of the database, and of the role that owns everything in it.
pub(super) const NAME: &str = "rollcall";
/// Role that the server runs as. Its privileges are granted after the migrations.
pub(super) const SERVER_ROLE: &str = "rollcall_server";
/// Database that exists in every cluster.
const MAINTENANCE: &str = "postgres";

/// Status of the database behind a socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// The expected cluster accepts connections.
    Ready,
    /// Postgres is starting, recovering or stopping, or out of connections.
    Busy,
    /// Nothing accepts connections, or another cluster does. The reason is for messages.
    Unavailable(String),
}

/// Queries the status of a cluster on a socket.
pub(super) fn ask(socket_dir: &Path, cluster: &Path) -> Status {
    let query = async {
        let client = connect(socket_dir, MAINTENANCE).await?;
        let row = client.query_one("SHOW data_directory", &[]).await?;
        row.try_get::<_, String>(0)
    };
    match run(query) {
        Ok(Ok(folder)) if same_folder(Path::new(&folder), cluster) => Status::Ready,
        Ok(Ok(folder)) => Status::Unavailable(format!("the socket belongs to the database in {folder}")),
        Ok(Err(error)) => match error.code() {
            Some(&SqlState::CANNOT_CONNECT_NOW | &SqlState::TOO_MANY_CONNECTIONS) => Status::Busy,
            _ => Status::Unavailable(text(&error)),
        },
        Err(error) => Status::Unavailable(error),
    }
}

/// Creates the database and the server's role where they are missing.
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
        // Postgres 14 lets every role create objects there, and such objects could mislead the owner's migrations.
        connect(socket_dir, NAME).await?.batch_execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC").await
    };
    let outcome = run(work).and_then(|outcome| outcome.map_err(|error: tokio_postgres::Error| text(&error)));
    outcome.map_err(|error| {
        EmbeddedError::failed(format!(
            "the private database runs, but creating the database {NAME} and the role {SERVER_ROLE} failed: {error}"
        ))
    })
}

/// Runs a `CREATE` statement; succeeds also where another process has created the same concurrently.
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
    // Ends when the client is dropped. Its errors are returned by the client too.
    tokio::spawn(connection);
    Ok(client)
}

/// Runs a query with a timeout of ten seconds.
fn run<T: Send>(work: impl Future<Output = T> + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?;
            runtime
                .block_on(async { tokio::time::timeout(Duration::from_secs(10), work).await })
                .map_err(|_| "no response within ten seconds".to_owned())
        });
        thread.join().unwrap_or_else(|_| Err("the thread of the query panicked".to_owned()))
    })
}

/// Text of an error with its causes: tokio-postgres' own text is only "db error".
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

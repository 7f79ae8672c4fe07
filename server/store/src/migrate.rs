//! Brings the schema up to date, one server at a time, and refuses a schema that is newer than the program.

use diesel::sql_types::BigInt;
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use chrono::{DateTime, Utc};

use crate::connect::ConnectOptions;
use crate::error::{StoreError, StoreResult};
use crate::seed;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// The advisory lock under which migrations run; any number will do, as long as it stays.
const LOCK: i64 = 0x726f_6c6c_6361_6c6c;

/// What migrating did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Versions that were applied now.
    pub applied: Vec<String>,
}

/// Applies what is missing and seeds the built-in rows. Needs Tokio's multi-threaded runtime.
pub async fn run(options: &ConnectOptions, now: DateTime<Utc>) -> StoreResult<Migrated> {
    let mut connection = options.unlimited().connect().await?.inner;
    diesel::sql_query("SELECT pg_advisory_lock($1)").bind::<BigInt, _>(LOCK).execute(&mut connection).await?;
    // The lock goes with the connection, which ends with this function whatever happens.
    let mut harness = AsyncMigrationHarness::new(connection);
    refuse_newer(&mut harness)?;
    let applied = harness
        .run_pending_migrations(MIGRATIONS)
        .map_err(|error| StoreError::Defect(format!("migration: {error}")))?
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut connection = harness.into_inner();
    connection.batch_execute("BEGIN").await?;
    seed::run(&connection, now).await?;
    connection.batch_execute("COMMIT").await?;
    Ok(Migrated { applied })
}

/// Whether the schema is exactly the program's.
pub async fn is_current(options: &ConnectOptions) -> StoreResult<bool> {
    let connection = options.connect().await?.inner;
    let mut harness = AsyncMigrationHarness::new(connection);
    refuse_newer(&mut harness)?;
    let pending =
        harness.has_pending_migration(MIGRATIONS).map_err(|error| StoreError::Defect(error.to_string()))?;
    Ok(!pending)
}

fn refuse_newer(harness: &mut AsyncMigrationHarness<AsyncPgConnection>) -> StoreResult<()> {
    use diesel::migration::MigrationSource;
    let defect = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::Defect(error.to_string());
    let known: Vec<String> = MigrationSource::<diesel::pg::Pg>::migrations(&MIGRATIONS)
        .map_err(defect)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let applied = harness.applied_migrations().map_err(defect)?;
    match applied.iter().find(|version| !known.contains(&version.to_string())) {
        Some(newer) => Err(StoreError::Defect(format!(
            "the database has migration {newer}, which this program does not know: it belongs to a newer server. Start that one"
        ))),
        None => Ok(()),
    }
}

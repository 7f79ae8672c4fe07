//! Schema migration, by one server at a time. A schema that is newer than the program is rejected.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::connect::ConnectOptions;
use crate::error::{StoreError, StoreResult};
use crate::search_indexes::{self, Prepared};
use crate::{privileges, seed};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Key of the advisory lock that migrations hold. Any number works, as long as it never changes.
const LOCK: i64 = 0x726f_6c6c_6361_6c6c;

/// Result of a migration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Versions applied by this run.
    pub applied: Vec<String>,
    /// The state of the list indexes.
    pub prepared: Prepared,
}

/// Applies pending migrations and seeds the built-in rows. Needs Tokio's multi-threaded runtime.
///
/// `server_role` is the role of the running server, if it differs from the migrating role: it is granted the
/// privileges it needs, including those on tables that the migrations just created.
pub async fn run(
    options: &ConnectOptions,
    server_role: Option<&str>,
    now: DateTime<Utc>,
) -> StoreResult<Migrated> {
    let mut connection = options.unlimited().connect().await?.inner;
    lock(&mut connection).await?;
    // The lock is released with the connection, which closes when this function returns.
    if server_role.is_some() {
        privileges::ensure_tables_owned(&connection).await?;
    }
    let mut migrated = Migrated::default();
    // Diesel creates its table before it looks for pending migrations: a role without that privilege still
    // works if none are pending.
    if is_pending(&connection).await? {
        let mut harness = AsyncMigrationHarness::new(connection);
        let applied = harness
            .run_pending_migrations(MIGRATIONS)
            .map_err(|error| StoreError::Defect(format!("migration: {error}")))?;
        migrated.applied = applied.iter().map(ToString::to_string).collect();
        connection = harness.into_inner();
    }
    connection.batch_execute("BEGIN").await?;
    seed::run(&connection, now).await?;
    if let Some(role) = server_role {
        privileges::grant(&connection, role).await?;
    }
    connection.batch_execute("COMMIT").await?;
    migrated.prepared = search_indexes::prepare(&mut connection).await?;
    Ok(migrated)
}

/// Polls for the lock: `CREATE INDEX CONCURRENTLY` would wait for a statement that waits inside Postgres, and
/// the two would deadlock.
async fn lock(connection: &mut AsyncPgConnection) -> StoreResult<()> {
    loop {
        let taken: Taken = diesel::sql_query("SELECT pg_try_advisory_lock($1) AS taken")
            .bind::<BigInt, _>(LOCK)
            .get_result(connection)
            .await?;
        if taken.taken {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = Bool)]
    taken: bool,
}

/// True if the schema is exactly the program's.
pub async fn is_current(options: &ConnectOptions) -> StoreResult<bool> {
    Ok(!is_pending(&*options.connect().await?).await?)
}

/// True if migrations are pending. Rejects a schema that is newer than the program.
async fn is_pending(mut conn: &AsyncPgConnection) -> StoreResult<bool> {
    let known: Vec<String> = MigrationSource::<Pg>::migrations(&MIGRATIONS)
        .map_err(|error| StoreError::Defect(error.to_string()))?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    let exists = diesel::dsl::sql::<Bool>("to_regclass('__diesel_schema_migrations') IS NOT NULL");
    if !diesel::select(exists).get_result::<bool>(&mut conn).await? {
        return Ok(true);
    }
    let applied: Vec<String> = __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .order(__diesel_schema_migrations::version)
        .load(&mut conn)
        .await?;
    match applied.iter().find(|version| !known.contains(version)) {
        Some(newer) => Err(StoreError::Defect(format!(
            "the database has migration {newer}, which this program does not know: it belongs to a newer server. Start that one"
        ))),
        None => Ok(known.iter().any(|version| !applied.contains(version))),
    }
}

diesel::table! {
    /// Diesel's own table of applied migrations.
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

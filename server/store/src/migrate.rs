//! Brings the schema up to date, one server at a time, and refuses a schema that is newer than the program.

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

/// The advisory lock under which migrations run; any number will do, as long as it stays.
const LOCK: i64 = 0x726f_6c6c_6361_6c6c;

/// What migrating did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// Versions that were applied now.
    pub applied: Vec<String>,
    /// What was done for lists.
    pub prepared: Prepared,
}

/// Applies what is missing and seeds the built-in rows. Needs Tokio's multi-threaded runtime.
///
/// `server_role` is the role that the server runs as, where it isn't the one that migrates: it is granted what it needs,
/// also on what the migrations have just made.
pub async fn run(
    options: &ConnectOptions,
    server_role: Option<&str>,
    now: DateTime<Utc>,
) -> StoreResult<Migrated> {
    let mut connection = options.unlimited().connect().await?.inner;
    lock(&mut connection).await?;
    // The lock goes with the connection, which ends with this function whatever happens.
    if server_role.is_some() {
        privileges::refuse_strangers(&connection).await?;
    }
    let mut migrated = Migrated::default();
    // Diesel creates its table before it looks: a role that may not is well where nothing is to be done.
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

/// Waits for its turn by asking again and again: a statement that waits inside Postgres would be one that
/// `CREATE INDEX CONCURRENTLY` waits for, and the two for each other.
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

/// Whether the schema is exactly the program's.
pub async fn is_current(options: &ConnectOptions) -> StoreResult<bool> {
    Ok(!is_pending(&*options.connect().await?).await?)
}

/// Whether migrations are missing. A schema that is newer than the program is refused.
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
    /// Diesel's own.
    __diesel_schema_migrations (version) {
        version -> Text,
        run_on -> Timestamp,
    }
}

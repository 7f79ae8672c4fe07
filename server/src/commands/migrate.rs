//! The command `migrate`, which `serve` and `create-admin` run first.

use rollcall_store::connect::ConnectOptions;
use rollcall_store::{StoreError, migrate as migrations, privileges};
use slog::{Logger, info, warn};

use super::{DatabaseSource, connect_options};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::start_error::{StartError, reach, with_migration_advice};

/// Migrates the schema, as the owner of the tables if that is another role than the server's, which is then granted
/// the privileges that it needs.
pub async fn migrate(config: &Config, database: &DatabaseSource, log: &Logger) -> Result<(), StartError> {
    let server = connect_options(config, &database.url())?;
    let role = privileges::role(&*reach(&server, "database.url").await?).await?;
    let (owner, server_role) = match database.owner_url(config) {
        Some(url) => {
            let owner = connect_options(config, &url)?;
            let connection = reach(&owner, "database.migration_url").await?;
            let other = privileges::role(&connection).await? != role;
            (owner, other.then(|| role.clone()))
        }
        None => (server.clone(), None),
    };
    let alone = server_role.is_none();
    let migrated = block_on_own_runtime(move || async move {
        migrations::run(&owner, server_role.as_deref(), SystemClock.now()).await
    })
    .await
    .map_err(|error| with_migration_advice(error, alone, &role))?;
    for version in migrated.applied {
        info!(log, "migrated"; "version" => version);
    }
    if !migrated.prepared.built.is_empty() {
        info!(log, "built indexes for lists"; "indexes" => migrated.prepared.built.join(", "));
    }
    for user in migrated.prepared.colliding {
        warn!(
            log,
            "the user's username or e-mail address differs from another user's only in characters that nobody sees: \
             both can sign in as before; give one of them another name";
            "user" => %user
        );
    }
    if let Some(why) = migrated.prepared.without_trigrams {
        warn!(
            log,
            "the database has no extension pg_trgm: searches for words read all users, which is slow from some ten \
             thousand on. Let its administrator run CREATE EXTENSION pg_trgm, then start again";
            "error" => why
        );
    }
    warn_if_audit_mutable(&server, log).await
}

/// Warns if the server's role could change its own audit trail.
pub(super) async fn warn_if_audit_mutable(server: &ConnectOptions, log: &Logger) -> Result<(), StartError> {
    let connection = server.connect().await?;
    if privileges::can_change_audit_events(&connection).await? {
        let role = privileges::role(&connection).await?;
        warn!(log, "only a trigger protects the audit trail, which the server's role could remove: \
            set database.migration_url to another role's URL"; "role" => role);
    }
    Ok(())
}

pub(super) async fn is_current(config: &Config, database: &DatabaseSource) -> Result<bool, StartError> {
    let url = database.owner_url(config).unwrap_or_else(|| database.url());
    Ok(migrations::is_current(&connect_options(config, &url)?).await?)
}

/// Runs Diesel's migrations on a runtime of their own: they block inside async code, which Tokio allows on its
/// multi-threaded runtime only.
async fn block_on_own_runtime<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T, StartError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>>,
{
    let done = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.map_err(|error| StartError(error.to_string()))?.block_on(work()).map_err(StartError::from)
    });
    done.await.map_err(|error| StartError(error.to_string()))?
}

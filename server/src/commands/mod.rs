//! The program's commands, one file each, and the database that they have in common.

mod create_admin;
mod migrate;
mod serve;

use std::sync::Arc;
use std::time::Duration;

use rollcall_embedded_postgres::EmbeddedPostgres;
use rollcall_store::connect::ConnectOptions;

use crate::config::Config;
pub use crate::start_error::StartError;
pub use create_admin::{CreatedAdmin, create_admin};
pub use migrate::migrate;
pub use serve::{Ready, Running, ServeOptions, bind, serve, start};

/// The database to use.
#[derive(Clone, Debug)]
pub enum DatabaseSource {
    /// A Postgres server of the operator.
    Url(String),
    /// The private Postgres.
    Embedded(Arc<EmbeddedPostgres>),
}

impl DatabaseSource {
    fn url(&self) -> String {
        match self {
            Self::Url(url) => url.clone(),
            Self::Embedded(postgres) => postgres.url(),
        }
    }

    /// URL of the role that owns the tables, if known.
    fn owner_url(&self, config: &Config) -> Option<String> {
        match self {
            Self::Url(_) => config.database.migration_url.as_ref().map(|url| url.expose().to_owned()),
            Self::Embedded(postgres) => Some(postgres.owner_url()),
        }
    }
}

fn connect_options(config: &Config, url: &str) -> Result<ConnectOptions, StartError> {
    let statement = Duration::from_millis(config.database.statement_timeout_milliseconds);
    let lock = Duration::from_millis(config.database.lock_timeout_milliseconds);
    Ok(ConnectOptions::new(url, statement, lock)?)
}

//! The command `create-admin`, and the administrator that the first start on a private database creates.

use std::fmt;
use std::sync::Arc;

use rollcall_api::types::Username;
use rollcall_store::users;
use slog::Logger;

use super::migrate::migrate;
use super::{DatabaseSource, serve};
use crate::app::users::create::bootstrap_administrator;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::context::App;
use crate::secrets::token::generated_password;
use crate::start_error::StartError;

/// An administrator that was created.
#[derive(Clone)]
pub struct CreatedAdmin {
    /// The username.
    pub username: String,
    /// The password, if it was generated. It is not shown again.
    pub password: Option<String>,
}

impl fmt::Debug for CreatedAdmin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CreatedAdmin").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Creates an administrator from the command line.
pub async fn create_admin(
    config: &Config,
    database: &DatabaseSource,
    username: &str,
    password: Option<String>,
    log: &Logger,
) -> Result<CreatedAdmin, StartError> {
    let username: Username = username.parse().map_err(|rule| StartError(format!("--username: {rule}")))?;
    migrate(config, database, log).await?;
    let app = serve::app(config.clone(), &database.url(), Arc::new(SystemClock), log.clone()).await?;
    let generated = password.is_none();
    let password = match password {
        Some(password) => rollcall_api::types::NewPassword::try_from(password)
            .map_err(|rule| StartError(format!("--password-stdin: {rule}")))?
            .expose()
            .to_owned(),
        None => generated_password(),
    };
    let transaction = app.store.begin().await?;
    let username = bootstrap_administrator(&app, &transaction, username, &password).await?;
    transaction.commit().await?;
    Ok(CreatedAdmin { username, password: generated.then_some(password) })
}

pub(super) async fn first_administrator(app: &App) -> Result<Option<CreatedAdmin>, StartError> {
    let transaction = app.store.begin().await?;
    if users::any(&transaction).await? {
        transaction.rollback().await?;
        return Ok(None);
    }
    let username: Username = "admin".parse().map_err(StartError)?;
    let password = generated_password();
    let username = bootstrap_administrator(app, &transaction, username, &password).await?;
    transaction.commit().await?;
    Ok(Some(CreatedAdmin { username, password: Some(password) }))
}

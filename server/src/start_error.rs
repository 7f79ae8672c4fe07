//! Errors that keep the server from starting, with a message that says what to change.

use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;

use rollcall_store::StoreError;
use rollcall_store::connect::{ConnectOptions, Connection};

use crate::error::Error;

/// The failure of a start or of a command.
#[derive(Debug)]
pub struct StartError(pub String);

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl From<Error> for StartError {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

/// The error for an address that can't be bound.
pub fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> StartError {
    let change = "choose another address with --address or http.address";
    let why = match error.kind() {
        ErrorKind::AddrInUse => {
            format!("another program listens there, perhaps another Rollcall; stop it, or {change}")
        }
        ErrorKind::AddrNotAvailable => format!("this machine does not have that address; {change}"),
        ErrorKind::PermissionDenied => format!("this user may not use port {}; {change}", address.port()),
        _ => format!("{error}; {change}"),
    };
    StartError(format!("can't listen on {address}: {why}"))
}

/// Opens a connection; the error names the database's address and the setting that it comes from.
pub async fn reach(options: &ConnectOptions, setting: &str) -> Result<Connection, StartError> {
    options.connect().await.map_err(|error| match error {
        StoreError::Unavailable(why) => {
            StartError(format!("the database at {} ({setting}) can't be used: {why}", options.places()))
        }
        error => error.into(),
    })
}

/// Adds advice to an error if the migrating role lacks privileges.
pub fn with_migration_advice(error: StartError, alone: bool, role: &str) -> StartError {
    if !error.0.contains("permission denied") && !error.0.contains("must be owner") {
        return error;
    }
    let role =
        if alone { format!("the role {role}") } else { "the role of database.migration_url".to_owned() };
    let advice = "set database.migration_url (ROLLCALL_DATABASE_MIGRATION_URL) to the URL of the role that owns the \
         tables and may create them, as the README says under \"In production\"";
    StartError(format!("{role} may not migrate the database: {}; {advice}", error.0))
}

//! Information about the server itself.

use std::sync::Arc;

use rollcall_api::error;
use rollcall_api::reply::Ok200;
use rollcall_api::types::{Health, JsonObject, Readiness, ServerVersion};

use crate::error::{AppResult, Error};
use crate::operation::Operation;

/// The published document, as it is checked in.
pub const DOCUMENT: &str = include_str!("../../../openapi/rollcall.json");

/// Returns the server's version.
pub async fn system_version(_: Arc<Operation>) -> AppResult<Ok200<ServerVersion>> {
    Ok(Ok200::new(ServerVersion {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        document_version: rollcall_api::document::VERSION.to_string(),
    }))
}

/// Reports that the process is running.
pub async fn system_health(_: Arc<Operation>) -> AppResult<Ok200<Health>> {
    Ok(Ok200::new(Health { status: "ok".to_owned() }))
}

/// Reports that the server can work. The schema needs no check: the server starts only with a current one.
pub async fn system_ready(op: Arc<Operation>) -> AppResult<Ok200<Readiness>> {
    if op.app.is_draining() {
        return Err(Error::retry_later(error::UNAVAILABLE, "the server is shutting down", 5));
    }
    op.app.store.ready().await?;
    Ok(Ok200::new(Readiness { status: "ready".to_owned() }))
}

/// Returns the document; all responses share one copy.
pub async fn document_view(_: Arc<Operation>) -> AppResult<Ok200<JsonObject>> {
    Ok(Ok200::raw(DOCUMENT.as_bytes()))
}

//! What the server says of itself.

use std::sync::Arc;

use rollcall_api::error;
use rollcall_api::reply::Ok200;
use rollcall_api::types::{Health, JsonObject, Readiness, ServerVersion};

use crate::error::{AppResult, Error};
use crate::operation::Operation;

/// The published document, as it is checked in.
pub const DOCUMENT: &str = include_str!("../../../openapi/rollcall.json");

/// Which server this is.
pub async fn system_version(_: Arc<Operation>) -> AppResult<Ok200<ServerVersion>> {
    Ok(Ok200::new(ServerVersion {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        document_version: rollcall_api::document::VERSION.to_string(),
    }))
}

/// Whether the process answers.
pub async fn system_health(_: Arc<Operation>) -> AppResult<Ok200<Health>> {
    Ok(Ok200::new(Health { status: "ok".to_owned() }))
}

/// Whether the server can work. The schema was found current at the start, or the server would not be here.
pub async fn system_ready(op: Arc<Operation>) -> AppResult<Ok200<Readiness>> {
    if op.app.is_draining() {
        return Err(Error::retry_later(error::UNAVAILABLE, "the server is shutting down", 5));
    }
    op.app.store.ready().await?;
    Ok(Ok200::new(Readiness { status: "ready".to_owned() }))
}

/// The document; all responses share one copy.
pub async fn document_view(_: Arc<Operation>) -> AppResult<Ok200<JsonObject>> {
    Ok(Ok200::raw(DOCUMENT.as_bytes()))
}

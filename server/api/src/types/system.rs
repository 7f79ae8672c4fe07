//! Versions, health and readiness of the server.

use schemars::JsonSchema;
use serde::Serialize;

/// The versions of the server and of the document.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ServerVersion {
    /// The server's version (Semantic Versioning 2.0).
    pub version: String,
    /// The published document's version.
    pub document_version: String,
}

/// Liveness of the process.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: String,
}

/// Readiness of the server.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Readiness {
    /// Always `ready`; a server that isn't ready returns 503.
    pub status: String,
}

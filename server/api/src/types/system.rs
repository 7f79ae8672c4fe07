//! What the server says of itself.

use schemars::JsonSchema;
use serde::Serialize;

/// Which server this is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ServerVersion {
    /// The server's version (Semantic Versioning 2.0).
    pub version: String,
    /// The published document's version.
    pub document_version: String,
}

/// The process answers.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: String,
}

/// The server can work.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Readiness {
    /// Always `ready`; a server that isn't answers 503.
    pub status: String,
}

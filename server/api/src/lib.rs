//! The contract of Rollcall: one trait whose methods are the operations, the types that they speak, and the published document
//! that is made from all this. No database, no logic.
//!
//! A new operation starts here: its types in `types/<tag>.rs`, its method in [`RollcallApi`] and its line in
//! [`operations::OPERATIONS`]; then `cargo xtask generate`.

pub mod access;
pub mod document;
pub mod error;
pub mod extract;
pub mod operations;
mod query_string;
pub mod reply;
pub mod spec;
pub mod types;

pub use operations::{Answer, RollcallApi, rollcall_api_mod};
pub use spec::{OperationSpec, Protects};
pub use uuid::Uuid;

/// The largest body of a request, in bytes, where an operation doesn't say otherwise.
pub const BODY_MAX_BYTES: usize = 64 * 1024;

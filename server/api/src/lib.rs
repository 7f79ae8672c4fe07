//! The API contract of Rollcall: a trait whose methods are the operations, their request and response types, and the published
//! document generated from them. No database, no business logic.
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

pub use operations::{HttpResult, RollcallApi, rollcall_api_mod};
pub use spec::{OperationSpec, Protects};
pub use uuid::Uuid;

/// Default limit of a request body, in bytes. Larger bodies get a 413.
pub const BODY_MAX_BYTES: usize = 64 * 1024;

//! Secrets: generated and checked here, never printed. One of two sources of randomness; the other is ids.

pub mod page_token;
pub mod password;
pub mod policy;
pub mod token;

//! Secrets: made here, checked here, never printed. One of the two places where randomness enters; the other is ids.

pub mod page_token;
pub mod password;
pub mod policy;
pub mod token;

//! The operations: one function each, named by operation id, in a file or folder for each tag.

pub mod audit;
pub mod auth;
pub mod groups;
pub mod passwords;
pub mod permissions;
pub mod roles;
pub mod sessions;
pub mod system;
pub mod users;

//! The operations, one function for each, named as in the contract; a file or a folder for each tag.

pub mod audit;
pub mod auth;
pub mod groups;
pub mod passwords;
pub mod permissions;
pub mod roles;
pub mod sessions;
pub mod system;
pub mod users;

//! What each operation does: one function for each, named as in the contract. Files by tag; beside them the few pieces
//! that several operations share.

pub mod access;
pub mod audit;
pub mod conditions;
pub mod credentials;
pub mod documents;
pub mod finding;
pub mod granting;
pub mod groups;
pub mod idempotency;
pub mod identifiers;
pub mod invitations;
pub mod login;
pub mod members;
pub mod paging;
pub mod passwords;
pub mod register;
pub mod roles;
pub mod session;
pub mod sessions;
pub mod system;
pub mod throttle;
pub mod user_roles;
pub mod users;
pub mod views;

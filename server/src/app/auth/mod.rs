//! The tag `auth`: signing in and out, registering, and the current session.

pub mod login;
pub mod register;
pub mod session;

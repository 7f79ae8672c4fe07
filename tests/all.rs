//! The tests of Rollcall from outside: over the wire, against the real server with a real database.
//!
//! `support` starts what the tests need, `api` says what each operation does, `contract` holds the server to its
//! document and its table of access, `reliability` breaks things and moves the clock.
//!
//! Test code may panic and unwrap; clippy is told so in clippy.toml for functions that are tests, here for their helpers.
#![expect(clippy::unwrap_used, reason = "a test's helpers are tests: what fails here fails the test")]

mod api;
mod contract;
mod reliability;
mod support;

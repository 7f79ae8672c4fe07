//! Rollcall's server: a directory of people behind an API.
//!
//! `http` implements the contract with a few lines for each operation; `app` holds the operations themselves;
//! `operation` enforces the rules common to all of them (one credential, policy, a transaction that can't commit
//! unauthorized, an audit event for every change). `commands` assembles a server and runs it.

pub mod app;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod conditions;
pub mod config;
pub mod connections;
pub mod context;
pub mod credentials;
pub mod erase;
pub mod error;
pub mod granting;
pub mod http;
pub mod idempotency;
pub mod listen;
pub mod listing;
pub mod operation;
pub mod ration;
pub mod secrets;
pub mod share;
pub mod slow_searches;
pub mod start_error;
pub mod sweep;
pub mod time_limit;
pub mod views;

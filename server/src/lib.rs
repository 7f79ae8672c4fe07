//! Rollcall's server: a directory of people behind an API.
//!
//! `http` holds the one implementation of the contract, a few lines for each operation; `app` what each operation
//! does; `operation` the rules that hold under all of them (one credential, policy, a transaction that can't commit
//! unauthorized, an audit row with every change). `serve` puts a server together and runs it.

pub mod app;
pub mod cli;
pub mod clock;
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
pub mod serve;
pub mod share;
pub mod slow_searches;
pub mod start_error;
pub mod sweep;
pub mod time_limit;
pub mod views;

//! Behaviour under failure and load: concurrent callers, a killed server, a killed database, floods, the
//! passage of time, and leaked secrets.

mod concurrent_deletes;
mod connections;
mod crash;
mod enumeration;
mod expiry;
mod fairness;
mod finding;
mod flood;
mod forwarded;
mod last_holder;
mod outage;
mod program;
mod races;
mod replicas;
mod round_trips;
mod search_indexes;
mod secrets;
mod shutdown;
mod starting;
mod sweeping;

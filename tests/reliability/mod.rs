//! What holds when things go wrong: many callers at once, a killed server, a killed database, floods, time, and eyes that
//! look for secrets.

mod connections;
mod crash;
mod enumeration;
mod expiry;
mod fairness;
mod finding;
mod flood;
mod forwarded;
mod last_one;
mod outage;
mod program;
mod replicas;
mod round_trips;
mod search_indexes;
mod secrets;
mod shutdown;
mod starting;
mod sweeping;
mod vanishing;
mod winners;

//! The three languages from outside: what each text means, what is wrong with the others and where.
//!
//! One file for each language, `typed` for what all of them become, `random` for texts that nobody thought of.
#![expect(clippy::unwrap_used, reason = "a test's helpers are tests: what fails here fails the test")]

mod hostile;
mod json_logic;
mod random;
mod regex;
mod round_trip;
mod scim;
mod search;
mod support;
mod typed;

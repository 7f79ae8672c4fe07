//! Tests of the three query languages through the public interface: the trees of valid texts, and the errors and positions of
//! invalid ones.
//!
//! One file for each language, `typed` for the typed trees, `random` for random texts.
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

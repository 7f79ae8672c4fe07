//! Lists under difficult conditions: a million users, every filter and sort, and lists that change while they
//! are walked.

mod cases;
mod explained;
mod plans;
mod random;
mod walk;

//! Finding people when it is hard: a million of them, random filters against an oracle, lists that change while they are
//! walked.

mod cases;
mod explained;
mod plans;
mod random;
mod walk;

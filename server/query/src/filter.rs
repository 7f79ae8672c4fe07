//! The typed tree: every field exists, the caller may see it, and every value is of its kind.
//!
//! Logic has two values: a comparison with a field that has no value is false, and its negation true.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::fields::GroupEntryField;
use crate::pattern::Pattern;
use crate::regex::Regex;

/// What a list is narrowed by.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter<F> {
    /// All of these; of none, everything.
    All(Vec<Filter<F>>),
    /// Any of these; of none, nothing.
    Any(Vec<Filter<F>>),
    /// Everything else.
    Not(Box<Filter<F>>),
    /// A field passes a test.
    Test(F, Test),
    /// One of these searchable fields contains the word.
    Word(Vec<F>, Pattern),
}

/// What a field must pass.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Has a value.
    Present,
    /// A text.
    Text(TextTest),
    /// True or false.
    Is(bool),
    /// One of these ids.
    Ids(Vec<Uuid>),
    /// Before or after this id.
    Id(Order, Uuid),
    /// At one of these times.
    Times(Vec<DateTime<Utc>>),
    /// Before or after this time.
    Time(Order, DateTime<Utc>),
    /// What stands at this path in an object is one of these, or a list with one of these.
    Json(Vec<String>, Vec<Value>),
    /// Something stands at this path in an object.
    JsonPresent(Vec<String>),
    /// One of these names is among the field's.
    Names(Vec<String>),
    /// One group passes all of it.
    Group(Box<Filter<GroupEntryField>>),
}

/// What a text must pass. Without [`Case::Exact`], letters' case and compatible forms count as the same.
#[derive(Clone, Debug, PartialEq)]
pub enum TextTest {
    /// Is one of these.
    Equal(Vec<String>, Case),
    /// Contains.
    Contains(String, Case),
    /// Starts with.
    StartsWith(String),
    /// Ends with.
    EndsWith(String),
    /// Stands before or after, in the order of `sort`.
    Compare(Order, String),
    /// Is like the pattern, as a whole.
    Like(Pattern),
    /// Matches the regular expression somewhere. It sees the text as it is.
    Matches(Regex),
}

/// Whether case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `Ada` is `ada`.
    Folded,
    /// It isn't.
    Exact,
}

/// Less, greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

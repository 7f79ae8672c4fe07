//! The typed tree: every field exists and is visible to the caller, and every value has the field's kind.
//!
//! Logic has two values: a comparison with a field that has no value is false, and its negation is true.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::fields::GroupEntryField;
use crate::pattern::Pattern;
use crate::regex::Regex;

/// Condition on the rows of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter<F> {
    /// All of these; true if empty.
    All(Vec<Filter<F>>),
    /// Any of these; false if empty.
    Any(Vec<Filter<F>>),
    /// Negation.
    Not(Box<Filter<F>>),
    /// A field satisfies a test.
    Test(F, Test),
    /// One of these searchable fields contains the word.
    Word(Vec<F>, Pattern),
}

/// Predicate on a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Has a value.
    Present,
    /// Text satisfies a test.
    Text(TextTest),
    /// Equals true or false.
    Is(bool),
    /// Equals one of these ids.
    Ids(Vec<Uuid>),
    /// Less or greater than this id.
    Id(Order, Uuid),
    /// Equals one of these times.
    Times(Vec<DateTime<Utc>>),
    /// Before or after this time.
    Time(Order, DateTime<Utc>),
    /// The value at this path of an object equals one of these, or is a list that contains one of them.
    Json(Vec<String>, Vec<Value>),
    /// An object has a value at this path.
    JsonPresent(Vec<String>),
    /// The field's names include one of these.
    Names(Vec<String>),
    /// One group satisfies the whole filter.
    Group(Box<Filter<GroupEntryField>>),
}

/// Predicate on a text. Unless [`Case::Exact`] is given, case and compatibility forms of characters are ignored.
#[derive(Clone, Debug, PartialEq)]
pub enum TextTest {
    /// Equals one of these.
    Equal(Vec<String>, Case),
    /// Contains the text.
    Contains(String, Case),
    /// Starts with the text.
    StartsWith(String),
    /// Ends with the text.
    EndsWith(String),
    /// Sorts before or after the text, in the order of `sort`.
    Compare(Order, String),
    /// The whole text matches the pattern.
    Like(Pattern),
    /// The regular expression matches somewhere in the unfolded text.
    Matches(Regex),
}

/// Case sensitivity of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Case-insensitive: `Ada` equals `ada`.
    Folded,
    /// Case-sensitive.
    Exact,
}

/// Operator of an ordering comparison.
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

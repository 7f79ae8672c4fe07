//! What the three front ends give: a tree with positions, in which nothing has been looked up yet.

use serde_json::{Number, Value};

use crate::error::Place;
use crate::filter::{Case, Order};
use crate::pattern::Pattern;

/// Something, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// The place.
    pub at: Place,
    /// What stands there.
    pub value: T,
}

impl<T> Spanned<T> {
    /// Something at a place.
    pub fn new(at: impl Into<Place>, value: T) -> Self {
        Self { at: at.into(), value }
    }
}

/// A query as it was written.
#[derive(Clone, Debug, PartialEq)]
pub enum Syntax {
    /// All of these; of none, everything.
    All(Vec<Syntax>),
    /// Any of these.
    Any(Vec<Syntax>),
    /// Everything else.
    Not(Box<Syntax>),
    /// A comparison of a field.
    Test(Spanned<Path>, Spanned<Operator>),
    /// `groups[…]`: one entry that passes all of it.
    Entry(Spanned<Path>, Box<Syntax>),
    /// A word in any searchable field.
    Word(Spanned<Pattern>),
}

impl Syntax {
    /// All of these. Of one, that one.
    pub(crate) fn all(parts: Vec<Self>) -> Self {
        alone(parts).unwrap_or_else(Self::All)
    }

    /// Any of these. Of one, that one.
    pub(crate) fn any(parts: Vec<Self>) -> Self {
        alone(parts).unwrap_or_else(Self::Any)
    }
}

fn alone(parts: Vec<Syntax>) -> Result<Syntax, Vec<Syntax>> {
    <[Syntax; 1]>::try_from(parts).map(|[part]| part)
}

/// A field's name and, where the field is an object, what is meant in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The field.
    pub field: String,
    /// The members' names below it.
    pub below: Vec<String>,
}

/// A comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operator {
    /// Has a value.
    Present,
    /// Is true, or has a value where it can't be: JSON Logic's bare `var`.
    Truthy,
    /// Is one of these. Just one: `eq`.
    Equal(Vec<Spanned<Literal>>, Case),
    /// Contains.
    Contains(Spanned<Literal>, Case),
    /// Starts with.
    StartsWith(Spanned<Literal>),
    /// Ends with.
    EndsWith(Spanned<Literal>),
    /// Is less or greater.
    Compare(Order, Spanned<Literal>),
    /// Matches a regular expression.
    Matches(Spanned<String>),
    /// Is like a pattern with wildcards; a pattern without is an equality in any kind of field.
    Like(Spanned<Pattern>),
}

/// A value as it was written.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// A number.
    Number(Number),
    /// True or false.
    Bool(bool),
    /// Nothing.
    Null,
}

impl Literal {
    /// A value of JSON; none, where it is a list or an object.
    pub(crate) fn of(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            Value::Number(number) => Some(Self::Number(number)),
            Value::Bool(truth) => Some(Self::Bool(truth)),
            Value::Null => Some(Self::Null),
            Value::Array(_) | Value::Object(_) => None,
        }
    }
}

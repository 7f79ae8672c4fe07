//! The syntax tree of the three front ends: it has positions, and its names are not looked up yet.

use serde_json::{Number, Value};

use crate::error::Place;
use crate::filter::{Case, Order};
use crate::pattern::Pattern;

/// A value with its position.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// Position in the query.
    pub at: Place,
    /// The parsed value.
    pub value: T,
}

impl<T> Spanned<T> {
    /// Creates a value at a position.
    pub fn new(at: impl Into<Place>, value: T) -> Self {
        Self { at: at.into(), value }
    }
}

/// A parsed query.
#[derive(Clone, Debug, PartialEq)]
pub enum Syntax {
    /// All of these; true if empty.
    All(Vec<Syntax>),
    /// Any of these.
    Any(Vec<Syntax>),
    /// Negation.
    Not(Box<Syntax>),
    /// A comparison of a field.
    Test(Spanned<Path>, Spanned<Operator>),
    /// `groups[…]`: one entry satisfies the whole filter.
    Entry(Spanned<Path>, Box<Syntax>),
    /// A word in any searchable field.
    Word(Spanned<Pattern>),
}

impl Syntax {
    /// Joins conditions with "and"; returns a single one unchanged.
    pub(crate) fn all(parts: Vec<Self>) -> Self {
        alone(parts).unwrap_or_else(Self::All)
    }

    /// Joins conditions with "or"; returns a single one unchanged.
    pub(crate) fn any(parts: Vec<Self>) -> Self {
        alone(parts).unwrap_or_else(Self::Any)
    }
}

fn alone(parts: Vec<Syntax>) -> Result<Syntax, Vec<Syntax>> {
    <[Syntax; 1]>::try_from(parts).map(|[part]| part)
}

/// A field's name and, for an object, the path inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The field.
    pub field: String,
    /// Names of the members below the field.
    pub below: Vec<String>,
}

/// A comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operator {
    /// Has a value.
    Present,
    /// Is true or, for a field that is not a boolean, has a value: JSON Logic's bare `var`.
    Truthy,
    /// Equals one of these; a single value is `eq`.
    Equal(Vec<Spanned<Literal>>, Case),
    /// Contains.
    Contains(Spanned<Literal>, Case),
    /// Starts with.
    StartsWith(Spanned<Literal>),
    /// Ends with.
    EndsWith(Spanned<Literal>),
    /// Is less or greater than a value.
    Compare(Order, Spanned<Literal>),
    /// Matches a regular expression.
    Matches(Spanned<String>),
    /// Matches a pattern with wildcards; a pattern without wildcards means equality in every kind of field.
    Like(Spanned<Pattern>),
}

/// A literal value.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// A number.
    Number(Number),
    /// True or false.
    Bool(bool),
    /// `null`.
    Null,
}

impl Literal {
    /// Converts a JSON value. Returns `None` for a list or an object.
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

//! Errors of queries: the position, and what was expected there.

use std::fmt;

/// Error of a query that can't be parsed or doesn't match the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    parameter: &'static str,
    /// Position of the error in characters, counted from 0; `None` if it concerns the whole query.
    pub position: Option<usize>,
    /// The rule that is broken, and what was expected.
    pub message: String,
}

/// A position in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Index of a character, counted from 0.
    Character(usize),
    /// A member of a JSON document, as a JSON pointer (RFC 6901): the JSON parser keeps no positions.
    Member(String),
}

impl From<usize> for Place {
    fn from(character: usize) -> Self {
        Self::Character(character)
    }
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

/// Result of parsing a query.
pub type QueryResult<T> = Result<T, QueryError>;

impl QueryError {
    /// Creates an error at a position.
    pub fn at(place: impl Into<Place>, message: impl Into<String>) -> Self {
        let message = message.into();
        match place.into() {
            Place::Character(position) => Self { parameter: "", position: Some(position), message },
            Place::Member(pointer) if pointer.is_empty() => Self::whole(message),
            Place::Member(pointer) => Self::whole(format!("at {pointer}: {message}")),
        }
    }

    /// Creates an error about the whole query.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { parameter: "", position: None, message: message.into() }
    }

    pub(crate) fn of(self, parameter: &'static str) -> Self {
        Self { parameter, ..self }
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            // Positions in messages start at 1.
            Some(position) => {
                write!(formatter, "{}: at character {}: {}", self.parameter, position + 1, self.message)
            }
            None => write!(formatter, "{}: {}", self.parameter, self.message),
        }
    }
}

impl std::error::Error for QueryError {}

/// Rejects text that is too long, before it is parsed, and NUL, which the database can't store in text.
pub(crate) fn check_length(parameter: &'static str, text: &str, most: usize) -> QueryResult<()> {
    let length = text.chars().count();
    if length > most {
        let message = format!("must not have more than {most} characters, has {length}");
        return Err(QueryError::whole(message).of(parameter));
    }
    match text.chars().position(|character| character == '\0') {
        Some(position) => Err(QueryError::at(position, "must not contain the NUL character").of(parameter)),
        None => Ok(()),
    }
}

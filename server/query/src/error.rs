//! What is wrong with a query: where, and what was expected.

use std::fmt;

/// Why a query can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryError {
    parameter: &'static str,
    /// The character where it went wrong, counted from 0; `None` where it is about the whole.
    pub position: Option<usize>,
    /// What is wrong and what was expected.
    pub message: String,
}

/// Where something stands in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A character, counted from 0.
    Character(usize),
    /// A member of a JSON document, as a JSON pointer names it: its reader keeps no positions.
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

/// What reading a query gives.
pub type QueryResult<T> = Result<T, QueryError>;

impl QueryError {
    /// An error at a place.
    pub fn at(place: impl Into<Place>, message: impl Into<String>) -> Self {
        let message = message.into();
        match place.into() {
            Place::Character(position) => Self { parameter: "", position: Some(position), message },
            Place::Member(pointer) if pointer.is_empty() => Self::whole(message),
            Place::Member(pointer) => Self::whole(format!("at {pointer}: {message}")),
        }
    }

    /// An error of the whole.
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
            // People count from 1.
            Some(position) => {
                write!(formatter, "{}: at character {}: {}", self.parameter, position + 1, self.message)
            }
            None => write!(formatter, "{}: {}", self.parameter, self.message),
        }
    }
}

impl std::error::Error for QueryError {}

/// Refuses what is too long before anybody reads it, and the NUL that no text in the database can hold.
pub(crate) fn fits(parameter: &'static str, text: &str, most: usize) -> QueryResult<()> {
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

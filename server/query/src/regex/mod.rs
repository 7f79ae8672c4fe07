//! Regular expressions: the part of their syntax that Postgres (its advanced ones) and Rust's `regex` read alike.
//!
//! They differ in two things that stay: Postgres' dot is any character, a line break too, and what `\d`, `\s`, `\w` and
//! `(?i)` make of letters beyond ASCII is up to the database's locale. POSIX classes such as `[[:alpha:]]` are written out
//! for Postgres, as the ASCII that they are in Rust.

mod cost;
mod needle;
mod portable;
mod posix;

pub(crate) use cost::{OPTIONAL_MAX, SIZE_MAX};
use regex_syntax::ast::Span;
use regex_syntax::ast::parse::ParserBuilder;

use crate::REGEX_MAX;
use crate::error::{Place, QueryError, QueryResult};

/// How deep groups, choices and repetitions may be nested.
const NEST_MAX: u32 = 10;

/// A regular expression that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regex {
    /// As Postgres takes it.
    pub pattern: String,
    /// At least three characters of ASCII in a row that every match has, where there are such: an index finds those.
    /// Only their letters' case can differ.
    pub needle: Option<String>,
}

impl Regex {
    /// Checks one that stands at a place.
    pub fn parse(at: &Place, text: &str) -> QueryResult<Self> {
        let length = text.chars().count();
        if length > REGEX_MAX {
            let message =
                format!("a regular expression must not have more than {REGEX_MAX} characters, has {length}");
            return Err(QueryError::at(at, message));
        }
        let checked = match ParserBuilder::new().nest_limit(NEST_MAX).build().parse(text) {
            Ok(ast) => portable::check(text, &ast).and_then(|()| match cost::excess(&ast) {
                Some(message) => Err(Flaw { span: *ast.span(), message }),
                None => Ok((posix::written_out(text, &ast), needle::needle(&ast))),
            }),
            Err(error) => Err(Flaw { span: *error.span(), message: error.kind().to_string() }),
        };
        match checked {
            Ok((pattern, needle)) => Ok(Self { pattern, needle }),
            Err(Flaw { span, message }) => {
                let (passed, _) = text.split_at(span.start.offset);
                // People count from 1.
                let character = passed.chars().count() + 1;
                let message = format!("in the regular expression, character {character}: {message}");
                Err(QueryError::at(at, message))
            }
        }
    }
}

/// What is wrong, and where.
#[derive(Debug)]
struct Flaw {
    span: Span,
    message: String,
}

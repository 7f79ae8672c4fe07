//! Regular expressions: the part of the syntax that has the same meaning in Postgres (advanced regular expressions) and in Rust's
//! `regex`.
//!
//! Two differences remain: the dot of Postgres matches any character, including line breaks, and the database's locale decides how
//! `\d`, `\s`, `\w` and `(?i)` treat letters beyond ASCII. POSIX classes such as `[[:alpha:]]` are expanded for Postgres to the
//! ASCII characters that they have in Rust.

mod cost;
mod needle;
mod portable;
mod posix;

pub(crate) use cost::{OPTIONAL_MAX, SIZE_MAX};
use regex_syntax::ast::Span;
use regex_syntax::ast::parse::ParserBuilder;

use crate::REGEX_MAX;
use crate::error::{Place, QueryError, QueryResult};

/// Maximum nesting depth of groups, alternatives and repetitions.
const NEST_MAX: u32 = 10;

/// A validated regular expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regex {
    /// The expression in the syntax of Postgres.
    pub pattern: String,
    /// A run of at least three ASCII characters that every match contains up to case, if there is one. A trigram index can
    /// find it.
    pub needle: Option<String>,
}

impl Regex {
    /// Validates the expression at a position of a query.
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
                // Positions in messages start at 1.
                let character = passed.chars().count() + 1;
                let message = format!("in the regular expression, character {character}: {message}");
                Err(QueryError::at(at, message))
            }
        }
    }
}

/// An error with its position.
#[derive(Debug)]
struct Flaw {
    span: Span,
    message: String,
}

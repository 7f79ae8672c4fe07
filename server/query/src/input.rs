//! Common parts of the parsers of search text and SCIM filters: input, errors, and positions.

use winnow::combinator::cut_err;
use winnow::error::{AddContext, ModalError, ParserError};
use winnow::stream::{Location, Stream};
use winnow::{LocatingSlice, Parser, Stateful};

use crate::error::{QueryError, QueryResult};
use crate::syntax::Spanned;

/// The remaining text, with a counter that converts bytes to characters.
pub(crate) type Input<'a> = Stateful<LocatingSlice<&'a str>, Characters<'a>>;

/// Result of a parser.
pub(crate) type Read<T> = Result<T, Fault>;

/// Counts characters up to a byte. Calls in the order of the text take linear time in total.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Characters<'a> {
    text: &'a str,
    byte: usize,
    count: usize,
}

impl Characters<'_> {
    fn before(&mut self, byte: usize) -> usize {
        if byte < self.byte {
            (self.byte, self.count) = (0, 0);
        }
        self.count += self.text.get(self.byte..byte).map_or(0, |passed| passed.chars().count());
        self.byte = byte;
        self.count
    }
}

/// Failure of a parser. Its message is empty while another alternative may still succeed.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    byte: usize,
    message: String,
    last: bool,
}

impl Fault {
    /// Creates a failure at a byte that ends the parsing: no other alternative is tried.
    pub(crate) fn at(byte: usize, message: impl Into<String>) -> Self {
        Self { byte, message: message.into(), last: true }
    }
}

impl<I: Stream + Location> ParserError<I> for Fault {
    type Inner = Self;

    fn from_input(input: &I) -> Self {
        Self { byte: input.current_token_start(), message: String::new(), last: false }
    }

    fn is_backtrack(&self) -> bool {
        !self.last
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

impl ModalError for Fault {
    fn cut(self) -> Self {
        Self { last: true, ..self }
    }

    fn backtrack(self) -> Self {
        Self { last: false, ..self }
    }
}

impl<I: Stream> AddContext<I> for Fault {
    fn add_context(mut self, _: &I, _: &I::Checkpoint, wanted: &'static str) -> Self {
        if self.message.is_empty() {
            self.message = format!("expected {wanted}");
        }
        self
    }
}

/// Parses a whole text.
pub(crate) fn read<'a, T>(text: &'a str, mut parser: impl Parser<Input<'a>, T, Fault>) -> QueryResult<T> {
    let characters = Characters { text, byte: 0, count: 0 };
    let mut input = Stateful { input: LocatingSlice::new(text), state: characters };
    parser
        .parse_next(&mut input)
        .map_err(|fault| QueryError::at(input.state.before(fault.byte), fault.message))
}

/// Requires the parser to succeed; otherwise parsing ends with the error "expected …".
pub(crate) fn must<'a, T>(
    wanted: &'static str,
    parser: impl Parser<Input<'a>, T, Fault>,
) -> impl Parser<Input<'a>, T, Fault> {
    cut_err(parser.context(wanted))
}

/// Current position, in characters.
pub(crate) fn here(input: &mut Input<'_>) -> usize {
    input.state.before(input.input.current_token_start())
}

/// Adds the position of the parsed value.
pub(crate) fn spanned<'a, T>(
    mut parser: impl Parser<Input<'a>, T, Fault>,
) -> impl Parser<Input<'a>, Spanned<T>, Fault> {
    move |input: &mut Input<'a>| {
        let at = here(input);
        Ok(Spanned::new(at, parser.parse_next(input)?))
    }
}

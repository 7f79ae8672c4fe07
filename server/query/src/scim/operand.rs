//! Operands: a JSON value, several values in parentheses, or a regular expression.

use serde_json::Value;
use winnow::Parser;
use winnow::ascii::{multispace0, take_escaped};
use winnow::combinator::{alt, delimited, peek, preceded, separated};
use winnow::stream::Location;
use winnow::token::{any, take_till, take_while};

use crate::input::{Fault, Input, Read, must, spanned};
use crate::json_text;
use crate::syntax::{Literal, Spanned};

/// A single value.
pub(super) fn value(input: &mut Input<'_>) -> Read<Spanned<Literal>> {
    let wanted = "a value: a text in double quotes, a number, true, false or null";
    preceded(multispace0, spanned(must(wanted, alt((text.map(Literal::Text), word))))).parse_next(input)
}

/// A list of values: `("a", "b")`.
pub(super) fn values(input: &mut Input<'_>) -> Read<Vec<Spanned<Literal>>> {
    delimited(
        (multispace0, must("( and values", '(')),
        separated(1.., value, (multispace0, ',')),
        (multispace0, must("a comma or )", ')')),
    )
    .parse_next(input)
}

/// A regular expression in double quotes.
pub(super) fn regex(input: &mut Input<'_>) -> Read<Spanned<String>> {
    preceded(multispace0, spanned(must("a regular expression in double quotes", text))).parse_next(input)
}

/// A JSON string.
pub(super) fn text(input: &mut Input<'_>) -> Read<String> {
    peek('"').parse_next(input)?;
    let start = input.current_token_start();
    let mut quoted = ('"', take_escaped(take_till(1.., ['"', '\\']), '\\', any), '"').take();
    let quoted = quoted
        .parse_next(input)
        .map_err(|_: Fault| Fault::at(start, "expected a quote that ends this text"))?;
    let text: String = serde_json::from_str(quoted)
        .map_err(|error| Fault::at(start + json_text::byte(quoted, &error), json_text::message(&error)))?;
    if text.contains('\0') {
        return Err(Fault::at(start, "must not contain the NUL character"));
    }
    Ok(text)
}

/// Any other JSON value without brackets.
fn word(input: &mut Input<'_>) -> Read<Literal> {
    take_while(1.., |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        .verify_map(|word| serde_json::from_str::<Value>(word).ok().and_then(Literal::of))
        .parse_next(input)
}

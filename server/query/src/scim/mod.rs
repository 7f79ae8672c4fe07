//! SCIM filters (RFC 7644, section 3.4.2.2) over this server's field names, with two additional operators: `in` and `matches`.
//!
//! The next token decides every step, so that parsing takes linear time regardless of nesting.

mod operand;

use winnow::Parser;
use winnow::ascii::{Caseless, multispace0};
use winnow::combinator::{alt, delimited, eof, not, opt, preceded, repeat, separated, terminated};
use winnow::stream::Location;
use winnow::token::{one_of, take_while};

use crate::DEPTH_MAX;
use crate::error::QueryResult;
use crate::filter::{Case, Order};
use crate::input::{Fault, Input, Read, here, must, read, spanned};
use crate::syntax::{Operator, Path, Spanned, Syntax};

const OPERATORS: &str = "an operator: eq, ne, co, sw, ew, gt, ge, lt, le, in, matches, pr";

/// Parses a filter.
pub fn parse(text: &str) -> QueryResult<Syntax> {
    let filter = |input: &mut Input<'_>| any_of(input, 0);
    read(text, terminated(filter, (multispace0, must("and, or or the end", eof))))
}

fn any_of(input: &mut Input<'_>, depth: usize) -> Read<Syntax> {
    separated(1.., |input: &mut Input<'_>| all_of(input, depth), keyword("or"))
        .map(Syntax::any)
        .parse_next(input)
}

fn all_of(input: &mut Input<'_>, depth: usize) -> Read<Syntax> {
    separated(1.., |input: &mut Input<'_>| term(input, depth), keyword("and"))
        .map(Syntax::all)
        .parse_next(input)
}

fn term(input: &mut Input<'_>, depth: usize) -> Read<Syntax> {
    multispace0.parse_next(input)?;
    if depth > DEPTH_MAX {
        let message = format!("must not be nested deeper than {DEPTH_MAX}");
        return Err(Fault::at(input.current_token_start(), message));
    }
    let negation = preceded((keyword("not"), multispace0), |input: &mut Input<'_>| negated(input, depth))
        .map(|part| Syntax::Not(Box::new(part)));
    let group = |input: &mut Input<'_>| group(input, depth);
    let comparison = |input: &mut Input<'_>| comparison(input, depth);
    must("the name of a field, not or (", alt((negation, group, comparison))).parse_next(input)
}

/// The operand of `not`. The RFC requires parentheses there, so `not (…)` counts as one level of nesting.
fn negated(input: &mut Input<'_>, depth: usize) -> Read<Syntax> {
    let group = |input: &mut Input<'_>| group(input, depth);
    alt((group, |input: &mut Input<'_>| term(input, depth + 1))).parse_next(input)
}

fn group(input: &mut Input<'_>, depth: usize) -> Read<Syntax> {
    let inner = |input: &mut Input<'_>| any_of(input, depth + 1);
    delimited('(', inner, (multispace0, must("and, or or )", ')'))).parse_next(input)
}

fn comparison(input: &mut Input<'_>, depth: usize) -> Read<Syntax> {
    let path = spanned(path).parse_next(input)?;
    multispace0.parse_next(input)?;
    if opt('[').parse_next(input)?.is_some() {
        let inner = any_of(input, depth + 1)?;
        (multispace0, must("and, or or ]", ']')).parse_next(input)?;
        return Ok(Syntax::Entry(path, Box::new(inner)));
    }
    let (start, at) = (input.current_token_start(), here(input));
    let word = must(OPERATORS, name).parse_next(input)?.to_ascii_lowercase();
    let operator = match word.as_str() {
        "pr" => Operator::Present,
        "eq" | "ne" => Operator::Equal(vec![operand::value(input)?], Case::Folded),
        "co" => Operator::Contains(operand::value(input)?, Case::Folded),
        "sw" => Operator::StartsWith(operand::value(input)?),
        "ew" => Operator::EndsWith(operand::value(input)?),
        "gt" => Operator::Compare(Order::Greater, operand::value(input)?),
        "ge" => Operator::Compare(Order::GreaterOrEqual, operand::value(input)?),
        "lt" => Operator::Compare(Order::Less, operand::value(input)?),
        "le" => Operator::Compare(Order::LessOrEqual, operand::value(input)?),
        "in" => Operator::Equal(operand::values(input)?, Case::Folded),
        "matches" => Operator::Matches(operand::regex(input)?),
        _ => return Err(Fault::at(start, format!("expected {OPERATORS}"))),
    };
    let test = Syntax::Test(path, Spanned::new(at, operator));
    Ok(if word == "ne" { Syntax::Not(Box::new(test)) } else { test })
}

fn path(input: &mut Input<'_>) -> Read<Path> {
    let field =
        name.verify(|word: &str| !["and", "or", "not"].iter().any(|key| word.eq_ignore_ascii_case(key)));
    let part = must("a name or a text in double quotes", alt((operand::text, name.map(str::to_owned))));
    (field.map(str::to_owned), repeat(0.., preceded('.', part)))
        .map(|(field, below)| Path { field, below })
        .parse_next(input)
}

fn name<'a>(input: &mut Input<'a>) -> Read<&'a str> {
    (one_of(|c: char| c.is_ascii_alphabetic()), take_while(0.., in_name)).take().parse_next(input)
}

fn in_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '$')
}

fn keyword<'a>(word: &'static str) -> impl Parser<Input<'a>, (), Fault> {
    (multispace0, Caseless(word), not(one_of(in_name))).void()
}

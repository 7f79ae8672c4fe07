//! Search text, such as `ada`, `email:*@example.org`, `-suspended:true` and `"Ada L"`. All terms must match.

mod pattern;

use winnow::Parser;
use winnow::combinator::{alt, eof, not, opt, preceded, repeat, separated, terminated};
use winnow::stream::Location;
use winnow::token::{one_of, take_while};

use crate::error::QueryResult;
use crate::input::{Fault, Input, Read, here, must, read, spanned};
use crate::syntax::{Operator, Path, Spanned, Syntax};

const TERM: &str = "a word, a phrase in quotes or field:value";
const END: &str = "a space or a comma";

/// Parses search text.
pub fn parse(text: &str) -> QueryResult<Syntax> {
    let terms = alt((eof.map(|_| Vec::new()), separated(1.., term, separator)));
    read(text, preceded(space, terminated(terms, (space, must(END, eof)))).map(Syntax::all))
}

fn space<'a>(input: &mut Input<'a>) -> Read<&'a str> {
    take_while(0.., char::is_whitespace).parse_next(input)
}

fn separator(input: &mut Input<'_>) -> Read<()> {
    let spaces = (take_while(1.., char::is_whitespace), not(eof));
    alt(((space, ',', space).void(), spaces.void())).parse_next(input)
}

fn term(input: &mut Input<'_>) -> Read<Syntax> {
    let minus = opt('-').parse_next(input)?;
    let term = must(TERM, alt((comparison, word))).parse_next(input)?;
    Ok(if minus.is_some() { Syntax::Not(Box::new(term)) } else { term })
}

fn comparison(input: &mut Input<'_>) -> Read<Syntax> {
    let (start, at) = (input.current_token_start(), here(input));
    let path = terminated(path, (space, ':', space)).parse_next(input)?;
    // The name is validated after the colon, because without one it is a word.
    if path.below.iter().any(String::is_empty) {
        return Err(Fault::at(start, "expected a name behind every dot"));
    }
    let value = must("a value behind the colon", spanned(pattern::pattern)).parse_next(input)?;
    let operator = Spanned { at: value.at.clone(), value: Operator::Like(value) };
    Ok(Syntax::Test(Spanned::new(at, path), operator))
}

fn path(input: &mut Input<'_>) -> Read<Path> {
    let field = (one_of(|c: char| c.is_ascii_alphabetic() || c == '_'), take_while(0.., in_name)).take();
    let below = repeat(0.., preceded('.', take_while(0.., in_name).map(str::to_owned)));
    (field.map(str::to_owned), below).map(|(field, below)| Path { field, below }).parse_next(input)
}

fn in_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn word(input: &mut Input<'_>) -> Read<Syntax> {
    preceded(not(one_of(['-', ':'])), spanned(pattern::pattern)).map(Syntax::Word).parse_next(input)
}

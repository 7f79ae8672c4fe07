//! Words and phrases, both with wildcards and escapes.

use winnow::Parser;
use winnow::combinator::{alt, opt, preceded, repeat};
use winnow::stream::Location;
use winnow::token::{one_of, take_while};

use crate::input::{Fault, Input, Read};
use crate::pattern::{Part, Pattern};

const ESCAPES: &str = "expected \\ ? * \" ' n : , - or a space behind the backslash";

/// A phrase or a word.
pub(super) fn pattern(input: &mut Input<'_>) -> Read<Pattern> {
    alt((phrase('"'), phrase('\''), word)).parse_next(input)
}

fn phrase<'a>(quote: char) -> impl Parser<Input<'a>, Pattern, Fault> {
    move |input: &mut Input<'a>| {
        let start = input.current_token_start();
        let phrase = preceded(quote, pieces(move |c| c != quote)).parse_next(input)?;
        if opt(quote).parse_next(input)?.is_none() {
            return Err(Fault::at(start, "expected a quote that ends this phrase"));
        }
        if phrase.is_empty() {
            return Err(Fault::at(start, "expected something between the quotes"));
        }
        Ok(phrase)
    }
}

/// A word. Quotes have a meaning only at its beginning, so that O'Brien needs no quotes.
fn word(input: &mut Input<'_>) -> Read<Pattern> {
    pieces(|c| !c.is_whitespace() && c != ',').verify(|word: &Pattern| !word.is_empty()).parse_next(input)
}

/// A character, or a wildcard.
enum Piece {
    Character(char),
    Wildcard(Part),
}

fn pieces<'a>(plain: impl Fn(char) -> bool + Copy) -> impl Parser<Input<'a>, Pattern, Fault> {
    let piece = alt((
        // Consecutive `*` are equal to one.
        take_while(1.., '*').map(|_| Piece::Wildcard(Part::Many)),
        '?'.map(|_| Piece::Wildcard(Part::One)),
        escape.map(Piece::Character),
        one_of(plain).map(Piece::Character),
    ));
    repeat(0.., piece).fold(Pattern::default, |mut pattern, piece| {
        match piece {
            Piece::Character(character) => pattern.push(character),
            Piece::Wildcard(wildcard) => pattern.0.push(wildcard),
        }
        pattern
    })
}

fn escape(input: &mut Input<'_>) -> Read<char> {
    let start = input.current_token_start();
    '\\'.parse_next(input)?;
    alt(('n'.value('\n'), one_of(['\\', '?', '*', '"', '\'', ':', ',', '-', ' '])))
        .parse_next(input)
        .map_err(|_: Fault| Fault::at(start, ESCAPES))
}

//! Short constructors of trees, and comparisons of parsed with expected trees.

use rollcall_query::error::{Place, QueryResult};
use rollcall_query::filter::Case;
use rollcall_query::pattern::{Part, Pattern};
use rollcall_query::syntax::{Literal, Operator, Path, Spanned, Syntax};
use serde_json::Number;

/// Position of a member of a JSON document.
pub fn member(pointer: &str) -> Place {
    Place::Member(pointer.to_owned())
}

/// A path such as `custom_data.plan`.
pub fn path(text: &str) -> Path {
    let mut parts = text.split('.').map(str::to_owned);
    Path { field: parts.next().unwrap_or_default(), below: parts.collect() }
}

/// A comparison, with the positions of the field and of the operator.
pub fn test(at: impl Into<Place>, field: &str, operator_at: impl Into<Place>, operator: Operator) -> Syntax {
    Syntax::Test(Spanned::new(at, path(field)), Spanned::new(operator_at, operator))
}

/// The negation.
pub fn not(syntax: Syntax) -> Syntax {
    Syntax::Not(Box::new(syntax))
}

/// A text as a value.
pub fn text(at: impl Into<Place>, text: &str) -> Spanned<Literal> {
    Spanned::new(at, Literal::Text(text.to_owned()))
}

/// A number as a value.
pub fn number(at: impl Into<Place>, number: impl Into<Number>) -> Spanned<Literal> {
    Spanned::new(at, Literal::Number(number.into()))
}

/// Equality with one value.
pub fn equal(case: Case, value: Spanned<Literal>) -> Operator {
    Operator::Equal(vec![value], case)
}

/// A pattern in which `*` and `?` are wildcards and all other characters are literal.
pub fn pattern(text: &str) -> Pattern {
    let mut pattern = Pattern::default();
    for character in text.chars() {
        match character {
            '*' => pattern.0.push(Part::Many),
            '?' => pattern.0.push(Part::One),
            character => pattern.push(character),
        }
    }
    pattern
}

/// Asserts that every text parses to its tree.
pub fn assert_read(parse: fn(&str) -> QueryResult<Syntax>, cases: Vec<(&str, Syntax)>) {
    for (text, expected) in cases {
        assert_eq!(parse(text), Ok(expected), "{text}");
    }
}

/// Asserts the position and the message of the error of every text.
pub fn assert_refused(parse: fn(&str) -> QueryResult<Syntax>, cases: &[(&str, Option<usize>, &str)]) {
    for (text, position, message) in cases {
        match parse(text) {
            Ok(syntax) => panic!("{text} means {syntax:?}"),
            Err(error) => {
                assert_eq!(error.position, *position, "{text}: {}", error.message);
                assert!(error.message.contains(message), "{text}: {}", error.message);
            }
        }
    }
}

/// Asserts that both texts of every pair parse to the same tree, apart from positions.
pub fn assert_same(parse: fn(&str) -> QueryResult<Syntax>, cases: &[(&str, &str)]) {
    for (one, other) in cases {
        assert_eq!(parse(one).map(placeless), parse(other).map(placeless), "{one}");
        assert!(parse(one).is_ok(), "{one}");
    }
}

/// Sets every position of a tree to the start, for comparison with a constructed tree.
pub fn placeless(syntax: Syntax) -> Syntax {
    let parts = |parts: Vec<Syntax>| parts.into_iter().map(placeless).collect();
    match syntax {
        Syntax::All(inner) => Syntax::All(parts(inner)),
        Syntax::Any(inner) => Syntax::Any(parts(inner)),
        Syntax::Not(inner) => not(placeless(*inner)),
        Syntax::Entry(path, inner) => Syntax::Entry(moved(path), Box::new(placeless(*inner))),
        Syntax::Word(pattern) => Syntax::Word(moved(pattern)),
        Syntax::Test(path, operator) => {
            let operator = match operator.value {
                Operator::Equal(values, case) => {
                    Operator::Equal(values.into_iter().map(moved).collect(), case)
                }
                Operator::Contains(value, case) => Operator::Contains(moved(value), case),
                Operator::StartsWith(value) => Operator::StartsWith(moved(value)),
                Operator::EndsWith(value) => Operator::EndsWith(moved(value)),
                Operator::Compare(order, value) => Operator::Compare(order, moved(value)),
                Operator::Matches(pattern) => Operator::Matches(moved(pattern)),
                Operator::Like(pattern) => Operator::Like(moved(pattern)),
                operator @ (Operator::Present | Operator::Truthy) => operator,
            };
            Syntax::Test(moved(path), Spanned::new(0, operator))
        }
    }
}

fn moved<T>(spanned: Spanned<T>) -> Spanned<T> {
    Spanned::new(0, spanned.value)
}

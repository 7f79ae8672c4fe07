//! Random trees, limited to those that each language can express.

use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::prop_oneof;
use proptest::sample::select;
use rollcall_query::filter::{Case, Order};
use rollcall_query::pattern::{Part, Pattern};
use rollcall_query::syntax::{Literal, Operator, Path, Spanned, Syntax};
use serde_json::Number;

use crate::support::not;

const NAMES: &[&str] = &["a", "Name2", "custom_data", "x-y", "z$", "order", "android", "nothing", "pr", "eq"];
const ORDERS: &[Order] = &[Order::Less, Order::LessOrEqual, Order::Greater, Order::GreaterOrEqual];

/// Trees of SCIM filters.
pub fn scim() -> impl Strategy<Value = Syntax> {
    let literal = || literal().prop_map(at);
    let operator = prop_oneof![
        Just(Operator::Present),
        vec(literal(), 1..4).prop_map(|values| Operator::Equal(values, Case::Folded)),
        literal().prop_map(|value| Operator::Contains(value, Case::Folded)),
        literal().prop_map(Operator::StartsWith),
        literal().prop_map(Operator::EndsWith),
        (order(), literal()).prop_map(|(order, value)| Operator::Compare(order, value)),
        text(0).prop_map(|pattern| Operator::Matches(at(pattern))),
    ];
    let path = || (name(), vec(prop_oneof![name(), text(0)], 0..3)).prop_map(path);
    let leaf = (path(), operator).prop_map(|(path, operator)| Syntax::Test(path, at(operator)));
    leaf.prop_recursive(4, 24, 3, move |inner| {
        let entry = (path(), inner.clone()).prop_map(|(path, inner)| Syntax::Entry(path, Box::new(inner)));
        prop_oneof![conditions(inner), entry]
    })
}

/// Trees of JSON Logic.
pub fn json_logic() -> impl Strategy<Value = Syntax> {
    let literal = || literal().prop_map(at);
    let operator = prop_oneof![
        Just(Operator::Truthy),
        vec(literal(), 1..4).prop_map(|values| Operator::Equal(values, Case::Exact)),
        literal().prop_map(|value| Operator::Contains(value, Case::Exact)),
        (order(), literal()).prop_map(|(order, value)| Operator::Compare(order, value)),
    ];
    let part = || text(1).prop_map(|text| text.replace('.', "-"));
    let leaf = ((part(), vec(part(), 0..3)).prop_map(path), operator)
        .prop_map(|(path, operator)| Syntax::Test(path, at(operator)));
    leaf.prop_recursive(4, 24, 3, conditions)
}

/// Trees of search text.
pub fn search() -> impl Strategy<Value = Syntax> {
    let like = ((name(), vec(name(), 0..3)).prop_map(path), pattern().prop_map(at)).prop_map(
        |(mut path, pattern)| {
            // SCIM names allow more characters.
            for part in path.value.below.iter_mut().chain([&mut path.value.field]) {
                *part = part.replace(['-', '$'], "_");
            }
            Syntax::Test(path, at(Operator::Like(pattern)))
        },
    );
    let term = prop_oneof![like, pattern().prop_map(|pattern| Syntax::Word(at(pattern)))];
    let term = prop_oneof![term.clone(), term.prop_map(not)];
    vec(term, 0..6).prop_map(|mut terms| match terms.len() {
        1 => terms.remove(0),
        _ => Syntax::All(terms),
    })
}

fn conditions(inner: BoxedStrategy<Syntax>) -> BoxedStrategy<Syntax> {
    prop_oneof![
        vec(inner.clone(), 2..4).prop_map(Syntax::All),
        vec(inner.clone(), 2..4).prop_map(Syntax::Any),
        inner.prop_map(not),
    ]
    .boxed()
}

fn at<T>(value: T) -> Spanned<T> {
    Spanned::new(0, value)
}

fn path((field, below): (String, Vec<String>)) -> Spanned<Path> {
    at(Path { field, below })
}

/// A name that no language quotes.
fn name() -> impl Strategy<Value = String> {
    select(NAMES).prop_map(str::to_owned)
}

/// A text of unusual characters.
fn text(least: usize) -> impl Strategy<Value = String> {
    let odd = "abz09 \\\"'/,.:;()[]{}*?%_-+\n\t\u{1}\u{7f}é\u{301}😀\u{3000}";
    vec(select(odd.chars().collect::<Vec<_>>()), least..8)
        .prop_map(|characters| characters.into_iter().collect())
}

fn literal() -> impl Strategy<Value = Literal> {
    let float = any::<f64>().prop_filter_map("JSON has no others", Number::from_f64);
    prop_oneof![
        text(0).prop_map(Literal::Text),
        any::<i64>().prop_map(|number| Literal::Number(number.into())),
        float.prop_map(Literal::Number),
        any::<bool>().prop_map(Literal::Bool),
        Just(Literal::Null),
    ]
}

fn order() -> impl Strategy<Value = Order> {
    select(ORDERS)
}

fn pattern() -> impl Strategy<Value = Pattern> {
    let part = prop_oneof![text(1).prop_map(Part::Text), Just(Part::Many), Just(Part::One)];
    vec(part, 1..5).prop_map(|parts| {
        let mut pattern = Pattern::default();
        for part in parts {
            match part {
                Part::Text(text) => text.chars().for_each(|character| pattern.push(character)),
                Part::Many if pattern.0.last() == Some(&Part::Many) => {}
                wildcard => pattern.0.push(wildcard),
            }
        }
        pattern
    })
}

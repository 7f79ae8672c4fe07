//! JSON Logic.

use rollcall_query::filter::{Case, Order};
use rollcall_query::json_logic::parse;
use rollcall_query::syntax::{Literal, Operator, Spanned, Syntax};

use crate::support::{assert_read, assert_refused, assert_same, equal, member, not, number, test, text};

fn is(at: &str, field: &str, value: &str) -> Syntax {
    let operator = equal(Case::Exact, text(member(&format!("{at}/1")), value));
    test(member(&format!("{at}/0")), field, member(at), operator)
}

fn truthy(at: &str, field: &str) -> Syntax {
    test(member(at), field, member(at), Operator::Truthy)
}

#[test]
fn equality_and_conditions_have_positions() {
    assert_read(
        parse,
        vec![
            (r#"{"==": [{"var": "a"}, "x"]}"#, is("/==", "a", "x")),
            (r#"{"===": [{"var": ["a"]}, "x"]}"#, is("/===", "a", "x")),
            (r#"{"!=": [{"var": "a.b.c"}, "x"]}"#, not(is("/!=", "a.b.c", "x"))),
            (r#"{"!==": [{"var": "a"}, "x"]}"#, not(is("/!==", "a", "x"))),
            (
                r#"{"==": ["x", {"var": "a"}]}"#,
                test(member("/==/1"), "a", member("/=="), equal(Case::Exact, text(member("/==/0"), "x"))),
            ),
            (
                r#"{"==": [{"var": "a"}, null]}"#,
                test(
                    member("/==/0"),
                    "a",
                    member("/=="),
                    equal(Case::Exact, Spanned::new(member("/==/1"), Literal::Null)),
                ),
            ),
            (r#"{"var": "a"}"#, truthy("/var", "a")),
            (r#"{"!": {"var": "a"}}"#, not(truthy("/!/var", "a"))),
            (r#"{"!": [{"var": "a"}]}"#, not(truthy("/!/0/var", "a"))),
            (r#"{"!!": {"var": "a"}}"#, truthy("/!!/var", "a")),
            (r#"{"!!": [{"==": [{"var": "a"}, "x"]}]}"#, is("/!!/0/==", "a", "x")),
            (
                r#"{"and": [{"var": "a"}, {"or": [{"var": "b"}, {"var": "c"}]}]}"#,
                Syntax::All(vec![
                    truthy("/and/0/var", "a"),
                    Syntax::Any(vec![truthy("/and/1/or/0/var", "b"), truthy("/and/1/or/1/var", "c")]),
                ]),
            ),
            (r#" {"or": [{"var": "a"}]} "#, truthy("/or/0/var", "a")),
        ],
    );
}

#[test]
fn order_works_with_the_field_on_either_side() {
    let compare = |name: &str, order, field: usize, value: usize| {
        let operator = Operator::Compare(order, number(member(&format!("/{name}/{value}")), 5));
        test(member(&format!("/{name}/{field}")), "a", member(&format!("/{name}")), operator)
    };
    let mut cases = Vec::new();
    for (name, order, flipped) in [
        ("<", Order::Less, Order::Greater),
        ("<=", Order::LessOrEqual, Order::GreaterOrEqual),
        (">", Order::Greater, Order::Less),
        (">=", Order::GreaterOrEqual, Order::LessOrEqual),
    ] {
        cases.push((format!(r#"{{"{name}": [{{"var": "a"}}, 5]}}"#), compare(name, order, 0, 1)));
        cases.push((format!(r#"{{"{name}": [5, {{"var": "a"}}]}}"#), compare(name, flipped, 1, 0)));
    }
    assert_read(parse, cases.iter().map(|(text, syntax)| (text.as_str(), syntax.clone())).collect());
    assert_same(
        parse,
        &[
            (r#"{"<":[1,{"var":"a"},5]}"#, r#"{"and":[{">":[{"var":"a"},1]},{"<":[{"var":"a"},5]}]}"#),
            (r#"{"<=":[1,{"var":"a"},5]}"#, r#"{"and":[{">=":[{"var":"a"},1]},{"<=":[{"var":"a"},5]}]}"#),
        ],
    );
}

#[test]
fn in_applies_to_lists_and_texts() {
    let list = Operator::Equal(vec![text(member("/in/1/0"), "x"), number(member("/in/1/1"), 2)], Case::Exact);
    let contains = Operator::Contains(text(member("/in/0"), "x"), Case::Exact);
    assert_read(
        parse,
        vec![
            (r#"{"in": [{"var": "a"}, ["x", 2]]}"#, test(member("/in/0"), "a", member("/in"), list)),
            (r#"{"in": ["x", {"var": "a"}]}"#, test(member("/in/1"), "a", member("/in"), contains)),
        ],
    );
}

#[test]
fn json_syntax_errors_have_positions() {
    let cases = [
        ("", 0, "EOF"),
        ("{\"é\": ", 6, "EOF"),
        ("{\"é\": x}", 6, "expected value"),
        ("{\n\"é\":\n [\"é\" 1]}", 13, "expected `,` or `]`"),
        ("{\"and\": []} x", 12, "trailing characters"),
        ("{\"é\": \"\\q\"}", 8, "invalid escape"),
        ("{\"é\": 1e999}", 10, "number out of range"),
    ];
    assert_refused(parse, &cases.map(|(text, at, message)| (text, Some(at), message)));
}

#[test]
fn errors_name_the_member() {
    let cases = [
        ("[]", "expected an object, such as {\"==\""),
        ("true", "expected an object, such as"),
        ("{}", "expected an object with one operator"),
        (r#"{"!": {"var": "a"}, "and": []}"#, "expected an object with one operator"),
        (r#"{"xor": []}"#, "there is no operator \"xor\"; allowed: and, or, !, !!, var, =="),
        (r#"{"and": []}"#, "at /and: expected a list of at least one condition"),
        (r#"{"or": {}}"#, "at /or: expected a list of at least one condition"),
        (r#"{"and": [{"var": "a"}, true]}"#, "at /and/1: expected an object, such as"),
        (r#"{"and": [{"xor": 1}]}"#, "at /and/0: there is no operator"),
        (r#"{"!": []}"#, "at /!: expected one condition"),
        (r#"{"!": [{"var": "a"}, {"var": "a"}]}"#, "at /!: expected one condition"),
        (r#"{"!!": false}"#, "at /!!: expected an object, such as"),
        (r#"{"var": ""}"#, "at /var: expected the name of a field"),
        (r#"{"var": 1}"#, "at /var: expected the name of a field"),
        (r#"{"var": []}"#, "at /var: expected the name of a field"),
        (r#"{"var": ["a", 1]}"#, "at /var: a field has no default"),
        (r#"{"var": "a..b"}"#, "at /var: expected the name of a field, and names behind its dots"),
        (r#"{"var": "a.\u0000"}"#, "at /var: expected the name of a field"),
        (r#"{"==": {"var": "a"}}"#, "at /==: expected a list"),
        (r#"{"==": [{"var": "a"}]}"#, "at /==: expected a field and a value"),
        (r#"{"==": [{"var": "a"}, 1, 2]}"#, "at /==: expected a field and a value"),
        (r#"{"==": [1, 2]}"#, "at /==: expected a field and a value"),
        (r#"{"==": [{"var": "a"}, {"var": "b"}]}"#, "at /==: expected a field and a value"),
        (r#"{"==": [{"var": "a"}, [1]]}"#, "at /==: expected a field and a value"),
        (r#"{"==": [{"var": "a"}, {"!": 1}]}"#, "at /==/1: expected {\"var\": field} or a value"),
        (r#"{"==": [{"var": 5}, 1]}"#, "at /==/0/var: expected the name of a field"),
        (r#"{"==": [{"var": "a"}, "\u0000"]}"#, "at /==/1: must not contain the NUL character"),
        (r#"{">": [1, {"var": "a"}, 5]}"#, "at />: expected a field and a value"),
        (r#"{"<": [{"var": "a"}, 1, 5]}"#, "at /<: expected a field and a value, or a field between"),
        (r#"{"<": [1]}"#, "at /<: expected a field and a value, or a field between"),
        (r#"{"in": [{"var": "a"}, []]}"#, "at /in: expected [{\"var\": field}, [value, …]] or"),
        (r#"{"in": [{"var": "a"}, "x"]}"#, "at /in: expected [{\"var\": field}, [value, …]] or"),
        (r#"{"in": [{"var": "a"}, [[1]]]}"#, "at /in/1/0: expected a text, a number, true, false or null"),
        (r#"{"in": [{"var": "a"}]}"#, "at /in: expected"),
    ];
    assert_refused(parse, &cases.map(|(text, message)| (text, None, message)));
}

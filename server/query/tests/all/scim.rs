//! SCIM filters.

use rollcall_query::filter::{Case, Order};
use rollcall_query::scim::parse;
use rollcall_query::syntax::{Literal, Operator, Path, Spanned, Syntax};

use crate::support::{assert_read, assert_refused, assert_same, equal, not, number, path, test, text};

fn folded(value: Spanned<Literal>) -> Operator {
    equal(Case::Folded, value)
}

#[test]
fn comparisons_have_positions() {
    let compare = |order| test(0, "a", 2, Operator::Compare(order, text(5, "x")));
    assert_read(
        parse,
        vec![
            ("a eq \"x\"", test(0, "a", 2, folded(text(5, "x")))),
            ("a ne \"x\"", not(test(0, "a", 2, folded(text(5, "x"))))),
            ("a co \"x\"", test(0, "a", 2, Operator::Contains(text(5, "x"), Case::Folded))),
            ("a sw \"x\"", test(0, "a", 2, Operator::StartsWith(text(5, "x")))),
            ("a ew \"x\"", test(0, "a", 2, Operator::EndsWith(text(5, "x")))),
            ("a gt \"x\"", compare(Order::Greater)),
            ("a ge \"x\"", compare(Order::GreaterOrEqual)),
            ("a lt \"x\"", compare(Order::Less)),
            ("a le \"x\"", compare(Order::LessOrEqual)),
            ("a pr", test(0, "a", 2, Operator::Present)),
            ("a matches \"x\"", test(0, "a", 2, Operator::Matches(Spanned::new(10, "x".to_owned())))),
            ("a in (\"x\")", test(0, "a", 2, folded(text(6, "x")))),
            (
                " a  in(\"é\" ,2)",
                test(1, "a", 4, Operator::Equal(vec![text(7, "é"), number(12, 2)], Case::Folded)),
            ),
            ("\n\ta\neq\r\n\"x\" ", test(2, "a", 4, folded(text(8, "x")))),
            ("a_b-c$1 pr", test(0, "a_b-c$1", 8, Operator::Present)),
        ],
    );
}

#[test]
fn values_are_those_of_json() {
    let literal = |value| test(0, "a", 2, folded(Spanned::new(5, value)));
    assert_read(
        parse,
        vec![
            ("a eq true", literal(Literal::Bool(true))),
            ("a eq false", literal(Literal::Bool(false))),
            ("a eq null", literal(Literal::Null)),
            ("a eq 0", literal(Literal::Number(0.into()))),
            ("a eq -12", literal(Literal::Number((-12).into()))),
            ("a eq 1.5e+3", literal(Literal::Number(serde_json::Number::from_f64(1500.0).unwrap()))),
            (r#"a eq """#, literal(Literal::Text(String::new()))),
            (
                r#"a eq "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é""#,
                literal(Literal::Text("\"\\/\u{8}\u{c}\n\r\té😀é".to_owned())),
            ),
        ],
    );
}

#[test]
fn keywords_ignore_case_and_have_precedence() {
    assert_same(
        parse,
        &[
            ("a EQ 1 AND NOT b Pr", "a eq 1 and not b pr"),
            ("a pr or b pr and c pr", "a pr or (b pr and c pr)"),
            ("a pr and b pr or c pr", "(a pr and b pr) or c pr"),
            ("not a pr and b pr", "(not (a pr)) and b pr"),
            ("not a pr or b pr", "(not(a pr))or(b pr)"),
            ("not not a pr", "not (not (a pr))"),
            ("((a pr))", "a pr"),
            ("a pr and (b pr)", "a pr and b pr"),
            ("a ne 1", "not a eq 1"),
            ("a eq\"x\"and b pr", "a eq \"x\" and b pr"),
        ],
    );
    let present = |at, name, operator| test(at, name, operator, Operator::Present);
    assert_read(
        parse,
        vec![
            (
                "a pr and b pr and c pr",
                Syntax::All(vec![present(0, "a", 2), present(9, "b", 11), present(18, "c", 20)]),
            ),
            (
                "a pr or b pr or not c pr",
                Syntax::Any(vec![present(0, "a", 2), present(8, "b", 10), not(present(20, "c", 22))]),
            ),
            // Names may begin with keywords.
            ("note pr and order pr", Syntax::All(vec![present(0, "note", 5), present(12, "order", 18)])),
        ],
    );
}

#[test]
fn paths_lead_into_objects_and_groups() {
    let odd =
        Path { field: "a".to_owned(), below: vec!["odd \"key\".".to_owned(), String::new(), "x".to_owned()] };
    let slug = test(8, "slug", 13, folded(text(16, "qa")));
    let role = test(25, "role", 30, Operator::Present);
    let groups = |inner| Syntax::Entry(Spanned::new(0, path("groups")), Box::new(inner));
    assert_read(
        parse,
        vec![
            ("a.b pr", test(0, "a.b", 4, Operator::Present)),
            ("a.b.c-d pr", test(0, "a.b.c-d", 8, Operator::Present)),
            (
                r#"a."odd \"key\"."."".x pr"#,
                Syntax::Test(Spanned::new(0, odd), Spanned::new(22, Operator::Present)),
            ),
            ("groups[ slug eq \"qa\" and role pr]", groups(Syntax::All(vec![slug.clone(), role]))),
            ("groups [slug eq \"qa\"]", groups(slug)),
        ],
    );
}

#[test]
fn errors_have_positions() {
    let operator = "expected an operator: eq, ne, co, sw, ew, gt, ge, lt, le, in, matches, pr";
    let name = "expected the name of a field, not or (";
    let value = "expected a value: a text in double quotes, a number, true, false or null";
    let cases = [
        ("", 0, name),
        ("  ", 2, name),
        ("1 eq 1", 0, name),
        ("é eq 1", 0, name),
        ("urn:x:a eq 1", 3, operator),
        ("and eq 1", 0, name),
        ("a pr and and b pr", 9, name),
        ("a pr or", 7, name),
        ("a pr OR )", 8, name),
        ("not", 3, name),
        ("()", 1, name),
        ("a", 1, operator),
        ("a is 1", 2, operator),
        ("a = 1", 2, operator),
        ("a eqq 1", 2, operator),
        ("a (b)", 2, operator),
        ("a eq", 4, value),
        ("a eq ada", 5, value),
        ("a eq 'x'", 5, value),
        ("a eq True", 5, value),
        ("a eq 01", 5, value),
        ("a eq 1e999", 5, value),
        ("a eq [1]", 5, value),
        ("a eq (1)", 5, value),
        ("a eq \"é", 5, "expected a quote that ends this text"),
        ("a eq \"x\\\"", 5, "expected a quote that ends this text"),
        ("a eq \"é\\q\"", 8, "invalid escape"),
        ("a eq \"\\ud800\"", 12, "unexpected end of hex escape"),
        ("a eq \"é\n\"", 7, "control character"),
        ("a eq \"\\u0000\"", 5, "NUL"),
        ("a.\"\\u0000\" pr", 2, "NUL"),
        ("a matches 5", 10, "expected a regular expression in double quotes"),
        ("a in 1", 5, "expected ( and values"),
        ("a in ()", 6, value),
        ("a in (1,)", 8, value),
        ("a in (1 2)", 8, "expected a comma or )"),
        ("a in (1", 7, "expected a comma or )"),
        ("a. pr", 2, "expected a name or a text in double quotes"),
        ("a.1 pr", 2, "expected a name or a text in double quotes"),
        ("(a pr", 5, "expected and, or or )"),
        ("(a pr b pr)", 6, "expected and, or or )"),
        ("a[b pr", 6, "expected and, or or ]"),
        ("a[b pr)", 6, "expected and, or or ]"),
        ("a pr)", 4, "expected and, or or the end"),
        ("é", 0, name),
        ("a eq \"éé\" x", 10, "expected and, or or the end"),
        ("a eq 1 andb pr", 7, "expected and, or or the end"),
    ];
    assert_refused(parse, &cases.map(|(text, at, message)| (text, Some(at), message)));
}

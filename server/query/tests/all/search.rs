//! Search text.

use rollcall_query::search::parse;
use rollcall_query::syntax::{Operator, Spanned, Syntax};

use crate::support::{assert_read, assert_refused, assert_same, not, pattern, test};

fn word(at: usize, text: &str) -> Syntax {
    Syntax::Word(Spanned::new(at, pattern(text)))
}

fn plain(at: usize, text: &str) -> Syntax {
    Syntax::Word(Spanned::new(at, rollcall_query::Pattern::text(text)))
}

fn like(at: usize, field: &str, value_at: usize, text: &str) -> Syntax {
    test(at, field, value_at, Operator::Like(Spanned::new(value_at, pattern(text))))
}

#[test]
fn words_and_phrases_are_parsed() {
    let mut cases = vec![
        ("", Syntax::All(Vec::new())),
        (" \t\n", Syntax::All(Vec::new())),
        (" ada ", word(1, "ada")),
        ("ada lin, 'x y'", Syntax::All(vec![word(0, "ada"), word(4, "lin"), word(9, "x y")])),
        ("é , ü\u{3000}ö", Syntax::All(vec![word(0, "é"), word(4, "ü"), word(6, "ö")])),
        ("us*r?", word(0, "us*r?")),
        ("\"us*r?\"", word(0, "us*r?")),
        ("*", word(0, "*")),
        ("**a***", word(0, "*a*")),
        ("'a,b'", word(0, "a,b")),
        ("'it\"s'", word(0, "it\"s")),
        ("\"it's\"", word(0, "it's")),
        ("a\\,b", word(0, "a,b")),
        (r#"\\\?\*\"\'\n\:\,\-\ x"#, plain(0, "\\?*\"'\n:,- x")),
        (r#""\\\?\*\"\'\n\:\,\-\ x""#, plain(0, "\\?*\"'\n:,- x")),
    ];
    // NIST Dioptra requires quotes for these, or rejects them.
    for text in [
        "john.doe",
        "john-doe",
        "a@b.com",
        "José",
        "O'Brien",
        "a|b",
        "user+tag@x.org",
        "山田",
        "12:30",
        "a(b)[c]{d}",
        "50%_",
    ] {
        cases.push((text, word(0, text)));
    }
    assert_read(parse, cases);
}

#[test]
fn fields_have_values() {
    assert_read(
        parse,
        vec![
            ("username:bob", like(0, "username", 9, "bob")),
            ("username : bob", like(0, "username", 11, "bob")),
            ("username :bob", like(0, "username", 10, "bob")),
            ("username: bob", like(0, "username", 10, "bob")),
            ("email:a@b.com", like(0, "email", 6, "a@b.com")),
            ("a:b:c", like(0, "a", 2, "b:c")),
            ("a::b", like(0, "a", 2, ":b")),
            ("a:-b", like(0, "a", 2, "-b")),
            ("a:\"x y\"", like(0, "a", 2, "x y")),
            ("a: 'x*'", like(0, "a", 3, "x*")),
            ("a:*", like(0, "a", 2, "*")),
            ("_a1.b_2.3:x", like(0, "_a1.b_2.3", 10, "x")),
            ("custom_data.plan:pro", like(0, "custom_data.plan", 17, "pro")),
            ("é a:x", Syntax::All(vec![word(0, "é"), like(2, "a", 4, "x")])),
            ("a:x b : y,c", Syntax::All(vec![like(0, "a", 2, "x"), like(4, "b", 8, "y"), word(10, "c")])),
        ],
    );
}

#[test]
fn a_minus_negates_where_a_term_starts() {
    assert_read(
        parse,
        vec![
            ("-ada", not(word(1, "ada"))),
            ("-a:x", not(like(1, "a", 3, "x"))),
            ("-'x y'", not(word(1, "x y"))),
            ("ada -lin,-x", Syntax::All(vec![word(0, "ada"), not(word(5, "lin")), not(word(10, "x"))])),
            ("john-doe", word(0, "john-doe")),
            ("a-", word(0, "a-")),
            ("\\-a", word(0, "-a")),
            ("'-a'", word(0, "-a")),
        ],
    );
    assert_same(parse, &[("-\\-a", "-'-a'"), ("a , b", "a b"), ("a,b", "a  b ")]);
}

#[test]
fn errors_have_positions() {
    let term = "expected a word, a phrase in quotes or field:value";
    let value = "expected a value behind the colon";
    let end = "expected a space or a comma";
    let escapes = "expected \\ ? * \" ' n : , - or a space behind the backslash";
    let cases = [
        (",", 0, term),
        ("é,", 2, term),
        ("a, ", 3, term),
        (",a", 0, term),
        ("a,,b", 2, term),
        ("a, ,b", 3, term),
        ("-", 1, term),
        ("- a", 1, term),
        ("a -", 3, term),
        ("-,a", 1, term),
        ("--a", 1, term),
        (":a", 0, term),
        ("é : a", 2, term),
        ("username:", 9, value),
        ("username : ", 11, value),
        ("username:,a", 9, value),
        ("a.:x", 0, "expected a name behind every dot"),
        ("é a..b:x", 2, "expected a name behind every dot"),
        ("\"\"", 0, "expected something between the quotes"),
        ("a:''", 2, "expected something between the quotes"),
        ("é \"a", 2, "expected a quote that ends this phrase"),
        ("a:'b\"", 2, "expected a quote that ends this phrase"),
        ("'a\\'", 0, "expected a quote that ends this phrase"),
        ("\"a\"b", 3, end),
        ("'a''b'", 3, end),
        ("é\\q", 1, escapes),
        ("a\\", 1, escapes),
        ("'a\\", 2, escapes),
        ("a:\\é", 2, escapes),
    ];
    assert_refused(parse, &cases.map(|(text, at, message)| (text, Some(at), message)));
}

/// Forms that NIST Dioptra's query language accepts.
#[test]
fn queries_of_dioptra_are_valid() {
    let texts = [
        "username:us*r?",
        "a, b",
        "us er",
        "us er, email:x",
        "username: bob, email : 'x y'",
        "username:\"a@b.com\"",
        "username:'say \"hi\"'",
        r"username:a\:b\,c\\d\?\*\'\n",
        "?",
        "'!#$%&()+-./;<=>@[]^_`{|}~'",
    ];
    for text in texts {
        parse(text).unwrap();
    }
}

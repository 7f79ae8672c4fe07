//! Random texts that are nearly valid: parsing always returns, and the position of an error is inside the text.

use proptest::prelude::{ProptestConfig, Strategy, proptest};
use proptest::{collection, sample};
use rollcall_query::error::{Place, QueryError};
use rollcall_query::regex::Regex;
use rollcall_query::{json_logic, scim, search};

const SCIM: &str = r#"a b.c and or not NOT eq ne co in matches pr gt ( ) [ ] . , " "x" "é\n" \ \u00 1 -1.5e3 true null é 😀"#;
const SEARCH: &str = r#"a name : : , - * ? " ' \ \n \q . é 😀"#;
const JSON: &str = r#"{ } [ ] : , "and" "or" "!" "var" "==" "<" "in" "a.b" "" "\u0000" 1 1e999 true null é " {"var":"a"} {"==":[ ]}"#;
const REGEX: &str = r"a é . ^ $ * + ? { } {2} {1,3} {255,} , 2 ( ) (?: (?i) (? | [ ] [^ - && -- [:xdigit:] \ \d \W \. \b \x41 \pL";

/// Random sequences of these tokens, some with spaces between them.
fn tokens(tokens: &'static str) -> impl Strategy<Value = String> {
    let tokens: Vec<&str> = tokens.split(' ').chain([" ", " ", "\n", "\u{3000}"]).collect();
    collection::vec(sample::select(tokens), 0..40).prop_map(|tokens| tokens.concat())
}

fn in_text(text: &str, error: &QueryError) {
    assert!(error.position.is_none_or(|position| position <= text.chars().count()), "{text}: {error}");
    assert!(!error.message.is_empty(), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scim_never_panics(text in tokens(SCIM)) {
        let _ = scim::parse(&text).inspect_err(|error| in_text(&text, error));
    }

    #[test]
    fn search_text_never_panics(text in tokens(SEARCH)) {
        let _ = search::parse(&text).inspect_err(|error| in_text(&text, error));
    }

    #[test]
    fn json_logic_never_panics(text in tokens(JSON)) {
        let _ = json_logic::parse(&text).inspect_err(|error| in_text(&text, error));
    }

    #[test]
    fn regular_expressions_never_panic(text in tokens(REGEX)) {
        match Regex::parse(&Place::Character(0), &text) {
            Ok(regex) => assert!(regex.needle.is_none_or(|needle| needle.len() >= 3)),
            Err(error) => assert!(!error.message.is_empty()),
        }
    }
}

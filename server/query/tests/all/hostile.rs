//! Texts that attack parse time or stack depth. Parsing a level twice would take exponential time.

use rollcall_query::error::QueryResult;
use rollcall_query::fields::UserField;
use rollcall_query::syntax::Syntax;
use rollcall_query::{DEPTH_MAX, FILTER_MAX, SEARCH_MAX, Sight, filter, json_logic, scim, search};

/// Repeats a part up to about this many characters.
fn filled(part: &str, length: usize) -> String {
    part.repeat(length / part.chars().count())
}

#[test]
fn depth_is_bounded() {
    let nested = |parse: fn(&str) -> QueryResult<Syntax>, open: &str, inner: &str, close: &str| {
        let text = |depth| format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
        parse(&text(DEPTH_MAX)).unwrap();
        for depth in [DEPTH_MAX + 1, 50] {
            let error = parse(&text(depth)).unwrap_err();
            assert!(error.message.ends_with("must not be nested deeper than 16"), "{open}: {error}");
        }
    };
    nested(scim::parse, "(", "a pr", ")");
    nested(scim::parse, "not ", "a pr", "");
    nested(scim::parse, "not (", "a pr", ")");
    nested(scim::parse, "a[", "a pr", "]");
    nested(json_logic::parse, r#"{"!":"#, r#"{"var":"a"}"#, "}");
    nested(json_logic::parse, r#"{"and":[{"var":"a"},"#, r#"{"var":"a"}"#, "]}");
}

#[test]
fn long_filters_are_rejected_quickly() {
    for part in [
        "(",
        "not ",
        "not(",
        "a[",
        "a.",
        "a pr and ",
        "a in (",
        "a or(",
        "\"",
        "\\",
        "-",
        " ",
        "é",
        "((a pr)or",
    ] {
        let text = filled(part, FILTER_MAX);
        assert!(scim::parse(&text).is_err(), "{part}");
        assert!(scim::parse(&format!("a eq {text}")).is_err(), "{part}");
        assert!(scim::parse(&format!("a eq \"{text}")).is_err(), "{part}");
    }
    for part in ["{\"!\":", "[", "{\"and\":[", "{\"==\":[", "{\"é\":"] {
        assert!(json_logic::parse(&filled(part, FILTER_MAX)).is_err(), "{part}");
    }
    let wide = format!("{{\"and\":[{}]}}", vec!["{\"var\":\"é\"}"; 250].join(","));
    assert!(filter::<UserField>(&wide, Sight::Whole).unwrap_err().message.contains("50 comparisons"));
    let wide = format!("{}a pr", filled("a eq \"é\" or ", FILTER_MAX - 10));
    assert!(filter::<UserField>(&wide, Sight::Whole).unwrap_err().message.contains("50 comparisons"));
}

#[test]
fn long_searches_are_parsed_quickly() {
    for part in ["a ", "-a ", "a:b ", "*?", "\\", "'", "a.", "-", ":", "é", "a  "] {
        let _ = search::parse(&filled(part, 10_000));
    }
    for part in ["a ", "-a,", "a:b "] {
        let text = filled(part, SEARCH_MAX);
        assert!(search::<UserField>(&text, Sight::Whole).is_err(), "{part}");
    }
}

#[test]
fn too_long_queries_are_rejected_before_parsing() {
    let error = filter::<UserField>(&"é".repeat(FILTER_MAX + 1), Sight::Whole).unwrap_err();
    assert_eq!(error.to_string(), "filter: must not have more than 4096 characters, has 4097");
    let error = search::<UserField>(&"é".repeat(SEARCH_MAX + 1), Sight::Whole).unwrap_err();
    assert_eq!(error.to_string(), "q: must not have more than 512 characters, has 513");
    let error = search::<UserField>("é\0", Sight::Whole).unwrap_err();
    assert_eq!(error.to_string(), "q: at character 2: must not contain the NUL character");
}

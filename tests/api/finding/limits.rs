//! Queries that are too long, too deep, too numerous or malformed: a 400 on every list, in short time.

use http::Method;
use rollcall_client::error_code;

use super::bad_queries::{ALLOWED, Bench, USERS};
use crate::support::Answer;

#[tokio::test]
async fn user_list_rejects_queries_that_are_too_long_too_deep_or_too_many() {
    let mut bench = Bench::new().await;
    let nested = |count: usize, open: &str, inner: &str, close: &str| {
        format!("{}{inner}{}", open.repeat(count), close.repeat(count))
    };
    let deep = "must not be nested deeper than 16";
    for (text, place) in [
        (nested(17, "(", "name pr", ")"), 18),
        (nested(2_000, "(", "name pr", ")"), 18),
        ("(".repeat(4_000), 18),
        (nested(17, "not ", "name pr", ""), 69),
        ("not ".repeat(1_000), 69),
        (nested(17, "(not ", "name pr", ")"), 82),
        ("groups[".repeat(580), 120),
    ] {
        bench.refused(USERS, "filter", &text, Some(place), &[deep]).await;
    }
    for text in [
        nested(17, "{\"!\":", "{\"var\":\"name\"}", "}"),
        nested(20, "{\"and\":[", "{\"var\":\"name\"}", "]}"),
    ] {
        bench.refused(USERS, "filter", &text, None, &[deep]).await;
    }
    // The JSON parser has a limit of its own.
    for text in [nested(650, "{\"!\":", "1", "}"), nested(2_000, "[", "", "]"), "{\"and\":".repeat(570)] {
        let text = if text.starts_with('[') { format!("{{\"!\":{text}}}") } else { text };
        let response = bench.ask(USERS, "filter", &text).await;
        assert_eq!((response.code(), response.error_code().as_str()), (400, error_code::INVALID_QUERY));
        assert!(response.message().starts_with("filter: "), "{}", response.message());
    }
    let many = |term: &str, between: &str, count: usize| vec![term; count].join(between);
    let comparisons = "must not have more than 50 comparisons, has 51";
    bench.refused(USERS, "filter", &many("name pr", " or ", 51), None, &[comparisons]).await;
    bench.refused(USERS, "q", &many("a", " ", 51), None, &[comparisons]).await;
    let rules = format!("{{\"or\":[{}]}}", many("{\"var\":\"name\"}", ",", 51));
    bench.refused(USERS, "filter", &rules, None, &[comparisons]).await;
    let values = format!("username in ({})", many("\"a\"", ",", 101));
    let place = "username in (".len() + 100 * 4 + 1;
    bench.refused(USERS, "filter", &values, Some(place), &["must not have more than 100 values"]).await;
    let pattern = format!("username matches \"{}\"", "a".repeat(201));
    bench.refused(USERS, "filter", &pattern, Some(18), &["must not have more than 200 characters"]).await;
    let regexes = many("username matches \"a\"", " or ", 9);
    let message = "must not have more than 8 regular expressions, has 9";
    bench.refused(USERS, "filter", &regexes, None, &[message]).await;
    for (parameter, fits, long) in [("q", 512, 513), ("filter", 4_096, 4_097), ("sort", 200, 201)] {
        // Values over the documented length are not parsed at all.
        let response = bench.ask(USERS, parameter, &"a".repeat(long)).await;
        assert_eq!((response.code(), response.error_code().as_str()), (400, error_code::INVALID_REQUEST));
        assert!(response.message().contains(&format!("{parameter}: must have")), "{}", response.message());
        let response = bench.ask(USERS, parameter, &"a".repeat(fits)).await;
        assert_ne!(response.error_code(), error_code::INVALID_REQUEST, "{parameter}");
    }
    // Queries at the limits succeed.
    for (parameter, text) in [
        ("filter", nested(16, "(", "name pr", ")")),
        ("filter", many("name co \"aaaaaaaaaa\"", " or ", 50)),
        ("filter", format!("username in ({})", many("\"a\"", ",", 100))),
        ("filter", format!("username matches \"{}\"", "a".repeat(200))),
        ("filter", many("username matches \"a\"", " or ", 8)),
        ("q", many("a", " ", 50)),
        ("q", format!("\"{}\"", "*?".repeat(255))),
        ("q", "é".repeat(512)),
    ] {
        let response = bench.ask(USERS, parameter, &text).await;
        assert_eq!(response.code(), 200, "{parameter}={text}: {}", response.message());
    }
    bench.finish();
}

#[tokio::test]
async fn every_list_rejects_invalid_queries_alike() {
    let mut bench = Bench::new().await;
    let lists = [
        (USERS, ALLOWED),
        (
            "/v1/groups",
            "allowed: id, slug, name, default, mfa_required, created_by, created_at, updated_at, custom_data",
        ),
        (
            "/v1/groups/@public/members",
            "allowed: id, username, email, phone, name, given_name, family_name, suspended, roles, joined_at",
        ),
        (
            "/v1/roles",
            "allowed: id, name, description, scope, type, is_default, built_in, permissions, created_at, updated_at",
        ),
    ];
    for (path, allowed) in lists {
        bench.refused(path, "q", "color:red", Some(1), &[allowed]).await;
        bench.refused(path, "filter", "color pr", Some(1), &[allowed]).await;
        bench.refused(path, "filter", r#"{"var":"color"}"#, None, &[allowed]).await;
        bench.refused(path, "sort", "color", Some(1), &["allowed: id, "]).await;
        bench.refused(path, "q", "NUL\0", Some(4), &["NUL"]).await;
        for (parameter, value) in
            [("limit", "0"), ("limit", "201"), ("order", "name"), ("search", "a"), ("offset", "1")]
        {
            let response = bench.ask(path, parameter, value).await;
            assert_eq!((response.code(), response.error_code().as_str()), (400, error_code::INVALID_REQUEST));
            assert!(response.message().contains(parameter), "{path}: {}", response.message());
        }
        for twice in ["q=a&q=b", "filter=id+pr&filter=id+pr", "sort=id&sort=id"] {
            let request = bench.server.request(Method::GET, &format!("{path}?{twice}"));
            let response = Answer::of(request.bearer_auth(bench.admin.token())).await;
            assert_eq!(
                (response.code(), response.error_code().as_str()),
                (400, error_code::INVALID_REQUEST),
                "{path}?{twice}"
            );
        }
        // An empty filter, and an empty sort.
        let response = bench.ask(path, "filter", "").await;
        assert!((400..500).contains(&response.code()), "{path}: {}", response.code());
        let response = bench.ask(path, "sort", "").await;
        assert!((400..500).contains(&response.code()), "{path}: {}", response.code());
    }
    bench.finish();
}

/// Any input gets a response: in short time, and never an internal error.
#[tokio::test]
async fn user_list_survives_random_queries() {
    let bench = Bench::new().await;
    let pieces = [
        "username",
        "custom_data",
        ".",
        "\"",
        "'",
        "\\",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        " ",
        ",",
        ":",
        "-",
        "*",
        "?",
        "eq",
        "in",
        "not",
        "and",
        "matches",
        "\"(\"",
        "\"a\"",
        "null",
        "1e5",
        "é",
        "ß",
        "\u{200d}",
        "𝕏",
        "%",
        "_",
        "$1",
        ";",
        "--",
        "/*",
        "\n",
        "\u{7f}",
        "\u{feff}",
        "==",
        "{\"var\":",
        "\u{10ffff}",
    ];
    // A deterministic generator, so that a failure can be reproduced.
    let mut state = 42u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for round in 0..600 {
        let text: String = (0..=next(9)).map(|_| pieces[next(pieces.len())]).collect();
        let parameter = ["q", "filter", "sort"][round % 3];
        let response = bench.ask(USERS, parameter, &text).await;
        let code = response.error_code();
        let known = response.code() == 200
            || response.code() == 400
                && (code == error_code::INVALID_QUERY
                    && response.message().starts_with(&format!("{parameter}: "))
                    || code == error_code::INVALID_REQUEST);
        assert!(known, "{parameter}={text:?}: {} {}", response.code(), response.message());
    }
    bench.finish();
}

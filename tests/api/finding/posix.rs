//! POSIX classes in regular expressions: the database classifies characters as Rust does, regardless of its
//! locale.

use regex::Regex;

use crate::support::{Answer, TestServer};

const CLASSES: &[&str] = &[
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// Every ASCII character except for NUL, and others that are letters, digits or spaces in some locale.
fn characters() -> Vec<char> {
    ('\u{1}'..='\u{7F}').chain("éÉßſıK１\u{A0}\u{2003}\u{85}中😀".chars()).collect()
}

/// The characters matched by a regular expression, as one text.
async fn found(server: &TestServer, token: &str, pattern: &str) -> String {
    let mut names = String::new();
    let mut page_token: Option<String> = None;
    loop {
        let filter = format!("name matches {}", serde_json::Value::from(pattern));
        let mut query = vec![("filter", filter.as_str()), ("limit", "200")];
        query.extend(page_token.as_deref().map(|token| ("page_token", token)));
        let request = server.request(http::Method::GET, "/v1/users").query(&query);
        let response = Answer::of(request.bearer_auth(token)).await;
        assert_eq!(response.code(), 200, "{pattern}: {}", response.message());
        let page = response.json();
        page["items"].as_array().unwrap().iter().for_each(|user| names += user["name"].as_str().unwrap());
        page_token = page["next_page"].as_str().map(str::to_owned);
        if page_token.is_none() {
            return names;
        }
    }
}

#[tokio::test]
async fn user_list_matches_classes_of_posix_as_rust_does() {
    let server = TestServer::start().await;
    let token = server.admin().await.token();
    let insert = "INSERT INTO users (id, username, username_folded, name, profile, created_via, created_at, updated_at) \
        SELECT gen_random_uuid(), 'u' || n, 'u' || n, name, '{}', 'admin', now(), now() \
        FROM unnest($1::text[]) WITH ORDINALITY AS names(name, n)";
    let names: Vec<String> = characters().iter().map(char::to_string).collect();
    server.db().await.execute(insert, &[&names]).await.unwrap();
    let mut patterns: Vec<String> = Vec::new();
    for class in CLASSES {
        patterns.extend([format!("^[[:{class}:]]$"), format!("^[^[:{class}:]]$")]);
    }
    let more = [
        "^[[:alpha:][:digit:]_-]$",
        "^[-[:punct:]]$",
        "^[][:space:]]$",
        r"^[[:cntrl:]\]\\a-f]$",
        "(?i)^[[:upper:]]$",
        "^(?:[[:lower:]]|[[:punct:]])+$",
    ];
    patterns.extend(more.map(str::to_owned));
    let sorted = |text: &str| {
        let mut characters: Vec<char> = text.chars().collect();
        characters.sort_unstable();
        characters
    };
    for pattern in patterns {
        let regex = Regex::new(&pattern).unwrap();
        // The effect of `(?i)` on letters beyond ASCII depends on the database.
        let told = |character: &char| !pattern.starts_with("(?i)") || character.is_ascii();
        let expected: Vec<char> =
            characters().into_iter().filter(|one| told(one) && regex.is_match(&one.to_string())).collect();
        let mut got = sorted(&found(&server, &token, &pattern).await);
        got.retain(told);
        assert_eq!(got, sorted(&expected.iter().collect::<String>()), "{pattern}");
    }
}

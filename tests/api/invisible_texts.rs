//! Display names, addresses and descriptions without invisible characters and without characters that change
//! the direction of text.

use http::Method;
use rollcall_client::{Paged, error_code};
use rollcall_server::commands;
use serde_json::{Value, json};

use super::create;
use crate::support::log::Captured;
use crate::support::server::make_cheap;
use crate::support::{Answer, TestServer};

/// Characters that no name may contain, regardless of the context.
const HIDDEN: &[&str] = &[
    "\u{7}", "\u{85}", "\u{ad}", "\u{34f}", "\u{61c}", "\u{115f}", "\u{1160}", "\u{17b4}", "\u{180e}",
    "\u{200b}", "\u{200e}", "\u{200f}", "\u{2028}", "\u{202a}", "\u{202e}", "\u{2060}", "\u{2066}",
    "\u{2069}", "\u{206f}", "\u{3164}", "\u{feff}", "\u{ffa0}", "\u{fff9}", "\u{ffff}",
];

/// Names that consist of blank characters only.
const BLANK: &[&str] = &[
    " ",
    "\u{a0}",
    "\u{2003}",
    "\u{3000}",
    "\u{2800}",
    "\u{200c}\u{200d}",
    "\u{fe0f}",
    "\u{180b}",
    "\u{e0061}",
    "\u{e0100} ",
];

/// Valid names.
const FINE: &[&str] = &[
    "Ada Lovelace",
    "علی\u{200c}رضا",
    "ශ්\u{200d}රී",
    "O’Brien — “Bob”",
    "葛\u{e0100}城",
    "❤\u{fe0f} 👩\u{200d}🚀 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
    "שלום Ada",
    "ᠪᠠ\u{180b}ᠲᠤ",
    "\u{1fae0}",
];

/// Every operation that writes a display name: method, path, the body around the name, and the field.
fn writers(name: &str) -> Vec<(Method, &'static str, Value, &'static str)> {
    let profile = json!({ "given_name": name });
    vec![
        (Method::POST, "/v1/users", json!({ "username": "somebody", "name": name }), "name"),
        (
            Method::POST,
            "/v1/users",
            json!({ "username": "somebody", "profile": profile }),
            "profile.given_name",
        ),
        (Method::PATCH, "/v1/users/me", json!({ "name": name }), "name"),
        (Method::PATCH, "/v1/users/me", json!({ "profile": { "family_name": name } }), "profile.family_name"),
        (Method::PATCH, "/v1/users/me", json!({ "profile": { "nickname": name } }), "profile.nickname"),
        (Method::POST, "/v1/groups", json!({ "slug": "team", "name": name }), "name"),
        (Method::PATCH, "/v1/groups/@home", json!({ "name": name }), "name"),
    ]
}

async fn server() -> (TestServer, String) {
    let server = TestServer::start().await;
    let token = server.admin().await.token();
    let group = server.request(Method::POST, "/v1/groups").bearer_auth(&token);
    assert_eq!(Answer::of(group.json(&json!({ "slug": "home", "name": "Home" }))).await.code(), 201);
    (server, token)
}

async fn sent(
    server: &TestServer,
    token: &str,
    (method, path, body, _): &(Method, &str, Value, &str),
) -> Answer {
    let request = server.request(method.clone(), path).bearer_auth(token).header("if-match", "*");
    Answer::of(request.json(body)).await
}

#[tokio::test]
async fn no_operation_accepts_a_name_with_hidden_characters() {
    let (server, token) = server().await;
    let around = HIDDEN.iter().map(|hidden| format!("Ada{hidden} L"));
    for name in around.chain(HIDDEN.iter().chain(BLANK).map(|text| (*text).to_owned())) {
        for writer in writers(&name) {
            let response = sent(&server, &token, &writer).await;
            let got = (response.code(), response.error_code());
            assert_eq!(
                got,
                (400, error_code::INVALID_REQUEST.to_owned()),
                "{} {}: {name:?}",
                writer.0,
                writer.1
            );
            assert!(response.message().contains(writer.3), "{}", response.message());
        }
    }
}

#[tokio::test]
async fn every_operation_accepts_valid_names() {
    for name in FINE {
        let (server, token) = server().await;
        for writer in writers(name) {
            // The previous request created a user with this username.
            server.sql("DELETE FROM users WHERE username = 'somebody'").await;
            let response = sent(&server, &token, &writer).await;
            assert!(matches!(response.code(), 200 | 201), "{name:?}: {}", response.message());
            assert!(response.json().to_string().contains(name), "{name:?} is kept as it is");
        }
    }
}

#[tokio::test]
async fn no_operation_accepts_an_address_with_invisible_characters() {
    let (server, token) = server().await;
    for hidden in [
        "\u{34f}",
        "\u{ad}",
        "\u{200b}",
        "\u{200d}",
        "\u{202e}",
        "\u{2060}",
        "\u{3164}",
        "\u{feff}",
        "\u{e0061}",
    ] {
        for email in [format!("a{hidden}da@example.org"), format!("ada@exam{hidden}ple.org")] {
            for (method, path, body) in [
                (Method::POST, "/v1/users", json!({ "email": email })),
                (Method::PATCH, "/v1/users/me", json!({ "email": email })),
                (Method::POST, "/v1/groups/@home/invitations", json!({ "email": email })),
            ] {
                let response = sent(&server, &token, &(method, path, body, "email")).await;
                assert_eq!(
                    (response.code(), response.message().contains("email")),
                    (400, true),
                    "{path}: {email:?}"
                );
            }
        }
    }
}

#[tokio::test]
async fn no_operation_accepts_a_description_with_bidi_controls() {
    let (server, token) = server().await;
    for turning in ["\u{202a}", "\u{202b}", "\u{202c}", "\u{202d}", "\u{202e}", "\u{2066}", "\u{2069}"] {
        let text = format!("Payroll{turning} team");
        for (method, path, body) in [
            (Method::PATCH, "/v1/groups/@home", json!({ "description": text })),
            (Method::POST, "/v1/roles", json!({ "name": "payroll", "scope": "global", "description": text })),
            (Method::PATCH, "/v1/users/me", json!({ "profile": { "address": { "street_address": text } } })),
            (Method::POST, "/v1/users/me/suspend", json!({ "reason": text })),
        ] {
            let response = sent(&server, &token, &(method, path, body, "")).await;
            assert_eq!(response.code(), 400, "{path}: {text:?}");
        }
    }
    let fine = json!({ "description": "Zeile\nשורה\u{200f}!" });
    let response = sent(&server, &token, &(Method::PATCH, "/v1/groups/@home", fine, "")).await;
    assert_eq!(response.code(), 200);
}

#[tokio::test]
async fn user_list_and_group_list_ignore_invisible_characters_in_names() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let profile = json!({ "given_name": "علی\u{200c}رضا", "family_name": "❤\u{fe0f}Heart" });
    let body = json!({ "username": "someone", "name": "ශ්\u{200d}රී", "profile": profile });
    admin.user_create().body(create(body)).send().await.unwrap();
    let group = server.request(Method::POST, "/v1/groups").bearer_auth(admin.token());
    let group = group.json(&json!({ "slug": "team", "name": "❤\u{fe0f}Team" }));
    assert_eq!(Answer::of(group).await.code(), 201);
    let filters = [
        "name eq \"ශ්රී\"",
        "name eq \"ශ්\u{200d}ර\u{200b}ී\"",
        "given_name eq \"علیرضا\"",
        "given_name co \"لیر\u{200c}\"",
        "family_name sw \"❤heart\"",
        "family_name ew \"t\u{fe0f}\"",
    ];
    let found = async |filter: &str| {
        admin
            .user_list()
            .filter(filter)
            .stream()
            .collect()
            .await
            .unwrap()
            .into_iter()
            .filter_map(|user| user.username)
            .collect::<Vec<_>>()
    };
    let groups =
        async || admin.group_list().filter("name eq \"❤TEAM\"").stream().collect().await.unwrap().len();
    let all_found = async || {
        for filter in filters {
            assert_eq!(found(filter).await, ["someone"], "{filter}");
        }
        for word in ["علیرضا", "hea\u{200d}rt", "❤heart"] {
            assert_eq!(admin.user_list().q(word).stream().collect().await.unwrap().len(), 1, "{word}");
        }
        assert_eq!(groups().await, 1);
    };
    all_found().await;
    // The folding of older servers.
    server
        .sql(
            "UPDATE users SET name_folded = U&'\\0DC1\\0DCA\\200D\\0DBB\\0DD3', given_name_folded = profile ->> 'given_name', \
                 family_name_folded = lower(profile ->> 'family_name') WHERE username = 'someone'; \
             UPDATE groups SET name_folded = lower(name) WHERE slug = 'team'",
        )
        .await;
    assert_eq!((found(filters[0]).await.len(), found(filters[2]).await.len(), groups().await), (0, 0, 0));
    let mut config = server.database.config();
    make_cheap(&mut config);
    let log = Captured::default().logger();
    commands::migrate(&config, &server.database.source(), &log).await.unwrap();
    all_found().await;
}

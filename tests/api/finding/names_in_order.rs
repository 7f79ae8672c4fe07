//! Collation of names: Ä sorts with A and not after Z, on every page and in every list.

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Person, TestServer};

/// In order.
const NAMES: &[&str] = &[
    "10 Downing",
    "2nd Floor",
    "Adam",
    "Ähnlich",
    "Angst",
    "ångström",
    "Émile",
    "Emilia",
    "Lukas",
    "Łukasz",
    "Lydia",
    "Øystein",
    "Ozzy",
    "Strasse",
    "straßen",
    "Zed",
    "Жанна",
    "山田",
];

/// One field of a list's items, walked in pages of some size.
async fn walk(
    server: &TestServer,
    who: &Person,
    path: &str,
    query: &[(&str, &str)],
    place: &str,
    size: &str,
) -> Vec<String> {
    let (mut found, mut token) = (Vec::new(), None::<String>);
    loop {
        let mut query = query.to_vec();
        query.push(("limit", size));
        query.extend(token.as_deref().map(|token| ("page_token", token)));
        let request = server.request(Method::GET, path).query(&query).bearer_auth(who.token());
        let response = Answer::of(request).await;
        assert_eq!(response.code(), 200, "{path} {query:?}: {}", response.message());
        let page = response.json();
        let items = page["items"].as_array().unwrap();
        found.extend(items.iter().filter_map(|item| item.pointer(place)?.as_str().map(str::to_owned)));
        token = page["next_page"].as_str().map(str::to_owned);
        if token.is_none() {
            return found;
        }
    }
}

#[tokio::test]
async fn user_list_and_the_others_sort_names_in_collation_order() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    // Created in another order.
    for (number, name) in
        NAMES.iter().enumerate().map(|(place, _)| place * 7 % NAMES.len()).map(|n| (n, NAMES[n]))
    {
        let body = json!({ "username": format!("{}{number}", name.replace(' ', "")), "name": name,
            "profile": { "given_name": name, "family_name": name } });
        let request = server.request(Method::POST, "/v1/users").bearer_auth(admin.token()).json(&body);
        assert_eq!(Answer::of(request).await.code(), 201, "{body}");
        let body = json!({ "slug": format!("g{number}"), "name": name });
        let request = server.request(Method::POST, "/v1/groups").bearer_auth(admin.token()).json(&body);
        assert_eq!(Answer::of(request).await.code(), 201, "{body}");
    }
    let reversed: Vec<&str> = NAMES.iter().rev().copied().collect();
    for size in ["1", "4", "200"] {
        for field in ["name", "given_name", "family_name", "username"] {
            let up = [("sort", field), ("filter", "name pr")];
            assert_eq!(
                walk(&server, &admin, "/v1/users", &up, "/name", size).await,
                NAMES,
                "{field} by {size}"
            );
            let down = format!("-{field}");
            let down = [("sort", down.as_str()), ("filter", "name pr")];
            assert_eq!(
                walk(&server, &admin, "/v1/users", &down, "/name", size).await,
                reversed,
                "-{field} by {size}"
            );
        }
        let query = [("sort", "name"), ("filter", "name pr")];
        let members = walk(&server, &admin, "/v1/groups/@public/members", &query, "/user/name", size).await;
        assert_eq!(members, NAMES, "members by {size}");
        let query = [("sort", "name"), ("filter", "default eq false")];
        assert_eq!(
            walk(&server, &admin, "/v1/groups", &query, "/name", size).await,
            NAMES,
            "groups by {size}"
        );
    }
    // Comparisons follow the same order, regardless of case.
    for (filter, expected) in [
        ("name ge \"ÉMILE\" and name lt \"lydia\"", &NAMES[6..10]),
        ("name gt \"Zed\"", &NAMES[16..]),
        ("name lt \"angstrom\"", &NAMES[..5]),
        ("name ge \"STRASSE\" and name le \"strassen\"", &NAMES[13..15]),
        (r#"{"<=":["adam",{"var":"name"},"Angst"]}"#, &NAMES[2..5]),
    ] {
        let query = [("sort", "name"), ("filter", filter)];
        assert_eq!(walk(&server, &admin, "/v1/users", &query, "/name", "2").await, expected, "{filter}");
    }
}

/// A changed name moves in the order, and only responses show its position: a sort key would reveal hidden
/// fields.
#[tokio::test]
async fn user_update_moves_a_name_in_the_order() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let send = async |method: Method, path: &str, body: Value| {
        let request = server.request(method, path).bearer_auth(admin.token()).json(&body);
        let response = Answer::of(request).await;
        assert!(response.status.is_success(), "{body}: {}", response.message());
    };
    for name in ["Bea", "Dora"] {
        send(Method::POST, "/v1/users", json!({ "username": name, "name": name })).await;
    }
    let order = async || {
        walk(&server, &admin, "/v1/users", &[("sort", "name"), ("filter", "name pr")], "/name", "1").await
    };
    assert_eq!(order().await, ["Bea", "Dora"]);
    send(Method::PATCH, "/v1/users/@bea", json!({ "name": "Émile" })).await;
    assert_eq!(order().await, ["Dora", "Émile"]);
    send(Method::PATCH, "/v1/users/@dora", json!({ "name": "Éva", "profile": { "given_name": "x" } })).await;
    assert_eq!(order().await, ["Émile", "Éva"]);
    send(Method::PATCH, "/v1/users/@dora", json!({ "name": null })).await;
    assert_eq!(order().await, ["Émile"]);
}

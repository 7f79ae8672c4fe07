//! Page tokens of filtered and sorted lists: valid for the same list and the same visibility only.

use std::collections::BTreeSet;

use http::Method;
use rollcall_api::access::Permission;
use rollcall_client::error_code;
use serde_json::json;
use uuid::Uuid;

use super::fixtures::Fixtures;
use crate::support::{Answer, Person, TestServer};

/// The documented maximum length.
const LONGEST: usize = 4096;

async fn get(server: &TestServer, who: &Person, path: &str) -> Answer {
    Answer::of(server.request(Method::GET, path).bearer_auth(who.token())).await
}

/// The token of the first page.
async fn token(server: &TestServer, who: &Person, path: &str) -> String {
    let response = get(server, who, path).await;
    let token = response.json()["next_page"].as_str().map(str::to_owned);
    token.unwrap_or_else(|| panic!("{path}: {} {}", response.code(), response.message()))
}

fn is_refused(response: &Answer) -> bool {
    (response.code(), response.error_code().as_str()) == (400, error_code::INVALID_PAGE_TOKEN)
}

/// Each query is a different list.
const QUERIES: &[&str] = &[
    "",
    "q=a",
    "q=A",
    "filter=name+pr",
    "filter=name+pr+",
    "filter=username+pr",
    "q=us",
    "sort=name",
    "sort=-name",
    "sort=name,username",
    "sort=username",
    "sort=id",
    "sort=-id",
    "sort=email",
    "sort=created_at",
    "sort=name&q=a",
    "sort=name&filter=name+pr",
    "group=@public",
    "group=@qa",
    "not_group=@qa",
    "role=@editor",
    "not_role=@editor",
    "not_role=@writer",
    "group=@qa&sort=name",
];

#[tokio::test]
async fn user_list_rejects_page_tokens_of_other_queries() {
    let fixtures = Fixtures::new().await;
    let (server, admin) = (&fixtures.server, &fixtures.admin);
    let mut wrong = Vec::new();
    for from in QUERIES {
        let token = token(server, admin, &format!("/v1/users?limit=1&{from}")).await;
        for to in QUERIES {
            let response = get(server, admin, &format!("/v1/users?limit=2&page_token={token}&{to}")).await;
            let fine = if from == to { response.code() == 200 } else { is_refused(&response) };
            if !fine {
                wrong.push(format!("from {from:?} to {to:?}: {} {}", response.code(), response.message()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn page_tokens_are_bound_to_operation_and_group() {
    let fixtures = Fixtures::new().await;
    let (server, admin) = (&fixtures.server, &fixtures.admin);
    let lists = [
        "/v1/users",
        "/v1/groups",
        "/v1/roles",
        "/v1/groups/@qa/members",
        "/v1/groups/@ops/members",
        "/v1/groups/@public/members",
    ];
    for from in lists {
        let token = token(server, admin, &format!("{from}?limit=1&sort=-name")).await;
        for to in lists {
            let path = format!("{to}?limit=1&sort=-name&page_token={token}");
            let response = get(server, admin, &path).await;
            assert_eq!(response.code() == 200, from == to, "from {from} to {to}: {}", response.message());
            assert_eq!(is_refused(&response), from != to, "from {from} to {to}");
        }
    }
    // A group's slug and its id denote the same group.
    let token = token(server, admin, "/v1/groups/@qa/members?limit=1&sort=name").await;
    let id = get(server, admin, "/v1/groups/@qa").await.json()["id"].as_str().unwrap().to_owned();
    let response = get(server, admin, &format!("/v1/groups/{id}/members?sort=name&page_token={token}")).await;
    assert_eq!(response.code(), 200);
}

/// A token of a fuller view would contain fields that the other caller does not see.
#[tokio::test]
async fn page_tokens_are_bound_to_the_callers_visibility() {
    let fixtures = Fixtures::new().await;
    let server = &fixtures.server;
    let (plain, other) = (fixtures.plain().await, server.quick_user("other").await);
    let reader = server.holder("reader", &[Permission::UsersRead]).await;
    for query in ["sort=name", "q=a", "filter=name+pr", "sort=id", ""] {
        let whole = token(server, &fixtures.admin, &format!("/v1/users?limit=1&{query}")).await;
        let card = token(server, &plain, &format!("/v1/users?limit=1&{query}")).await;
        for (who, token, fits) in [
            (&fixtures.admin, &whole, true),
            (&reader, &whole, true),
            (&plain, &whole, false),
            (&plain, &card, true),
            (&other, &card, true),
            (&fixtures.admin, &card, false),
        ] {
            let response = get(server, who, &format!("/v1/users?{query}&page_token={token}")).await;
            assert_eq!(
                (response.code() == 200, is_refused(&response)),
                (fits, !fits),
                "{query} {}",
                response.message()
            );
        }
    }
    let all = token(server, &fixtures.admin, "/v1/groups?limit=1&sort=slug").await;
    let response = get(server, &plain, &format!("/v1/groups?sort=slug&page_token={all}")).await;
    assert!(is_refused(&response), "{}", response.message());
}

#[tokio::test]
async fn user_list_rejects_edited_page_tokens() {
    let fixtures = Fixtures::new().await;
    let (server, admin) = (&fixtures.server, &fixtures.admin);
    let list = "/v1/users?limit=1&sort=-name,username";
    let token = token(server, admin, list).await;
    let mut bad = vec![
        token[1..].to_owned(),
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        token.repeat(2),
    ];
    for place in (0..token.len()).step_by(3).chain([token.len() - 2, token.len() - 1]) {
        let mut bytes = token.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        bad.push(String::from_utf8(bytes).unwrap());
    }
    for edited in bad {
        let response = get(server, admin, &format!("{list}&page_token={edited}")).await;
        assert!(is_refused(&response), "{edited}: {} {}", response.code(), response.message());
    }
    assert_eq!(get(server, admin, &format!("{list}&page_token={token}")).await.code(), 200);
}

/// A name of 128 and two of 256 multi-byte characters: the token that contains all of them still fits.
#[tokio::test]
async fn user_list_page_tokens_stay_below_their_limit() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    // Four bytes each; one that compatibility normalization expands to eighteen characters; one that
    // decomposes into three.
    let wide = ["𠮷", "🦀", "\u{fdfa}", "\u{1d160}", "\"", "\\", "ß", "㌖", "ΐ"];
    let mixed: String = (0u32..256).map(|n| char::from_u32(0x3300 + n % 0x58).unwrap()).collect();
    let random: String = (0u32..256).map(|n| char::from_u32(0x20000 + n * 7919 % 0xA000).unwrap()).collect();
    let texts = wide.iter().map(|letter| letter.repeat(256)).chain([mixed, random]);
    for text in texts {
        let short: String = text.chars().take(128).collect();
        let body = json!({ "email": format!("a{}@example.org", Uuid::now_v7()), "name": short,
            "profile": { "given_name": text, "family_name": text } });
        let request = server.request(Method::POST, "/v1/users").bearer_auth(admin.token()).json(&body);
        let response = Answer::of(request).await;
        assert_eq!(response.code(), 201, "{}: {}", &text[..8], response.message());
    }
    let mut longest = 0;
    for sort in
        ["name,given_name,family_name", "-given_name,-family_name,-name", "email,given_name,family_name"]
    {
        let list = format!("/v1/users?limit=1&sort={sort}");
        let (mut seen, mut path) = (BTreeSet::new(), list.clone());
        loop {
            let response = get(&server, &admin, &path).await;
            assert_eq!(response.code(), 200, "{}", response.message());
            seen.insert(response.json()["items"][0]["id"].to_string());
            let Some(token) = response.json()["next_page"].as_str().map(str::to_owned) else { break };
            longest = longest.max(token.len());
            path = format!("{list}&page_token={token}");
        }
        assert_eq!(seen.len(), 12, "{sort}");
    }
    assert!(longest < LONGEST, "{longest}");
    let plain = token(&server, &admin, "/v1/users?limit=1").await;
    assert!(plain.len() < 100, "{}", plain.len());
}

/// A user is deleted, renamed and created during a walk in the order of names: unchanged users are seen
/// exactly once.
#[tokio::test]
async fn user_list_walks_show_unchanged_users_once() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mut stays = BTreeSet::new();
    for number in 0..30 {
        let person = server.quick_user(&format!("n{number:02}")).await;
        if number % 3 == 1 {
            stays.insert(person.id);
        }
    }
    server.sweep().await;
    for (walk, sort) in
        ["username", "-username", "name,-username", "-last_sign_in_at,username"].into_iter().enumerate()
    {
        let (mut seen, mut next) = (Vec::new(), None::<String>);
        for round in 0.. {
            let list = admin.user_list().sort(sort).limit(4u32);
            let list = if let Some(token) = next.take() { list.page_token(token) } else { list };
            let page = list.send().await.unwrap().into_inner();
            seen.extend(page.items.iter().map(|user| user.id.0));
            let Some(token) = page.next_page else { break };
            next = Some(token);
            // The last user of the page is deleted, or moves to the other end; a new user appears on either
            // side.
            if let Some(last) =
                page.items.last().map(|user| user.id.0).filter(|id| *id != admin.id && !stays.contains(id))
            {
                let statement = if round % 2 == 0 {
                    "DELETE FROM users WHERE id = $1".to_owned()
                } else {
                    let name = format!("z{walk}x{round}");
                    format!("UPDATE users SET username = '{name}', username_folded = '{name}' WHERE id = $1")
                };
                server.db().await.execute(&statement, &[&last]).await.unwrap();
            }
            if round < 4 {
                server.quick_user(&format!("m{walk}{round}")).await;
            }
            server.sweep().await;
        }
        for id in &stays {
            assert_eq!(seen.iter().filter(|seen| *seen == id).count(), 1, "{sort}");
        }
    }
}

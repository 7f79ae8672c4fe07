//! Page tokens of lists that somebody narrowed and ordered: good for the same list, for the same sight, and nothing else.

use std::collections::BTreeSet;

use http::Method;
use rollcall_api::access::Permission;
use rollcall_client::error_code;
use serde_json::json;
use uuid::Uuid;

use super::cast::Cast;
use crate::support::{Answer, Person, TestServer};

/// What the document says at the most.
const LONGEST: usize = 4096;

async fn get(server: &TestServer, who: &Person, path: &str) -> Answer {
    Answer::of(server.request(Method::GET, path).bearer_auth(who.token())).await
}

/// The token of the first page.
async fn token(server: &TestServer, who: &Person, path: &str) -> String {
    let answer = get(server, who, path).await;
    let token = answer.json()["next_page"].as_str().map(str::to_owned);
    token.unwrap_or_else(|| panic!("{path}: {} {}", answer.code(), answer.message()))
}

fn is_refused(answer: &Answer) -> bool {
    (answer.code(), answer.error_code().as_str()) == (400, error_code::INVALID_PAGE_TOKEN)
}

/// Each query is another list than each other one.
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
async fn a_token_opens_its_own_list_only() {
    let cast = Cast::new().await;
    let (server, admin) = (&cast.server, &cast.admin);
    let mut wrong = Vec::new();
    for from in QUERIES {
        let token = token(server, admin, &format!("/v1/users?limit=1&{from}")).await;
        for to in QUERIES {
            let answer = get(server, admin, &format!("/v1/users?limit=2&page_token={token}&{to}")).await;
            let fine = if from == to { answer.code() == 200 } else { is_refused(&answer) };
            if !fine {
                wrong.push(format!("from {from:?} to {to:?}: {} {}", answer.code(), answer.message()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_token_opens_no_other_operation_or_group() {
    let cast = Cast::new().await;
    let (server, admin) = (&cast.server, &cast.admin);
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
            let answer = get(server, admin, &path).await;
            assert_eq!(answer.code() == 200, from == to, "from {from} to {to}: {}", answer.message());
            assert_eq!(is_refused(&answer), from != to, "from {from} to {to}");
        }
    }
    // A group by its slug and by its id is the same group.
    let token = token(server, admin, "/v1/groups/@qa/members?limit=1&sort=name").await;
    let id = get(server, admin, "/v1/groups/@qa").await.json()["id"].as_str().unwrap().to_owned();
    let answer = get(server, admin, &format!("/v1/groups/{id}/members?sort=name&page_token={token}")).await;
    assert_eq!(answer.code(), 200);
}

/// A token of a fuller view would carry what the other caller doesn't see.
#[tokio::test]
async fn a_token_is_bound_to_what_its_caller_sees() {
    let cast = Cast::new().await;
    let server = &cast.server;
    let (plain, other) = (cast.plain().await, server.quick_user("other").await);
    let reader = server.holder("reader", &[Permission::UsersRead]).await;
    for query in ["sort=name", "q=a", "filter=name+pr", "sort=id", ""] {
        let whole = token(server, &cast.admin, &format!("/v1/users?limit=1&{query}")).await;
        let card = token(server, &plain, &format!("/v1/users?limit=1&{query}")).await;
        for (who, token, fits) in [
            (&cast.admin, &whole, true),
            (&reader, &whole, true),
            (&plain, &whole, false),
            (&plain, &card, true),
            (&other, &card, true),
            (&cast.admin, &card, false),
        ] {
            let answer = get(server, who, &format!("/v1/users?{query}&page_token={token}")).await;
            assert_eq!(
                (answer.code() == 200, is_refused(&answer)),
                (fits, !fits),
                "{query} {}",
                answer.message()
            );
        }
    }
    let all = token(server, &cast.admin, "/v1/groups?limit=1&sort=slug").await;
    let answer = get(server, &plain, &format!("/v1/groups?sort=slug&page_token={all}")).await;
    assert!(is_refused(&answer), "{}", answer.message());
}

#[tokio::test]
async fn an_edited_token_is_refused() {
    let cast = Cast::new().await;
    let (server, admin) = (&cast.server, &cast.admin);
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
        let answer = get(server, admin, &format!("{list}&page_token={edited}")).await;
        assert!(is_refused(&answer), "{edited}: {} {}", answer.code(), answer.message());
    }
    assert_eq!(get(server, admin, &format!("{list}&page_token={token}")).await.code(), 200);
}

/// A name of 128 and two of 256 characters, none of them short: the token that has them all still fits.
#[tokio::test]
async fn tokens_stay_below_their_limit() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    // Four bytes each; one that a form of compatibility makes eighteen of; one that comes apart into three.
    let wide = ["𠮷", "🦀", "\u{fdfa}", "\u{1d160}", "\"", "\\", "ß", "㌖", "ΐ"];
    let mixed: String = (0u32..256).map(|n| char::from_u32(0x3300 + n % 0x58).unwrap()).collect();
    let random: String = (0u32..256).map(|n| char::from_u32(0x20000 + n * 7919 % 0xA000).unwrap()).collect();
    let texts = wide.iter().map(|letter| letter.repeat(256)).chain([mixed, random]);
    for text in texts {
        let short: String = text.chars().take(128).collect();
        let body = json!({ "email": format!("a{}@example.org", Uuid::now_v7()), "name": short,
            "profile": { "given_name": text, "family_name": text } });
        let request = server.request(Method::POST, "/v1/users").bearer_auth(admin.token()).json(&body);
        let answer = Answer::of(request).await;
        assert_eq!(answer.code(), 201, "{}: {}", &text[..8], answer.message());
    }
    let mut longest = 0;
    for sort in
        ["name,given_name,family_name", "-given_name,-family_name,-name", "email,given_name,family_name"]
    {
        let list = format!("/v1/users?limit=1&sort={sort}");
        let (mut seen, mut path) = (BTreeSet::new(), list.clone());
        loop {
            let answer = get(&server, &admin, &path).await;
            assert_eq!(answer.code(), 200, "{}", answer.message());
            seen.insert(answer.json()["items"][0]["id"].to_string());
            let Some(token) = answer.json()["next_page"].as_str().map(str::to_owned) else { break };
            longest = longest.max(token.len());
            path = format!("{list}&page_token={token}");
        }
        assert_eq!(seen.len(), 12, "{sort}");
    }
    assert!(longest < LONGEST, "{longest}");
    let plain = token(&server, &admin, "/v1/users?limit=1").await;
    assert!(plain.len() < 100, "{}", plain.len());
}

/// Somebody is deleted, renamed and made while a list in the order of names is walked over: who stays as they are is seen
/// exactly once.
#[tokio::test]
async fn rows_come_and_go_during_a_sorted_walk() {
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
            // The last one of the page goes, or moves to the other end; somebody comes on either side.
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

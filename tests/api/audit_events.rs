//! The audit trail as a list: its order, its pages, what narrows it, and who sees what.

use serde_json::Value;
use uuid::Uuid;

use crate::support::{Answer, Person, TestServer};

/// All events that a list shows, read in pages of three.
async fn walk(server: &TestServer, who: &Person, query: &str) -> Vec<Uuid> {
    let (mut ids, mut token) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/audit-events?limit=3{query}{token}");
        let answer = Answer::of(server.request(http::Method::GET, &path).bearer_auth(who.token())).await;
        assert_eq!(answer.code(), 200, "{path}: {}", answer.message());
        let page = answer.json();
        let items = page["items"].as_array().unwrap();
        ids.extend(items.iter().map(|event| event["id"].as_str().unwrap().parse::<Uuid>().unwrap()));
        match &page["next_page"] {
            Value::String(next) => token = format!("&page_token={next}"),
            _ => return ids,
        }
    }
}

#[tokio::test]
async fn lists_are_whole_newest_first_and_only_what_one_may_see() {
    let server = TestServer::start().await;
    let (admin, ada, grace) = (server.admin().await, server.user("ada").await, server.user("grace").await);
    // Events of the same moment, and ids that are not in the order of time: clocks of replicas differ.
    let insert = "INSERT INTO audit_events (id, at, operation, actor_id, target_id, result, request_id) \
        SELECT gen_random_uuid(), '2026-01-01 00:00:00Z'::timestamptz + (n / 4) * interval '1 minute', \
            (ARRAY['user_update', 'login', 'role_delete'])[1 + n % 3], \
            (ARRAY[$1::uuid, $2, NULL, $1])[1 + n % 4], (ARRAY[$2::uuid, $1, $1, NULL, $1])[1 + n % 5], 'done', 'r' \
        FROM generate_series(1, 60) AS n";
    let db = server.db().await;
    db.execute(insert, &[&ada.id, &grace.id]).await.unwrap();
    let (since, until) = ("2026-01-01T00:03:00Z", "2026-01-01T00:09:00Z");
    for (query, condition) in [
        (String::new(), "true".to_owned()),
        ("&operation=login".to_owned(), "operation = 'login'".to_owned()),
        (format!("&since={since}"), format!("at >= '{since}'")),
        (format!("&until={until}"), format!("at < '{until}'")),
        (
            format!("&since={since}&until={until}&operation=role_delete"),
            format!("at >= '{since}' AND at < '{until}' AND operation = 'role_delete'"),
        ),
        ("&filter=operation%20eq%20%22login%22".to_owned(), "operation = 'login'".to_owned()),
        (
            "&filter=target_id%20pr%20and%20not%20operation%20in%20(%22login%22)".to_owned(),
            "target_id IS NOT NULL AND operation <> 'login'".to_owned(),
        ),
        (
            format!("&filter=at%20lt%20%22{until}%22&since={since}"),
            format!("at >= '{since}' AND at < '{until}'"),
        ),
        (
            "&q=role_del%20-refused".to_owned(),
            "operation LIKE '%role\\_del%' AND result <> 'refused'".to_owned(),
        ),
        (format!("&actor={}", ada.id), format!("actor_id = '{}'", ada.id)),
        (format!("&actor={}", grace.id), format!("actor_id = '{}'", grace.id)),
        (format!("&target={}", grace.id), format!("target_id = '{}'", grace.id)),
        (
            format!("&actor={}&target={}&until={until}", ada.id, ada.id),
            format!("actor_id = '{}' AND target_id = '{}' AND at < '{until}'", ada.id, ada.id),
        ),
    ] {
        for (who, seen) in [
            (&admin, "true".to_owned()),
            (&ada, format!("'{}' IN (actor_id, target_id)", ada.id)),
            (&grace, format!("'{}' IN (actor_id, target_id)", grace.id)),
        ] {
            let expected = format!(
                "SELECT id FROM audit_events WHERE ({condition}) AND {seen} ORDER BY at DESC, id DESC"
            );
            let expected: Vec<Uuid> =
                db.query(&expected, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
            assert_eq!(walk(&server, who, &query).await, expected, "{} with {query}", who.username);
            let reversed: Vec<Uuid> = expected.iter().rev().copied().collect();
            let oldest_first = walk(&server, who, &format!("{query}&sort=at")).await;
            assert_eq!(oldest_first, reversed, "{} with {query}, oldest first", who.username);
            let path = format!("/v1/audit-events?limit=1&total=exact{query}");
            let answer = Answer::of(server.request(http::Method::GET, &path).bearer_auth(who.token())).await;
            assert_eq!(answer.json()["total"], expected.len(), "{} with {query}", who.username);
        }
    }
}

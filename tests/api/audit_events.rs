//! The list of audit events: order, pages, filters, and visibility.

use serde_json::Value;
use uuid::Uuid;

use crate::support::{Answer, Person, TestServer};

/// All events of a list, read in pages of three.
async fn walk(server: &TestServer, who: &Person, query: &str) -> Vec<Uuid> {
    let (mut ids, mut token) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/audit-events?limit=3{query}{token}");
        let response = Answer::of(server.request(http::Method::GET, &path).bearer_auth(who.token())).await;
        assert_eq!(response.code(), 200, "{path}: {}", response.message());
        let page = response.json();
        let items = page["items"].as_array().unwrap();
        ids.extend(items.iter().map(|event| event["id"].as_str().unwrap().parse::<Uuid>().unwrap()));
        match &page["next_page"] {
            Value::String(next) => token = format!("&page_token={next}"),
            _ => return ids,
        }
    }
}

#[tokio::test]
async fn audit_event_list_is_complete_newest_first_and_filtered_by_visibility() {
    let server = TestServer::start().await;
    let (admin, ada, grace) = (server.admin().await, server.user("ada").await, server.user("grace").await);
    // Events of the same moment, and ids that do not follow the order of time: the clocks of replicas differ.
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
            let response =
                Answer::of(server.request(http::Method::GET, &path).bearer_auth(who.token())).await;
            assert_eq!(response.json()["total"], expected.len(), "{} with {query}", who.username);
        }
    }
}

async fn ask(server: &TestServer, who: &Person, query: &str) -> Answer {
    let path = format!("/v1/audit-events?{query}");
    Answer::of(server.request(http::Method::GET, &path).bearer_auth(who.token())).await
}

/// A date stands for midnight UTC, at either end of a range, in parameters and in filters.
#[tokio::test]
async fn audit_event_list_takes_dates() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let insert = "INSERT INTO audit_events (id, at, operation, result, request_id) \
        SELECT gen_random_uuid(), at::timestamptz, 'dated', 'done', to_char(n, 'FM9') FROM unnest(ARRAY[ \
            '2026-11-23 23:59:59.999999Z', '2026-11-24 00:00:00Z', '2026-11-24 12:00:00Z', '2026-11-25 00:00:00Z']) \
        WITH ORDINALITY AS times(at, n)";
    server.db().await.execute(insert, &[]).await.unwrap();
    for (query, expected) in [
        ("since=2026-11-24", "432"),
        ("until=2026-11-24", "1"),
        ("since=2026-11-24&until=2026-11-25", "32"),
        ("since=2026-11-24T01:00:00%2B01:00&until=2026-11-25", "32"),
        ("filter=at%20ge%20%222026-11-24%22%20and%20at%20lt%20%222026-11-25%22", "32"),
        ("filter=%7B%22%3E%22:[%7B%22var%22:%22at%22%7D,%222026-11-24%22]%7D", "43"),
    ] {
        let response = ask(&server, &admin, &format!("operation=dated&{query}")).await;
        assert_eq!(response.code(), 200, "{query}: {}", response.message());
        let page = response.json();
        let found: String = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["request_id"].as_str().unwrap())
            .collect();
        assert_eq!(found, expected, "{query}");
    }
    // No event has the time that a date without a time stands for.
    let response = ask(&server, &admin, "filter=at%20eq%20%222026-11-24%22").await;
    assert_eq!((response.code(), response.error_code().as_str()), (400, "invalid_query"));
}

#[tokio::test]
async fn audit_event_list_reports_the_invalid_parameter_and_the_fix() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (query, told) in [
        ("since=yesterday", &["since: must be a time", "2026-01-31T12:00:00Z", "or a date"] as &[&str]),
        ("since=2026-11-24T10:00:00", &["since: ", "offset"]),
        ("until=2026-11-24T10:00:00+01:00", &["until: ", "write + as %2B"]),
        ("actor=admin", &["actor: must be an id, @username or me"]),
        ("target=42", &["target: must be an id, @username or me"]),
        ("limit=0", &["limit: must be a number from 1 to 200"]),
    ] {
        let response = ask(&server, &admin, query).await;
        assert_eq!((response.code(), response.error_code().as_str()), (400, "invalid_request"), "{query}");
        let message = response.message();
        assert!(told.iter().all(|words| message.contains(words)), "{query}: {message}");
        assert_eq!(message.matches(": ").count(), 1, "{query}: {message}");
    }
    let users = server.request(http::Method::GET, "/v1/users?not_group=qa").bearer_auth(admin.token());
    assert_eq!(Answer::of(users).await.message(), "not_group: must be an id or @slug");
    let until = serde_json::json!({ "until": "tomorrow" });
    let suspend = server.request(http::Method::POST, "/v1/users/me/suspend").bearer_auth(admin.token());
    let message = Answer::of(suspend.json(&until)).await.message();
    assert!(message.starts_with("until: must be a time"), "{message}");
}

/// By username and `me` as in other operations; an id may belong to a deleted user.
#[tokio::test]
async fn audit_event_list_accepts_every_form_of_user() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("Ada").await);
    for (parameter, column) in [("actor", "actor_id"), ("target", "target_id")] {
        for (who, name, of) in
            [(&admin, "@ADA", &ada), (&admin, "me", &admin), (&ada, "me", &ada), (&ada, "@ada", &ada)]
        {
            let expected = format!("SELECT count(*) FROM audit_events WHERE {column} = '{}'", of.id);
            let expected = server.count(&expected).await;
            let found = walk(&server, who, &format!("&{parameter}={name}")).await;
            assert_eq!(i64::try_from(found.len()).unwrap(), expected, "{parameter}={name}");
            assert_eq!(found, walk(&server, who, &format!("&{parameter}={}", of.id)).await);
        }
        let response = ask(&server, &admin, &format!("{parameter}=@ghost")).await;
        assert_eq!((response.code(), response.error_code().as_str()), (404, "not_found"));
        assert!(response.message().starts_with(&format!("{parameter}: ")), "{}", response.message());
    }
    admin.user_delete().user("@ada").send().await.unwrap();
    assert!(!walk(&server, &admin, &format!("&target={}", ada.id)).await.is_empty());
}

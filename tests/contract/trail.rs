//! The audit trail is complete: each change and each rejected change leaves one event with its caller, operation, target, result,
//! address and request id.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use http::Method;
use rollcall_client::error_code;
use rollcall_server::config::RegistrationMode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::recipes::Scene;
use crate::support::contract::{OPERATIONS, Operation};
use crate::support::{Answer, Person, TestServer};

/// Operations that can change data.
fn changes() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(|operation| operation.writes())
}

/// Returns the events of a request, as JSON objects of the table's columns.
async fn events(server: &TestServer, answer: &Answer) -> Vec<Value> {
    let query = "SELECT to_jsonb(e) FROM audit_events e WHERE request_id = $1";
    let rows = server.db().await.query(query, &[&answer.header("x-request-id")]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn call(server: &TestServer, operation: &Operation, scene: &Scene, token: Option<&str>) -> Answer {
    let mut request = server.request(operation.method.clone(), &scene.path(operation));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = scene.body(operation) {
        request = request.json(&body);
    }
    Answer::of(request).await
}

/// Every id in a JSON value.
fn ids(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.parse::<Uuid>().is_ok() => drop(found.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| ids(item, found)),
        Value::Object(members) => members.values().for_each(|member| ids(member, found)),
        _ => {}
    }
}

#[tokio::test]
async fn each_change_leaves_one_complete_event() {
    let open =
        |config: &mut rollcall_server::config::Config| config.registration.mode = RegistrationMode::Open;
    let server = TestServer::builder().config(open).start().await;
    for (number, operation) in (1..).zip(changes()) {
        let scene = Scene::set(&server, number).await;
        if operation.path.contains("{group}") && operation.path.contains("{user}") {
            scene.join(&server, scene.target.id, "member").await;
        }
        let permission = operation.object["x-permission"].as_str().unwrap();
        let caller = match permission {
            "public" => None,
            "self" => Some(scene.target.clone()),
            _ => {
                let root = server.quick_user(&format!("root{number}")).await;
                server.make_administrator(root.id).await;
                Some(root)
            }
        };
        let role = format!("SELECT id FROM roles WHERE name = '{}'", scene.role);
        let role: Uuid = server.db().await.query_one(&role, &[]).await.unwrap().get(0);
        let answer = call(&server, operation, &scene, caller.as_ref().map(Person::token).as_deref()).await;
        let place = &operation.id;
        assert!(answer.status.is_success(), "{place}: {} {}", answer.code(), answer.message());

        let events = events(&server, &answer).await;
        assert_eq!(events.len(), 1, "{place}: {events:?}");
        let event = &events[0];
        assert_eq!((&event["operation"], &event["result"]), (&json!(place), &json!("done")), "{place}");
        assert_eq!((&event["error_code"], &event["address"]), (&Value::Null, &json!("127.0.0.1")), "{place}");
        match &caller {
            Some(caller) => assert_eq!(
                (&event["actor_id"], &event["session_id"]),
                (&json!(caller.id), &json!(caller.session_id)),
                "{place}"
            ),
            None => assert_eq!(event["actor_id"], event["target_id"], "{place}: who signs in or registers"),
        }
        let mut known = BTreeSet::from([scene.target.id, scene.session, scene.group, scene.invitation, role]);
        known.extend(caller.iter().flat_map(|caller| [caller.id, caller.session_id]));
        let mut known: BTreeSet<String> = known.iter().map(Uuid::to_string).collect();
        ids(&answer.json(), &mut known);
        assert!(event["target_kind"].is_string(), "{place}: {event}");
        assert!(known.contains(event["target_id"].as_str().unwrap()), "{place}: {event}");
        assert!(event["at"].is_string() && event["detail"].is_object(), "{place}: {event}");
    }
}

#[tokio::test]
async fn each_change_with_an_ended_token_leaves_one_refused_event() {
    let server = TestServer::start().await;
    for (number, operation) in (1..).zip(changes()) {
        if operation.object["x-permission"] == "public" {
            continue;
        }
        let (scene, place) = (Scene::set(&server, number).await, &operation.id);
        let answer = call(&server, operation, &scene, Some(&TestServer::garbage_token())).await;
        assert_eq!(answer.code(), 401, "{place}");
        let events = events(&server, &answer).await;
        assert_eq!(events.len(), 1, "{place}: {events:?}");
        let event = &events[0];
        assert_eq!(
            (&event["operation"], &event["result"], &event["error_code"], &event["address"]),
            (&json!(place), &json!("refused"), &json!(error_code::UNAUTHENTICATED), &json!("127.0.0.1"))
        );
        assert_eq!((&event["actor_id"], &event["target_id"]), (&Value::Null, &Value::Null), "{place}");
        // Requests without a token are not recorded.
        let answer = call(&server, operation, &scene, None).await;
        assert_eq!((answer.code(), self::events(&server, &answer).await.len()), (401, 0), "{place}");
    }
}

/// Compares rejected requests with the code and the target of the event that each leaves.
#[tokio::test]
async fn a_refused_event_has_caller_code_and_target() {
    let server = TestServer::start().await;
    let (admin, ada, eve) =
        (server.admin().await, server.quick_user("ada").await, server.quick_user("eve").await);
    let create = async |path: &str, body: Value| {
        let request = server.request(Method::POST, path).bearer_auth(admin.token()).json(&body);
        let id = Answer::of(request).await.json()["id"].as_str().unwrap().to_owned();
        id.parse::<Uuid>().unwrap()
    };
    let group = create("/v1/groups", json!({ "slug": "secret", "name": "Secret", "owner": "@eve" })).await;
    let role = create("/v1/roles", json!({ "name": "held", "scope": "global", "permissions": [] })).await;
    create("/v1/groups", json!({ "slug": "other", "name": "Other" })).await;
    server.sql(&format!("INSERT INTO user_roles VALUES ('{}', '{role}', now())", eve.id)).await;
    let long = "x".repeat(40_000);
    let stale = Some("\"99\"");
    let none: (Option<&str>, Option<Uuid>) = (None, None);
    let user = |who: &Person| (Some("user"), Some(who.id));
    for (who, method, path, body, tag, code, (kind, id)) in [
        (&ada, "PATCH", "/v1/users/@eve", json!({ "name": "x" }), None, "forbidden", user(&eve)),
        (&ada, "POST", "/v1/users", json!({ "username": "x" }), None, "forbidden", none),
        (&ada, "DELETE", "/v1/users/@nobody", json!(null), None, "not_found", none),
        (&admin, "PATCH", "/v1/users/@eve", json!({ "username": "ada" }), None, "username_taken", user(&eve)),
        (&admin, "PATCH", "/v1/users/@eve", json!({ "name": "x" }), stale, "precondition_failed", user(&eve)),
        (
            &admin,
            "PATCH",
            "/v1/users/@eve/custom-data",
            json!({ "x": long }),
            None,
            "document_too_large",
            user(&eve),
        ),
        (
            &admin,
            "PUT",
            "/v1/users/@eve/password",
            json!({ "password": "password12345678" }),
            None,
            "password_blocked",
            user(&eve),
        ),
        (&admin, "DELETE", "/v1/users/me", json!(null), None, "last_administrator", user(&admin)),
        (&admin, "DELETE", "/v1/roles/@held", json!(null), None, "role_in_use", (Some("role"), Some(role))),
        (
            &admin,
            "PATCH",
            "/v1/groups/@secret",
            json!({ "slug": "other" }),
            None,
            "slug_taken",
            (Some("group"), Some(group)),
        ),
        (
            &eve,
            "DELETE",
            "/v1/groups/@secret/members/@eve",
            json!(null),
            None,
            "last_owner",
            (Some("group"), Some(group)),
        ),
        (
            &ada,
            "POST",
            "/v1/invitations/accept",
            json!({ "token": "rci_nonsense" }),
            None,
            "invitation_invalid",
            none,
        ),
        (
            &ada,
            "POST",
            "/v1/session/reauthenticate",
            json!({ "password": "wrong" }),
            None,
            "password_mismatch",
            (Some("session"), Some(ada.session_id)),
        ),
        // Ada can't see the group, and her own events must not show that it exists.
        (&ada, "DELETE", "/v1/groups/@secret", json!(null), None, "not_found", none),
        // Of rejected reads, only forbidden ones are recorded.
        (&ada, "GET", "/v1/users/@eve/sessions", json!(null), None, "forbidden", user(&eve)),
    ] {
        let mut request = server.request(method.parse().unwrap(), path).bearer_auth(who.token());
        request = tag.map_or_else(
            || request.try_clone().unwrap(),
            |tag| request.try_clone().unwrap().header("if-match", tag),
        );
        request = if body.is_null() { request } else { request.json(&body) };
        let answer = Answer::of(request).await;
        let place = format!("{method} {path}");
        assert_eq!(answer.error_code(), code, "{place}: {}", answer.message());
        let events = events(&server, &answer).await;
        assert_eq!(events.len(), 1, "{place}: {events:?}");
        let event = &events[0];
        assert_eq!((&event["result"], &event["error_code"]), (&json!("refused"), &json!(code)), "{place}");
        assert_eq!(
            (&event["actor_id"], &event["session_id"]),
            (&json!(who.id), &json!(who.session_id)),
            "{place}"
        );
        assert_eq!((&event["target_kind"], &event["target_id"]), (&json!(kind), &json!(id)), "{place}");
    }
    // Auditors see the group, the caller doesn't.
    for (who, detail) in [(&admin, json!({ "hidden": { "kind": "group", "id": group } })), (&ada, json!({}))]
    {
        let path = format!("/v1/audit-events?operation=group_delete&actor={}", ada.id);
        let found = Answer::of(server.request(Method::GET, &path).bearer_auth(who.token())).await.json();
        assert_eq!(found["items"][0]["detail"], detail);
    }
    for (method, path, body) in [
        ("GET", "/v1/groups/@secret", json!(null)),
        ("GET", "/v1/users/@nobody", json!(null)),
        ("POST", "/v1/check", json!({ "group": "@secret", "permission": "x:y" })),
        ("PATCH", "/v1/users/me", json!({ "nonsense": 1 })),
    ] {
        let mut request = server.request(method.parse().unwrap(), path).bearer_auth(ada.token());
        request = if body.is_null() { request } else { request.json(&body) };
        let answer = Answer::of(request).await;
        assert!(answer.status.is_client_error(), "{method} {path}: {}", answer.code());
        assert_eq!(events(&server, &answer).await, Vec::<Value>::new(), "{method} {path}");
    }
}

async fn sign_in(server: &TestServer, identifier: &str, password: &str) -> Answer {
    let body = json!({ "identifier": identifier, "password": password });
    Answer::of(server.request(Method::POST, "/v1/login").json(&body)).await
}

#[tokio::test]
async fn login_failures_are_among_the_users_own_events() {
    let server = TestServer::start().await;
    let ada = server.quick_user("ada").await;
    let answer = sign_in(&server, "ada", "wrong").await;
    let event = &events(&server, &answer).await[0];
    assert_eq!((&event["error_code"], &event["actor_id"]), (&json!("invalid_credentials"), &Value::Null));
    assert_eq!((&event["target_kind"], &event["target_id"]), (&json!("user"), &json!(ada.id)));
    let answer = sign_in(&server, "nobody", "wrong").await;
    assert_eq!(events(&server, &answer).await[0]["target_id"], Value::Null);
    let own = server.request(Method::GET, "/v1/audit-events").bearer_auth(ada.token());
    let own = Answer::of(own).await.json();
    assert_eq!((&own["items"][0]["operation"], &own["items"][1]), (&json!("login"), &Value::Null));
}

#[tokio::test]
async fn requests_with_invalid_tokens_leave_a_limited_number_of_events() {
    let server = TestServer::builder()
        .config(|config| {
            config.throttle.recorded_refusals_per_minute = 3;
            config.throttle.account_attempts = 2;
        })
        .start()
        .await;
    let ada = server.quick_user("ada").await;
    let count = async || server.count("SELECT count(*) FROM audit_events WHERE result = 'refused'").await;
    let knock = async || {
        let request = server.request(Method::DELETE, "/v1/users/me").bearer_auth(TestServer::garbage_token());
        assert_eq!(Answer::of(request).await.code(), 401);
    };
    for _ in 0..20 {
        knock().await;
    }
    assert_eq!(count().await, 3);
    assert_eq!(
        server.log.text().matches("the audit quota of unauthenticated callers").count(),
        1,
        "the log says so once"
    );
    // Attempts that the throttle allows are recorded; those that it rejects count as anonymous.
    for expected in [401, 401, 429, 429] {
        assert_eq!(sign_in(&server, "ada", "wrong").await.code(), expected);
    }
    assert_eq!(count().await, 5);
    // Requests of known callers are recorded too.
    let forbidden = server.request(Method::DELETE, "/v1/users/@administrator").bearer_auth(ada.token());
    assert_eq!(Answer::of(forbidden).await.code(), 403);
    assert_eq!(count().await, 6);
    server.advance(TimeDelta::seconds(60));
    knock().await;
    assert_eq!(count().await, 7, "another minute");
}

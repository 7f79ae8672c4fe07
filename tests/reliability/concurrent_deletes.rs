//! Users, roles and groups deleted during a concurrent grant, join or promotion: a 404 or a 409, never a 500,
//! and no group without an owner.

use std::time::Duration;

use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::server::eventually;
use crate::support::{Answer, Person, TestServer};

async fn call(server: &TestServer, who: &Person, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = server.request(method, path).bearer_auth(who.token());
    Answer::of(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

/// A group with an owner.
async fn engine(server: &TestServer, owner: Uuid) -> Uuid {
    let group = Uuid::now_v7();
    server
        .sql(&format!(
            "INSERT INTO groups (id, slug, name, created_at, updated_at) VALUES ('{group}', '{group}', 'E', now(), now()); \
             INSERT INTO group_members (group_id, user_id, joined_at) VALUES ('{group}', '{owner}', now()); \
             INSERT INTO group_member_roles (group_id, user_id, role_id) \
                SELECT '{group}', '{owner}', id FROM roles WHERE name = 'owner'"
        ))
        .await;
    group
}

#[tokio::test]
async fn role_delete_and_user_delete_during_changes_cause_no_internal_error() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let group = engine(&server, admin.id).await;
    for round in 0..5 {
        let mut users = Vec::new();
        for number in 0..15 {
            users.push(server.quick_user(&format!("u{round}-{number}")).await);
        }
        for (name, scope) in [("given", "global"), ("crew", "group")] {
            let body = json!({ "name": name, "scope": scope });
            assert_eq!(call(&server, &admin, Method::POST, "/v1/roles", Some(body)).await.code(), 201);
        }
        let mut calls = Vec::new();
        for (number, user) in users.iter().enumerate() {
            let path = format!("/v1/users/{}", user.id);
            let join = json!({ "user": user.path(), "roles": ["@crew"] });
            calls.push((Method::POST, format!("{path}/roles"), Some(json!({ "roles": ["@given"] }))));
            calls.push((Method::POST, format!("/v1/groups/{group}/members"), Some(join)));
            let invitation = json!({ "roles": ["@crew"] });
            calls.push((Method::POST, format!("/v1/groups/{group}/invitations"), Some(invitation)));
            match number {
                7 => calls.push((Method::DELETE, "/v1/roles/@given?force=true".to_owned(), None)),
                8 => calls.push((Method::DELETE, "/v1/roles/@crew?force=true".to_owned(), None)),
                _ => calls.push((Method::DELETE, path, None)),
            }
        }
        let calls = calls
            .iter()
            .map(|(method, path, body)| call(&server, &admin, method.clone(), path, body.clone()));
        for response in join_all(calls).await {
            let code = response.code();
            assert!(matches!(code, 200 | 201 | 204 | 404 | 409), "{code} {}", response.message());
        }
        for role in ["given", "crew"] {
            call(&server, &admin, Method::DELETE, &format!("/v1/roles/@{role}?force=true"), None).await;
        }
    }
}

/// Grace is made an owner during the deletion of her account, and then the other owner leaves. A lock held by
/// the test delays the deletion after it has read the groups that she owns.
#[tokio::test]
async fn group_member_update_makes_no_owner_of_a_user_being_deleted() {
    let server = TestServer::start().await;
    let (admin, ada, grace) =
        (server.admin().await, server.quick_user("ada").await, server.quick_user("grace").await);
    let group = engine(&server, ada.id).await;
    let member = format!("/v1/groups/{group}/members");
    let join = json!({ "user": "@grace" });
    assert_eq!(call(&server, &admin, Method::POST, &member, Some(join)).await.code(), 201);
    let holder = server.database.connect().await;
    let session = format!("BEGIN; SELECT FROM sessions WHERE user_id = '{}' FOR UPDATE", grace.id);
    holder.batch_execute(&session).await.unwrap();
    let waiting = async |count: i64| {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        (server.count(waiting).await >= count).then_some(())
    };
    let path = format!("/v1/users/{}", grace.id);
    let delete = call(&server, &admin, Method::DELETE, &path, None);
    let (promoted, left) = (format!("{member}/{}", grace.id), format!("{member}/me"));
    let hand_over = async {
        eventually("the deletion waits", Duration::from_secs(10), async || waiting(1).await).await;
        let promote = json!({ "roles": ["@owner"] });
        let promote = call(&server, &ada, Method::PATCH, &promoted, Some(promote)).await;
        (promote.code(), call(&server, &ada, Method::DELETE, &left, None).await.code())
    };
    let release = async {
        let both = eventually("both wait", Duration::from_secs(2), async || waiting(2).await);
        // Without the lock neither waits: then there is nothing to wait for.
        let _waits = tokio::time::timeout(Duration::from_secs(1), both).await;
        holder.batch_execute("ROLLBACK").await.unwrap();
    };
    let (deleted, (promoted, left), ()) = futures::join!(delete, hand_over, release);
    let owners = format!("SELECT count(*) FROM group_member_roles WHERE group_id = '{group}'");
    let outcome = format!("deleted {}, promoted {promoted}, left {left}", deleted.code());
    assert_eq!(server.count(&owners).await, 1, "{outcome}");
    assert_eq!((deleted.code(), left), (204, 409), "{outcome}");
    assert!(matches!(promoted, 404 | 409), "{outcome}");
}

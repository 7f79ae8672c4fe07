//! Roles and groups with 150,000 holders, and users referenced by tens of thousands of rows, under the
//! statement timeout and request deadline of the default configuration.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::support::server::eventually;
use crate::support::{Answer, Person, TestServer};

const CROWD: i64 = 150_000;
/// Number of rows that reference one user.
const MANY: i64 = 60_000;

/// A server with the default limits.
async fn limited() -> TestServer {
    let limited = TestServer::builder().config(|config| {
        config.database.statement_timeout_milliseconds = 2000;
        config.http.request_timeout_seconds = 10;
    });
    limited.start().await
}

/// Such a server, its administrator, and Ada in a crowd in which every user holds the global role `editor`
/// and is a mechanic in the group `engine`.
async fn crowd() -> (TestServer, Person, Person) {
    let server = limited().await;
    let (admin, ada) = (server.admin().await, server.quick_user("ada").await);
    let seed = format!(
        "INSERT INTO users (id, username, username_folded, created_via, created_at, updated_at) \
             SELECT gen_random_uuid(), 'u' || n, 'u' || n, 'admin', now(), now() FROM generate_series(2, {CROWD}) n; \
         INSERT INTO roles (id, scope, name, created_at, updated_at) \
             SELECT gen_random_uuid(), scope, name, now(), now() \
             FROM (VALUES ('global', 'editor'), ('group', 'mechanic')) v (scope, name); \
         INSERT INTO role_permissions (role_id, permission) \
             SELECT id, p FROM roles, (VALUES ('docs:edit'), ('docs:read')) v (p) WHERE name IN ('editor', 'mechanic'); \
         INSERT INTO groups (id, slug, name, created_at, updated_at) \
             VALUES (gen_random_uuid(), 'engine', 'Engine', now(), now()); \
         INSERT INTO user_roles (user_id, role_id, granted_at) \
             SELECT users.id, roles.id, now() FROM users, roles \
             WHERE roles.name = 'editor' AND username_folded <> 'administrator'; \
         INSERT INTO group_members (group_id, user_id, joined_at) \
             SELECT groups.id, users.id, now() FROM users, groups \
             WHERE slug IN ('engine', 'public') AND username_folded <> 'administrator' ON CONFLICT DO NOTHING; \
         INSERT INTO group_member_roles (group_id, user_id, role_id) \
             SELECT group_id, user_id, roles.id FROM group_members JOIN groups ON groups.id = group_id, roles \
             WHERE slug = 'engine' AND roles.name = 'mechanic'; \
         ANALYZE"
    );
    server.sql(&seed).await;
    assert_eq!(server.count("SELECT count(*) FROM user_roles").await, CROWD + 1);
    (server, admin, ada)
}

async fn call(server: &TestServer, who: &Person, method: Method, path: &str, body: Value) -> Answer {
    let request = server.request(method, path).bearer_auth(who.token());
    Answer::of(if body.is_null() { request } else { request.json(&body) }).await
}

async fn done(server: &TestServer, who: &Person, method: Method, path: &str, body: Value) -> Answer {
    let response = call(server, who, method.clone(), path, body).await;
    assert!(response.code() < 300, "{method} {path}: {} {}", response.code(), response.message());
    response
}

/// Queries if Ada may edit, globally or in a group.
async fn may_edit(server: &TestServer, ada: &Person, group: Option<&str>) -> Value {
    let mut question = json!({ "permission": "docs:edit" });
    if let Some(group) = group {
        question["group"] = group.into();
    }
    call(server, ada, Method::POST, "/v1/check", question).await.json()["allowed"].clone()
}

async fn erased(server: &TestServer, rows: &str) {
    let gone = async || (server.count(rows).await == 0).then_some(());
    eventually("the rows are erased", Duration::from_secs(300), gone).await;
}

#[tokio::test]
async fn role_update_and_role_delete_work_with_many_holders() {
    let (server, admin, ada) = crowd().await;
    let path = "/v1/roles/@editor";
    let known = done(&server, &admin, Method::GET, "/v1/users/@ada", Value::Null).await;
    assert_eq!(may_edit(&server, &ada, None).await, true);
    done(&server, &admin, Method::PATCH, path, json!({ "permissions": [] })).await;
    assert_eq!(may_edit(&server, &ada, None).await, false, "what has leaked is revoked at once");
    done(&server, &admin, Method::PATCH, path, json!({ "name": "writer", "permissions": ["docs:edit"] }))
        .await;
    let seen = done(&server, &admin, Method::GET, "/v1/users/@ada", Value::Null).await;
    assert_eq!(seen.json()["roles"], json!(["writer"]));
    assert_ne!(seen.header("etag"), known.header("etag"));

    let refused = call(&server, &admin, Method::DELETE, "/v1/roles/@writer", Value::Null).await;
    assert_eq!((refused.code(), refused.error_code().as_str()), (409, "role_in_use"));
    let rows = "SELECT count(*) FROM user_roles JOIN roles ON roles.id = role_id WHERE name = 'writer'";
    done(&server, &admin, Method::DELETE, "/v1/roles/@writer?force=true", Value::Null).await;
    assert_eq!(may_edit(&server, &ada, None).await, false);
    let seen = done(&server, &admin, Method::GET, "/v1/users/@ada", Value::Null).await;
    assert_eq!(seen.json()["roles"], json!([]));
    // The name can be reused without waiting for the erasure.
    done(&server, &admin, Method::POST, "/v1/roles", json!({ "name": "writer" })).await;
    done(&server, &admin, Method::POST, "/v1/users/@ada/roles", json!({ "roles": ["@writer"] })).await;
    done(&server, &ada, Method::PATCH, "/v1/users/me", json!({ "name": "Ada" })).await;
    done(&server, &admin, Method::DELETE, "/v1/users/@u2", Value::Null).await;
    done(&server, &admin, Method::DELETE, "/v1/roles/@mechanic?force=true", Value::Null).await;
    assert_eq!(may_edit(&server, &ada, Some("@engine")).await, false);
    erased(&server, &format!("{rows} AND deleted")).await;
    erased(&server, "SELECT count(*) FROM roles WHERE deleted").await;
    assert_eq!(server.count("SELECT count(*) FROM user_roles").await, 2, "the administrator's and Ada's");
    assert_eq!(
        server.count("SELECT count(*) FROM group_member_roles").await,
        1,
        "the administrator's in public"
    );
}

#[tokio::test]
async fn group_update_and_group_delete_work_with_many_members() {
    let (server, admin, ada) = crowd().await;
    done(&server, &admin, Method::PATCH, "/v1/groups/@public", json!({ "name": "Everybody" })).await;
    let known = done(&server, &ada, Method::GET, "/v1/users/me", Value::Null).await;
    done(&server, &admin, Method::PATCH, "/v1/groups/@engine", json!({ "slug": "loom" })).await;
    let seen = done(&server, &ada, Method::GET, "/v1/users/me", Value::Null).await;
    assert_eq!(seen.json()["groups"], json!(["loom", "public"]));
    assert_ne!(seen.header("etag"), known.header("etag"));
    assert_eq!(may_edit(&server, &ada, Some("@loom")).await, true);

    let invitation = done(&server, &admin, Method::POST, "/v1/groups/@loom/invitations", json!({})).await;
    let id = seen_group(&server, &admin, "@loom").await;
    done(&server, &admin, Method::DELETE, "/v1/groups/@loom", Value::Null).await;
    let seen = done(&server, &ada, Method::GET, "/v1/users/me", Value::Null).await;
    assert_eq!(seen.json()["groups"], json!(["public"]));
    let question = json!({ "permission": "docs:edit", "group": id });
    assert_eq!(call(&server, &ada, Method::POST, "/v1/check", question).await.code(), 404);
    let token = json!({ "token": invitation.json()["token"] });
    assert_eq!(call(&server, &admin, Method::POST, "/v1/invitations/accept", token).await.code(), 422);
    done(&server, &admin, Method::POST, "/v1/groups", json!({ "slug": "loom", "name": "Loom" })).await;
    done(&server, &admin, Method::POST, "/v1/groups/@loom/members", json!({ "user": "@ada" })).await;
    done(&server, &admin, Method::DELETE, "/v1/users/@u2", Value::Null).await;
    erased(&server, "SELECT count(*) FROM groups WHERE deleted").await;
    let rows = format!("SELECT count(*) FROM group_members WHERE group_id = '{id}'");
    assert_eq!(server.count(&rows).await, 0);
    let seen = done(&server, &ada, Method::GET, "/v1/users/me", Value::Null).await;
    assert_eq!(seen.json()["groups"], json!(["loom", "public"]));
    assert_eq!(
        server.count("SELECT count(*) FROM users").await,
        CROWD,
        "everybody but one and the group's are there"
    );
}

async fn seen_group(server: &TestServer, who: &Person, group: &str) -> String {
    let group = done(server, who, Method::GET, &format!("/v1/groups/{group}"), Value::Null).await;
    group.json()["id"].as_str().unwrap().to_owned()
}

/// A service account with a group for each customer, a spammer, and the spammer's victim: each can be deleted.
#[tokio::test]
async fn user_delete_works_with_many_references_to_the_user() {
    let server = limited().await;
    let (admin, ada) = (server.admin().await, server.quick_user("ada").await);
    let (spammer, victim) = (server.quick_user("spammer").await, server.quick_user("victim").await);
    server
        .sql(&format!(
            "UPDATE users SET email = 'v@example.org', email_folded = 'v@example.org' WHERE id = '{2}'; \
             INSERT INTO groups (id, slug, name, name_folded, created_by, created_at, updated_at) \
                 SELECT gen_random_uuid(), 'g' || n, 'G', 'g', '{0}', now(), now() FROM generate_series(1, {MANY}) n; \
             INSERT INTO group_members (group_id, user_id, joined_at) \
                 SELECT groups.id, who, now() FROM groups, (VALUES ('{0}'::uuid), ('{3}'::uuid)) v (who) \
                 WHERE slug ~ '^g[0-9]{{1,4}}$'; \
             INSERT INTO group_member_roles (group_id, user_id, role_id) \
                 SELECT group_id, user_id, roles.id FROM group_members JOIN groups ON groups.id = group_id, roles \
                 WHERE slug LIKE 'g%' AND roles.name = 'owner'; \
             INSERT INTO invitations (id, group_id, token_hash, email, email_folded, invited_by, created_at, expires_at) \
                 SELECT gen_random_uuid(), groups.id, decode(md5(n::text), 'hex'), 'v@example.org', 'v@example.org', '{1}', \
                     now(), now() + interval '1 day' \
                 FROM generate_series(1, {MANY}) n, groups WHERE slug = 'g1'; \
             INSERT INTO idempotency_keys \
                 (caller, key, operation, request_hash, resource_id, body, location, etag, expires_at) \
                 SELECT '{3}', n, 'group_member_add', '', '{2}', '{{{{}}}}', '/', '', now() + interval '1 day' \
                 FROM generate_series(1, {MANY}) n; \
             ANALYZE",
            ada.id, spammer.id, victim.id, admin.id
        ))
        .await;
    for who in [&spammer, &victim, &ada] {
        done(&server, &admin, Method::DELETE, &format!("/v1/users/{}", who.id), Value::Null).await;
    }
    erased(&server, "SELECT count(*) FROM deleted_users WHERE NOT erased OR email_folded IS NOT NULL").await;
    assert_eq!(server.count("SELECT count(*) FROM invitations").await, 0, "they had the victim's address");
    let shown = "SELECT count(*) FROM idempotency_keys WHERE body <> '' OR location <> ''";
    assert_eq!(server.count(shown).await, 0, "they showed the victim");
    assert_eq!(server.count("SELECT count(*) FROM groups WHERE created_by IS NOT NULL").await, 0);
    assert_eq!(server.count("SELECT count(*) FROM groups").await, MANY + 1);
}

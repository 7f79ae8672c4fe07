//! Deleting a user: erased data, remaining data, and callers without the permission.

use rollcall_api::access::Permission;
use rollcall_client::{error_code, etag, types};
use serde_json::json;

use super::{create, is_live, object, refusal, sign_in_refused, update};
use crate::support::{PASSWORD, Refused, TestServer};

/// Tables that contain any of these words in any column.
async fn tables_with(server: &TestServer, words: &[&str]) -> Vec<String> {
    let db = server.db().await;
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    let mut found = Vec::new();
    for row in db.query(tables, &[]).await.unwrap() {
        let table: String = row.get(0);
        for word in words {
            // Binary columns are printed as hexadecimal digits.
            let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
            let query = format!(
                "SELECT count(*) FROM {table} t WHERE to_jsonb(t)::text ILIKE '%' || $1 || '%' OR to_jsonb(t)::text LIKE '%' || $2 || '%'"
            );
            if db.query_one(&query, &[word, &hex]).await.unwrap().get::<_, i64>(0) > 0 {
                found.push(format!("{table}: {word}"));
            }
        }
    }
    found
}

#[tokio::test]
async fn user_delete_erases_all_personal_data() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body = json!({
        "username": "Zaphod", "email": "zaphod@beeblebrox.example", "phone": "+4215550142", "name": "Zaphod Trillian",
        "avatar_url": "https://heartofgold.example/z.png", "password": PASSWORD,
        "profile": { "nickname": "Prefect", "address": { "locality": "Magrathea" } },
        "custom_data": { "ship": "Slartibartfast" },
    });
    let made = admin.user_create().body(create(body)).send().await.unwrap();
    let session = server.client().login("Zaphod", PASSWORD).await.unwrap();
    session
        .user_preferences_update()
        .user("me")
        .body(object(json!({ "drink": "Galactica" })))
        .send()
        .await
        .unwrap();
    session.user_update().user("me").body(update(json!({ "name": "Arthur Trillian" }))).send().await.unwrap();
    session
        .user_update()
        .user("me")
        .body(update(json!({ "username": "administrator" })))
        .send()
        .await
        .refused();
    sign_in_refused(&server, "zaphod@beeblebrox.example", "wrong").await;
    let words = [
        "zaphod",
        "beeblebrox",
        "4215550142",
        "trillian",
        "heartofgold",
        "prefect",
        "magrathea",
        "slartibartfast",
        "galactica",
        "reqwest",
    ];
    let before = tables_with(&server, &words).await;
    assert!(before.iter().any(|place| place == "users: galactica"), "the search finds things: {before:?}");
    assert!(
        before.iter().any(|place| place == "idempotency_keys: zaphod"),
        "also in stored responses: {before:?}"
    );

    let response = admin.user_delete().user("@zaphod").send().await.unwrap();
    assert_eq!(response.status().as_u16(), 204);
    assert_eq!(tables_with(&server, &words[..9]).await, Vec::<String>::new());
    for table in ["sessions", "group_members", "group_member_roles", "user_roles"] {
        let left = format!("SELECT count(*) FROM {table} WHERE user_id = '{}'", made.id.0);
        assert_eq!(server.count(&left).await, 0, "{table}");
    }
}

#[tokio::test]
async fn user_delete_keeps_the_id_for_the_audit_trail() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    admin.user_delete().user("@ada").send().await.unwrap();
    let id = ada.id;
    assert_eq!(server.count(&format!("SELECT count(*) FROM deleted_users WHERE id = '{id}'")).await, 1);
    let trail = format!(
        "SELECT count(*) FROM audit_events WHERE operation = 'user_delete' AND target_id = '{id}' \
        AND actor_id = '{}' AND result = 'done'",
        admin.id
    );
    assert_eq!(server.count(&trail).await, 1);
    assert!(server.count(&format!("SELECT count(*) FROM audit_events WHERE actor_id = '{id}'")).await > 0);
    for missing in [
        admin.user_view().user(ada.path()).send().await.refusal(),
        admin.user_view().user("@ada").send().await.refusal(),
    ] {
        assert_eq!(missing, refusal(404, error_code::NOT_FOUND));
    }
    let missing = admin.user_delete().user(ada.path()).send().await.refusal();
    assert_eq!(missing, refusal(404, error_code::NOT_FOUND), "and again");
}

/// Dioptra keeps the names of deleted users for ever.
#[tokio::test]
async fn user_delete_invalidates_tokens_and_frees_the_names() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body =
        json!({ "username": "ada", "email": "ada@example.org", "phone": "+1234567", "password": PASSWORD });
    let first = admin.user_create().body(create(body.clone())).send().await.unwrap();
    let ada = server.sign_in("ada").await;
    admin.user_delete().user("@ada").send().await.unwrap();
    assert!(!is_live(&ada).await);
    let refused = sign_in_refused(&server, "ada", PASSWORD).await;
    assert_eq!(refused.code(), Some(error_code::INVALID_CREDENTIALS));
    let second = admin.user_create().body(create(body)).send().await.unwrap();
    assert_ne!(second.id.0, first.id.0);
    assert!(!is_live(&ada).await, "the old token doesn't come back with the name");
}

#[tokio::test]
async fn user_create_with_a_used_key_does_not_restore_a_deleted_user() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let attempt = || {
        let key = types::IdempotencyKey::try_from("key").unwrap();
        admin.user_create().idempotency_key(key).body(create(json!({ "username": "ada" }))).send()
    };
    attempt().await.unwrap();
    admin.user_delete().user("@ada").send().await.unwrap();
    assert_eq!(attempt().await.refusal(), refusal(409, error_code::IDEMPOTENCY_KEY_REUSED));
    let gone = admin.user_view().user("@ada").send().await.refusal();
    assert_eq!(gone, refusal(404, error_code::NOT_FOUND));
}

/// CVAT and Logto allow it.
#[tokio::test]
async fn user_delete_keeps_the_last_administrator() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let refused = admin.user_delete().user("me").send().await.refusal();
    assert_eq!(refused, refusal(409, error_code::LAST_ADMINISTRATOR));
    assert!(is_live(&admin).await);

    // An administrator who cannot log in does not count.
    let second = server.user("second").await;
    server.make_administrator(second.id).await;
    server.suspend(second.id).await;
    let refused = admin.user_delete().user("me").send().await.refusal();
    assert_eq!(refused, refusal(409, error_code::LAST_ADMINISTRATOR));
    server.sql("UPDATE users SET suspended = false, password_hash = NULL WHERE username = 'second'").await;
    let refused = admin.user_delete().user("me").send().await.refusal();
    assert_eq!(refused, refusal(409, error_code::LAST_ADMINISTRATOR));

    let third = server.user("third").await;
    server.make_administrator(third.id).await;
    admin.user_delete().user("me").send().await.unwrap();
    let refused = third.user_delete().user("me").send().await.refusal();
    assert_eq!(refused, refusal(409, error_code::LAST_ADMINISTRATOR));
    third.user_delete().user("@second").send().await.unwrap();
}

#[tokio::test]
async fn user_delete_of_others_is_for_holders_who_outrank_them() {
    let server = TestServer::start().await;
    let (ada, eve) = (server.user("ada").await, server.user("eve").await);
    let clerk = server.holder("clerk", &[Permission::UsersDelete]).await;
    let writer = server.holder("writer", &[Permission::UsersWrite]).await;
    let before = server.dump().await;
    for session in [&eve, &writer] {
        let refused = session.user_delete().user(ada.path()).send().await.refusal();
        assert_eq!(refused, refusal(403, error_code::FORBIDDEN));
    }
    for user in ["@administrator", "@writer"] {
        let refused = clerk.user_delete().user(user).send().await.refusal();
        assert_eq!(refused, refusal(403, error_code::FORBIDDEN), "{user}");
    }
    assert_eq!(server.dump().await, before);
    clerk.user_delete().user("@ada").send().await.unwrap();
    assert!(!is_live(&ada).await);
}

#[tokio::test]
async fn user_delete_rejects_a_stale_tag() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let seen = admin.user_view().user("@ada").send().await.unwrap();
    let old = etag(&seen).unwrap();
    ada.user_update().user("me").body(update(json!({ "name": "Ada" }))).send().await.unwrap();
    let refused = admin.user_delete().user("@ada").if_match(old).send().await.refused();
    assert_eq!(refused.code(), Some(error_code::PRECONDITION_FAILED));
    let current = refused.etag().unwrap().to_owned();
    assert!(is_live(&ada).await);
    admin.user_delete().user("@ada").if_match(current.as_str()).send().await.unwrap();
}

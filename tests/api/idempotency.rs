//! Idempotency keys: the same key and body takes effect once, regardless of the number of retries.

use rollcall_client::{Session, error_code, etag, types};
use serde_json::{Value, json};

use super::{create, refusal};
use crate::support::{PASSWORD, Refused, TestServer};

async fn attempt(
    session: &Session,
    key: &str,
    body: Value,
) -> Result<rollcall_client::ResponseValue<types::User>, rollcall_client::Error> {
    let key = types::IdempotencyKey::try_from(key).unwrap();
    session.user_create().idempotency_key(key).body(create(body)).send().await
}

fn ada() -> Value {
    json!({ "username": "ada", "name": "Ada Lovelace", "password": PASSWORD })
}

#[tokio::test]
async fn user_create_retries_get_the_first_response() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let first = attempt(&admin, "key", ada()).await.unwrap();
    assert!(!first.headers().contains_key("idempotency-replayed"));
    let update = super::update(json!({ "name": "Somebody Else" }));
    admin.user_update().user("@ada").body(update).send().await.unwrap();
    let again = attempt(&admin, "key", ada()).await.unwrap();
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!((again.status().as_u16(), again.id.0), (201, first.id.0));
    assert_eq!(again.name.as_deref(), Some("Ada Lovelace"), "the first response, not the current record");
    assert_eq!((etag(&again), &again.headers()["location"]), (etag(&first), &first.headers()["location"]));
    assert_eq!(server.count("SELECT count(*) FROM users").await, 2);
    assert_eq!(
        server
            .count("SELECT count(*) FROM audit_events WHERE operation = 'user_create' AND result = 'done'")
            .await,
        1
    );
}

#[tokio::test]
async fn user_create_and_role_create_replay_nothing_that_was_deleted() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let group = || types::GroupCreate::builder().name("Team").slug("team");
    let role = || types::RoleCreate::builder().name("tester").scope(types::RoleScopeInput::Global);
    let key = || types::IdempotencyKey::try_from("key").unwrap();
    let first = admin.group_create().idempotency_key(key()).body(group()).send().await.unwrap();
    admin.group_delete().group("@team").if_match("*").send().await.unwrap();
    let gone = refusal(409, error_code::IDEMPOTENCY_KEY_REUSED);
    let again = admin.group_create().idempotency_key(key()).body(group()).send().await;
    assert_eq!(again.refusal(), gone);
    let new = admin.group_create().body(group()).send().await.unwrap();
    assert_ne!(new.id.0, first.id.0);
    let key = || types::IdempotencyKey::try_from("another").unwrap();
    admin.role_create().idempotency_key(key()).body(role()).send().await.unwrap();
    admin.role_delete().role("@tester").if_match("*").send().await.unwrap();
    assert_eq!(admin.role_create().idempotency_key(key()).body(role()).send().await.refusal(), gone);
    assert_eq!(admin.role_view().role("@tester").send().await.refusal(), refusal(404, error_code::NOT_FOUND));
}

#[tokio::test]
async fn user_create_rejects_a_key_of_another_request() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    attempt(&admin, "key", ada()).await.unwrap();
    for body in [
        json!({ "username": "eve" }),
        json!({ "username": "ada", "name": "Ada Lovelace", "password": "another password by far" }),
    ] {
        assert_eq!(
            attempt(&admin, "key", body).await.refusal(),
            refusal(409, error_code::IDEMPOTENCY_KEY_REUSED)
        );
    }
    assert_eq!(server.count("SELECT count(*) FROM users").await, 2);
}

#[tokio::test]
async fn user_create_keys_belong_to_their_caller() {
    let server = TestServer::start().await;
    let (one, two) = (server.admin().await, server.user("second").await);
    server.make_administrator(two.id).await;
    attempt(&one, "key", ada()).await.unwrap();
    assert_eq!(attempt(&two, "key", ada()).await.refusal(), refusal(409, error_code::USERNAME_TAKEN));
    let other = attempt(&two, "key", json!({ "username": "grace" })).await.unwrap();
    assert!(!other.headers().contains_key("idempotency-replayed"));
    let again = server.sign_in("administrator").await;
    let replayed = attempt(&again, "key", ada()).await.unwrap();
    assert_eq!(replayed.headers()["idempotency-replayed"], "true", "the caller is the user, not the session");
}

#[tokio::test]
async fn user_create_rejections_leave_the_key_unused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let taken = json!({ "username": "administrator" });
    assert_eq!(attempt(&admin, "key", taken).await.refusal(), refusal(409, error_code::USERNAME_TAKEN));
    attempt(&admin, "key", ada()).await.unwrap();
}

#[tokio::test]
async fn user_create_replays_nothing_to_a_caller_without_the_permission() {
    let server = TestServer::start().await;
    let writer = server.holder("writer", &[rollcall_api::access::Permission::UsersWrite]).await;
    attempt(&writer, "key", ada()).await.unwrap();
    server
        .sql("DELETE FROM user_roles WHERE user_id IN (SELECT id FROM users WHERE username = 'writer')")
        .await;
    assert_eq!(attempt(&writer, "key", ada()).await.refusal(), refusal(403, error_code::FORBIDDEN));
}

/// The client adds a key of its own to creating requests, so that it can retry them.
#[tokio::test]
async fn user_create_without_a_key_is_sent_with_a_new_one_each_time() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin.user_create().body(create(ada())).send().await.unwrap();
    let refused = admin.user_create().body(create(ada())).send().await.refusal();
    assert_eq!(refused, refusal(409, error_code::USERNAME_TAKEN));
    assert_eq!(server.count("SELECT count(*) FROM idempotency_keys").await, 1);
}

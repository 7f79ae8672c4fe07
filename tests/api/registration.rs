//! Account registration.

use rollcall_client::{Error, created_via, error_code, etag, types};
use rollcall_server::config::RegistrationMode;
use serde_json::{Value, json};

use super::refusal;
use crate::support::{PASSWORD, Refused, TestServer};

async fn open() -> TestServer {
    TestServer::builder().config(|config| config.registration.mode = RegistrationMode::Open).start().await
}

fn register(body: Value) -> types::Register {
    serde_json::from_value(body).unwrap()
}

fn ada() -> types::Register {
    register(json!({ "username": "Ada", "password": PASSWORD }))
}

#[tokio::test]
async fn register_is_rejected_where_registration_is_closed() {
    for mode in [RegistrationMode::Closed, RegistrationMode::Invite] {
        let server = TestServer::builder().config(|config| config.registration.mode = mode).start().await;
        let refused = server.client().register().body(ada()).send().await.refusal();
        assert_eq!(refused, refusal(403, error_code::REGISTRATION_CLOSED));
        assert_eq!(server.count("SELECT count(*) FROM users").await, 1);
    }
}

#[tokio::test]
async fn register_is_closed_by_default() {
    let mode = rollcall_server::config::Config::default().registration.mode;
    assert_eq!(mode, RegistrationMode::Closed);
}

#[tokio::test]
async fn register_creates_an_account_in_public_without_a_session() {
    let server = open().await;
    let body = json!({
        "username": "Ada", "email": "ada@example.org", "phone": "+442079460123", "name": "Ada Lovelace",
        "password": PASSWORD, "profile": { "given_name": "Ada", "address": { "locality": "London" } },
    });
    let made = server.client().register().body(register(body)).send().await.unwrap();
    assert_eq!(made.status().as_u16(), 201);
    assert_eq!(made.headers()["location"].to_str().unwrap(), format!("/v1/users/{}", made.id.0));
    assert_eq!(made.groups.as_deref(), Some(&["public".to_owned()][..]));
    assert_eq!(made.roles.as_deref(), Some(&[][..]), "and no rights");
    assert_eq!(made.created_via.as_ref().map(|via| via.0.as_str()), Some(created_via::REGISTRATION));
    assert_eq!((made.email_verified, made.phone_verified), (Some(false), Some(false)));
    assert_eq!((made.suspended, made.has_password, made.last_sign_in_at), (Some(false), Some(true), None));
    assert_eq!(server.count("SELECT count(*) FROM sessions").await, 0, "it doesn't sign in");

    let session = server.client().login("ada@example.org", PASSWORD).await.unwrap();
    let seen = session.user_view().user("me").send().await.unwrap();
    assert_eq!(seen.profile.as_ref().unwrap().given_name.as_deref(), Some("Ada"));
    let address = seen.profile.as_ref().unwrap().address.as_ref().unwrap();
    assert_eq!(address.locality.as_deref(), Some("London"));
    assert_eq!(seen.name.as_deref(), Some("Ada Lovelace"));
}

#[tokio::test]
async fn register_retries_take_effect_once() {
    let server = open().await;
    let attempt = |key: &str, body: types::Register| {
        let (client, key) = (server.client(), types::IdempotencyKey::try_from(key).unwrap());
        async move { client.register().idempotency_key(key).body(body).send().await }
    };
    let first = attempt("first-try", ada()).await.unwrap();
    let again = attempt("first-try", ada()).await.unwrap();
    assert_eq!((again.status().as_u16(), again.id.0), (201, first.id.0));
    assert_eq!(
        (again.headers()["idempotency-replayed"].to_str().unwrap(), etag(&again)),
        ("true", etag(&first))
    );
    assert!(!first.headers().contains_key("idempotency-replayed"));
    let other = register(json!({ "username": "eve", "password": PASSWORD }));
    let refused = attempt("first-try", other).await.refusal();
    assert_eq!(refused, refusal(409, error_code::IDEMPOTENCY_KEY_REUSED));
    let refused = attempt("second-try", ada()).await.refusal();
    assert_eq!(refused, refusal(409, error_code::USERNAME_TAKEN));
    assert_eq!(server.count("SELECT count(*) FROM users").await, 2);
}

#[tokio::test]
async fn register_enforces_the_rules_of_every_account() {
    let server = open().await;
    server.user("eve").await;
    for (body, status, code) in [
        (json!({ "username": "EVE", "password": PASSWORD }), 409, error_code::USERNAME_TAKEN),
        (json!({ "password": PASSWORD }), 422, error_code::IDENTIFIER_REQUIRED),
        (
            json!({ "username": "ada@example.org", "password": PASSWORD }),
            422,
            error_code::USERNAME_NOT_OWN_EMAIL,
        ),
        (json!({ "username": "ada", "password": "quick brown" }), 422, error_code::PASSWORD_TOO_SHORT),
        (json!({ "username": "ada", "password": "ada.ada.ada.ada" }), 422, error_code::PASSWORD_BLOCKED),
        (json!({ "username": "ada", "password": "short" }), 422, error_code::PASSWORD_TOO_SHORT),
    ] {
        let refused = server.client().register().body(register(body.clone())).send().await.refusal();
        assert_eq!(refused, refusal(status, code), "{body}");
    }
    assert_eq!(server.count("SELECT count(*) FROM users").await, 2);
}

#[tokio::test]
async fn register_is_limited_for_each_source() {
    let limit = |config: &mut rollcall_server::config::Config| {
        config.registration.mode = RegistrationMode::Open;
        config.throttle.source_attempts = 2;
    };
    let server = TestServer::builder().config(limit).start().await;
    for name in ["a", "b"] {
        let body = register(json!({ "username": name, "password": PASSWORD }));
        server.client().register().body(body).send().await.unwrap();
    }
    let refused: Error = server.client().register().body(ada()).send().await.refused();
    assert_eq!(refused.code(), Some(error_code::TOO_MANY_ATTEMPTS));
    assert!(refused.retry_after().is_some());
}

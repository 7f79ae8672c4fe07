//! Setting, changing and verifying passwords.

use rollcall_api::access::Permission;
use rollcall_client::{Session, error_code, types};
use serde_json::json;
use uuid::Uuid;

use super::{NEW_PASSWORD, create, is_live, refusal, sign_in_refused, text};
use crate::support::{PASSWORD, Refused, TestServer};

fn set(password: &str) -> types::UserPasswordSet {
    types::UserPasswordSet { password: password.into(), must_change: None }
}

fn change(current: &str, new: &str) -> types::UserPasswordChange {
    types::UserPasswordChange { current_password: current.into(), new_password: new.into() }
}

async fn verify(session: &Session, user: &str, password: &str) -> (u16, String) {
    let body = types::UserPasswordVerify { password: password.into() };
    match session.user_password_verify().user(user).body(body).send().await {
        Ok(response) => (response.status().as_u16(), String::new()),
        refused => refused.refusal(),
    }
}

/// Logto's reset leaves stolen sessions valid.
#[tokio::test]
async fn user_password_set_ends_all_of_the_users_sessions() {
    let server = TestServer::start().await;
    let (ada, again) = (server.user("ada").await, server.sign_in("ada").await);
    let (clerk, before) =
        (server.holder("clerk", &[Permission::UsersCredentials]).await, server.admin().await);
    let was = before.user_view().user("@ada").send().await.unwrap();
    let response = clerk.user_password_set().user("@ada").body(set(NEW_PASSWORD)).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 204);
    assert!(!is_live(&ada).await && !is_live(&again).await && is_live(&clerk).await);
    assert_eq!(sign_in_refused(&server, "ada", PASSWORD).await.code(), Some(error_code::INVALID_CREDENTIALS));
    let ada = server.client().login("ada", NEW_PASSWORD).await.unwrap();
    let seen = ada.user_view().user("me").send().await.unwrap();
    assert!(seen.password_changed_at > was.password_changed_at);
}

#[tokio::test]
async fn user_password_set_can_force_a_change() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let body = types::UserPasswordSet { must_change: Some(true), ..set(NEW_PASSWORD) };
    admin.user_password_set().user(ada.path()).body(body).send().await.unwrap();
    let refused = sign_in_refused(&server, "ada", NEW_PASSWORD).await;
    assert_eq!(refused.code(), Some(error_code::PASSWORD_EXPIRED));
}

#[tokio::test]
async fn user_password_set_enables_an_account_without_a_password() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let made = admin.user_create().body(create(json!({ "username": "ada" }))).send().await.unwrap();
    assert_eq!((made.has_password, made.password_changed_at), (Some(false), None));
    admin.user_password_set().user("@ada").body(set(NEW_PASSWORD)).send().await.unwrap();
    server.client().login("ada", NEW_PASSWORD).await.unwrap();
    let seen = admin.user_view().user("@ada").send().await.unwrap();
    assert_eq!((seen.has_password, seen.password_changed_at.is_some()), (Some(true), true));
}

/// Otherwise every holder of `users:credentials` could become an administrator.
#[tokio::test]
async fn user_password_set_is_forbidden_for_users_who_outrank_the_caller() {
    let server = TestServer::start().await;
    let clerk = server.holder("clerk", &[Permission::UsersCredentials]).await;
    let writer = server.holder("writer", &[Permission::UsersWrite]).await;
    let peer = server.holder("peer", &[Permission::UsersCredentials]).await;
    let hash = "SELECT password_hash FROM users WHERE username_folded = 'administrator'";
    let before = text(&server, hash).await;
    for user in ["@administrator", "@writer"] {
        let refused = clerk.user_password_set().user(user).body(set(NEW_PASSWORD)).send().await;
        assert_eq!(refused.refusal(), refusal(403, error_code::FORBIDDEN), "{user}");
        assert_eq!(verify(&clerk, user, PASSWORD).await, refusal(403, error_code::FORBIDDEN), "{user}");
    }
    assert_eq!(text(&server, hash).await, before);
    assert!(is_live(&writer).await);
    clerk.user_password_set().user(peer.path()).body(set(NEW_PASSWORD)).send().await.unwrap();
    assert!(!is_live(&peer).await, "an equal can be changed");
}

#[tokio::test]
async fn user_password_set_needs_the_permission_and_is_for_others() {
    let server = TestServer::start().await;
    let (ada, eve) = (server.user("ada").await, server.user("eve").await);
    for user in ["me".to_owned(), eve.path()] {
        let refused = ada.user_password_set().user(user).body(set(NEW_PASSWORD)).send().await.refused();
        assert_eq!(refused.code(), Some(error_code::FORBIDDEN));
        assert!(refused.message().contains("users:credentials"), "{}", refused.message());
    }
    let admin = server.admin().await;
    let nobody = Uuid::now_v7().to_string();
    let missing = admin.user_password_set().user(nobody).body(set(NEW_PASSWORD)).send().await.refusal();
    assert_eq!(missing, refusal(404, error_code::NOT_FOUND));
    // A stolen session must not be able to take over the account.
    for me in ["me".to_owned(), admin.path(), "@administrator".to_owned()] {
        let refused = admin.user_password_set().user(me).body(set(NEW_PASSWORD)).send().await.refused();
        assert_eq!(refused.code(), Some(error_code::FORBIDDEN));
        assert!(refused.message().contains("user_password_change"), "{}", refused.message());
    }
    assert!(is_live(&admin).await);
    server.client().login("administrator", PASSWORD).await.unwrap();
}

/// Administrators are no exception, unlike in Logto.
#[tokio::test]
async fn user_password_set_and_change_enforce_the_policy() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body = json!({ "username": "lovelace", "email": "countess@example.org", "phone": "+442079460123",
        "name": "Augusta Byron", "password": PASSWORD });
    admin.user_create().body(create(body)).send().await.unwrap();
    let lovelace = server.sign_in("lovelace").await;
    for (password, code) in [
        ("quick brown", error_code::PASSWORD_TOO_SHORT),
        ("aaaaaaaaaaaaaaaaaaaa", error_code::PASSWORD_BLOCKED),
        ("qwertyuiopasdfgh", error_code::PASSWORD_BLOCKED),
        ("lovelace.lovelace", error_code::PASSWORD_BLOCKED),
        ("countess@example.org", error_code::PASSWORD_BLOCKED),
        ("augusta byron 1", error_code::PASSWORD_BLOCKED),
        ("+442079460123+44", error_code::PASSWORD_BLOCKED),
    ] {
        let refused = admin.user_password_set().user("@lovelace").body(set(password)).send().await;
        assert!(refused.is_err(), "set to {password}");
        assert_eq!(refused.refusal(), refusal(422, code), "set to {password}");
        let body = change(PASSWORD, password);
        let refused = lovelace.user_password_change().user("me").body(body).send().await.refusal();
        assert_eq!(refused, refusal(422, code), "change to {password}");
    }
    assert!(is_live(&lovelace).await, "nothing was changed");
}

#[tokio::test]
async fn user_password_change_enforces_the_configured_minimum_length() {
    let server = TestServer::builder().config(|config| config.password.min_length = 8).start().await;
    let admin = server.admin().await;
    let made = create(json!({ "username": "ada", "password": "vKq3-9Zw" }));
    admin.user_create().body(made).send().await.unwrap();
}

#[tokio::test]
async fn user_password_change_ends_the_other_sessions_and_renews_this_one() {
    let server = TestServer::start().await;
    let (ada, other) = (server.user("ada").await, server.sign_in("ada").await);
    let old = server.client().with_token(ada.token());
    let changed = ada.change_password(PASSWORD, NEW_PASSWORD).await.unwrap();
    assert_eq!((changed.session.id.0, changed.session.current), (ada.session_id, true));
    assert!(is_live(&ada).await && !is_live(&old).await, "a fresh token, the old one is dead");
    assert!(!is_live(&other).await);
    server.client().login("ada", NEW_PASSWORD).await.unwrap();
    assert_eq!(sign_in_refused(&server, "ada", PASSWORD).await.code(), Some(error_code::INVALID_CREDENTIALS));
}

#[tokio::test]
async fn user_password_change_rejections_change_nothing() {
    let server = TestServer::start().await;
    let (ada, other) = (server.user("ada").await, server.sign_in("ada").await);
    for (current, new, code) in [
        ("wrong", NEW_PASSWORD, error_code::PASSWORD_MISMATCH),
        (NEW_PASSWORD, PASSWORD, error_code::PASSWORD_MISMATCH),
        (PASSWORD, PASSWORD, error_code::PASSWORD_UNCHANGED),
    ] {
        let refused = ada.user_password_change().user("me").body(change(current, new)).send().await.refusal();
        assert_eq!(refused, refusal(422, code));
    }
    assert!(is_live(&ada).await && is_live(&other).await);
    server.client().login("ada", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn user_password_change_is_for_the_user_only() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let body = change(PASSWORD, NEW_PASSWORD);
    let refused = admin.user_password_change().user(ada.path()).body(body).send().await.refusal();
    assert_eq!(refused, refusal(403, error_code::FORBIDDEN), "not even an administrator who knows it");
    server.client().login("ada", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn user_password_change_counts_guesses() {
    let limit = |config: &mut rollcall_server::config::Config| config.throttle.account_attempts = 3;
    let server = TestServer::builder().config(limit).start().await;
    let ada = server.quick_user("ada").await;
    for _ in 0..3 {
        let body = change("wrong", NEW_PASSWORD);
        let refused = ada.user_password_change().user("me").body(body).send().await.refusal();
        assert_eq!(refused, refusal(422, error_code::PASSWORD_MISMATCH));
    }
    let body = change(PASSWORD, NEW_PASSWORD);
    let refused = ada.user_password_change().user("me").body(body).send().await.refused();
    assert_eq!(refused.code(), Some(error_code::TOO_MANY_ATTEMPTS));
    assert!(refused.retry_after().is_some());
}

#[tokio::test]
async fn user_password_verify_checks_a_password() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let admin = server.admin().await;
    let app = server.holder("app", &[Permission::UsersCredentials]).await;
    admin.user_create().body(create(json!({ "username": "without-password" }))).send().await.unwrap();
    let sessions = server.count("SELECT count(*) FROM sessions").await;
    assert_eq!(verify(&app, "@ada", PASSWORD).await, (204, String::new()));
    assert_eq!(verify(&app, "@ada", "wrong").await, refusal(422, error_code::PASSWORD_MISMATCH));
    let without = verify(&app, "@without-password", PASSWORD).await;
    assert_eq!(without, refusal(422, error_code::PASSWORD_MISMATCH));
    assert_eq!(verify(&app, "@nobody", PASSWORD).await, refusal(404, error_code::NOT_FOUND));
    assert_eq!(server.count("SELECT count(*) FROM sessions").await, sessions, "it starts no session");
    let ada = server.sign_in("ada").await;
    assert_eq!(verify(&ada, "me", PASSWORD).await, refusal(403, error_code::FORBIDDEN));
}

#[tokio::test]
async fn user_password_verify_counts_with_logins() {
    let limit = |config: &mut rollcall_server::config::Config| config.throttle.account_attempts = 3;
    let server = TestServer::builder().config(limit).start().await;
    server.quick_user("ada").await;
    let admin = server.admin().await;
    for _ in 0..3 {
        assert_eq!(verify(&admin, "@ada", "wrong").await, refusal(422, error_code::PASSWORD_MISMATCH));
    }
    let refused = sign_in_refused(&server, "ada", PASSWORD).await;
    assert_eq!(refused.code(), Some(error_code::TOO_MANY_ATTEMPTS));
    assert_eq!(verify(&admin, "@ada", PASSWORD).await, refusal(429, error_code::TOO_MANY_ATTEMPTS));
}

#[tokio::test]
async fn user_password_verify_rejects_suspended_users_and_expired_passwords() {
    let server = TestServer::start().await;
    let checker = server.holder("checker", &[Permission::UsersCredentials]).await;
    let ada = server.user("ada").await;
    let body = types::UserPasswordSet { password: NEW_PASSWORD.into(), must_change: Some(true) };
    checker.user_password_set().user("@ada").body(body).send().await.unwrap();
    let expired = verify(&checker, "@ada", NEW_PASSWORD).await;
    assert_eq!(expired, (403, error_code::PASSWORD_EXPIRED.to_owned()));
    server.suspend(ada.id).await;
    let wrong = verify(&checker, "@ada", PASSWORD).await;
    assert_eq!(verify(&checker, "@ada", NEW_PASSWORD).await, wrong);
    assert_eq!(wrong, (422, error_code::PASSWORD_MISMATCH.to_owned()));
}

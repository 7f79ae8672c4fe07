//! Logging in, and changing an expired password without a session.

use chrono::TimeDelta;
use http::Method;
use rollcall_client::{Password, error_code, types, user_view};
use rollcall_server::config::Config;
use serde_json::json;

use super::{NEW_PASSWORD, create, is_live, refusal, sign_in_refused, text};
use crate::support::{Answer, PASSWORD, Refused, TestServer};

fn change(identifier: &str, password: &str, new: &str) -> types::LoginChangePassword {
    types::LoginChangePassword {
        identifier: types::Identifier::try_from(identifier).unwrap(),
        password: password.into(),
        new_password: new.into(),
    }
}

fn ageing(config: &mut Config) {
    config.password.max_age_days = Some(30);
    // Sessions that outlive the password.
    config.session.lifetime_seconds = 365 * 86_400;
    config.session.idle_timeout_seconds = 365 * 86_400;
}

#[tokio::test]
async fn login_accepts_every_identifier_in_every_form() {
    let server = TestServer::start().await;
    let body = json!({ "username": "Álvaro.Strauß", "email": "Alvaro@Example.org", "phone": "+4930123456", "password": PASSWORD });
    let created = server.admin().await.user_create().body(create(body)).send().await.unwrap();
    for identifier in [
        "Álvaro.Strauß",
        "álvaro.STRAUSS",
        "A\u{301}LVARO.strauss",
        "Ａ\u{301}lvaro．strauß",
        "alvaro@example.org",
        "ALVARO@EXAMPLE.ORG",
        "+4930123456",
        "＋４９30123456",
        created.id.0.to_string().as_str(),
        created.id.0.to_string().to_uppercase().as_str(),
    ] {
        let session = server.client().login(identifier, PASSWORD).await;
        let session = session.unwrap_or_else(|error| panic!("{identifier}: {error}"));
        assert_eq!(session.session_view().send().await.unwrap().user.id.0, created.id.0, "{identifier}");
    }
    for identifier in [
        "Alvaro.Strauss",
        "álvaro.strauß ",
        "4930123456",
        "alvaro@example.or",
        created.id.0.simple().to_string().as_str(),
        uuid::Uuid::now_v7().to_string().as_str(),
    ] {
        let error = sign_in_refused(&server, identifier, PASSWORD).await;
        assert_eq!(error.code(), Some(error_code::INVALID_CREDENTIALS), "{identifier}");
    }
}

#[tokio::test]
async fn login_returns_the_session_and_the_callers_record() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let body =
        types::Login { identifier: types::Identifier::try_from("ada").unwrap(), password: PASSWORD.into() };
    let created = server.client().api().login().body(body).send().await.unwrap().into_inner();
    assert_eq!((created.user.view.0.as_str(), created.session.current), (user_view::OWN, true));
    assert_eq!(created.session.user_id.0, created.user.id.0);
    assert_eq!(created.session.authenticated_at, created.session.created_at);
    assert_eq!(created.user.last_sign_in_at, Some(created.session.created_at));
    assert_eq!(created.session.address.map(|address| address.to_string()).as_deref(), Some("127.0.0.1"));
    let session = server.client().with_token(created.token);
    let seen = session.session_view().send().await.unwrap();
    assert_eq!(seen.session.id.0, created.session.id.0);
}

#[tokio::test]
async fn login_accepts_a_password_in_every_unicode_form() {
    let server = TestServer::start().await;
    let body = json!({ "username": "ada", "password": "drei bl\u{fc}hende kirschb\u{e4}ume" });
    server.admin().await.user_create().body(create(body)).send().await.unwrap();
    server.client().login("ada", "drei blu\u{308}hende kirschba\u{308}ume").await.unwrap();
    let error = sign_in_refused(&server, "ada", "Drei bl\u{fc}hende kirschb\u{e4}ume").await;
    assert_eq!(error.code(), Some(error_code::INVALID_CREDENTIALS), "case does matter");
}

/// The bodies are equal byte for byte, except for the request id.
#[tokio::test]
async fn login_failures_have_identical_responses() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for body in [
        json!({ "username": "ada", "email": "ada@example.org", "password": PASSWORD }),
        json!({ "username": "without-password" }),
    ] {
        admin.user_create().body(create(body)).send().await.unwrap();
    }
    let suspended = server.user("suspended").await;
    server.suspend(suspended.id).await;
    let mut bodies = Vec::new();
    for (identifier, password) in [
        ("nobody", PASSWORD),
        ("nobody@example.org", PASSWORD),
        ("+4930123456", PASSWORD),
        ("ada", "wrong"),
        ("ADA@example.org", "wrong"),
        ("without-password", PASSWORD),
        ("suspended", PASSWORD),
        ("suspended", "wrong"),
    ] {
        let body = json!({ "identifier": identifier, "password": password });
        let response = Answer::of(server.request(Method::POST, "/v1/login").json(&body)).await;
        assert_eq!(
            (response.code(), response.header("www-authenticate")),
            (401, "Bearer realm=\"rollcall\"")
        );
        let id = response.header("x-request-id").to_owned();
        bodies.push(String::from_utf8(response.body.to_vec()).unwrap().replace(&id, ""));
    }
    assert!(bodies.iter().all(|body| body == &bodies[0]), "{bodies:#?}");
    assert!(bodies[0].contains(error_code::INVALID_CREDENTIALS));
}

/// Dioptra promises this without being able to do it: its operation needs a session, and its login rejects
/// the expired password.
#[tokio::test]
async fn login_change_password_needs_no_session() {
    let server = TestServer::builder().config(ageing).start().await;
    let before = server.user("ada").await;
    let set = before.user_view().user("me").send().await.unwrap();
    assert_eq!(set.password_expires_at, set.password_changed_at.map(|at| at + TimeDelta::days(30)));
    server.advance(TimeDelta::days(30));
    assert_eq!(sign_in_refused(&server, "ada", PASSWORD).await.code(), Some(error_code::PASSWORD_EXPIRED));
    assert!(is_live(&before).await, "who is signed in already stays so");

    let body = change("ada", PASSWORD, NEW_PASSWORD);
    let changed = server.client().login_change_password().body(body).send().await.unwrap().into_inner();
    let after = server.client().with_token(changed.token.clone());
    assert!(is_live(&after).await && !is_live(&before).await, "one fresh session, all others ended");
    let renewed = changed.user.password_changed_at.unwrap();
    assert!(renewed >= set.password_changed_at.unwrap() + TimeDelta::days(30));
    assert_eq!(changed.user.password_expires_at, Some(renewed + TimeDelta::days(30)));
    server.client().login("ada", NEW_PASSWORD).await.unwrap();
    assert_eq!(sign_in_refused(&server, "ada", PASSWORD).await.code(), Some(error_code::INVALID_CREDENTIALS));
}

#[tokio::test]
async fn login_change_password_accepts_unexpired_passwords() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let call = |body: types::LoginChangePassword| {
        let client = server.client();
        async move { client.login_change_password().body(body).send().await }
    };
    for (password, new, status, code) in [
        ("wrong", NEW_PASSWORD, 401, error_code::INVALID_CREDENTIALS),
        (PASSWORD, PASSWORD, 422, error_code::PASSWORD_UNCHANGED),
        (PASSWORD, "quick brown", 422, error_code::PASSWORD_TOO_SHORT),
        (PASSWORD, "passwordpassword", 422, error_code::PASSWORD_BLOCKED),
        (PASSWORD, "ada.ada.ada.ada.ada", 422, error_code::PASSWORD_BLOCKED),
    ] {
        let refused = call(change("ada", password, new)).await.refusal();
        assert_eq!(refused, refusal(status, code), "{password} -> {new}");
    }
    server.client().login("ada", PASSWORD).await.unwrap();
    call(change("ADA", PASSWORD, NEW_PASSWORD)).await.unwrap();
    server.client().login("ada", NEW_PASSWORD).await.unwrap();
}

/// Dioptra accepts ids as well. A user whose username is another user's id, from before this was forbidden,
/// does not lock that user out.
#[tokio::test]
async fn login_change_password_accepts_an_id() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let squatter = json!({ "username": "squatter", "password": "violet harbors keep no clocks" });
    server.admin().await.user_create().body(create(squatter)).send().await.unwrap();
    let rename = "UPDATE users SET username = '{}', username_folded = '{}' WHERE username = 'squatter'";
    server.sql(&rename.replace("{}", &ada.path())).await;
    let body = change(&ada.path(), PASSWORD, NEW_PASSWORD);
    let changed = server.client().login_change_password().body(body).send().await.unwrap();
    assert_eq!(changed.user.id.0, ada.id);
    let session = server.client().login(&ada.path(), NEW_PASSWORD).await.unwrap();
    assert_eq!(session.session_view().send().await.unwrap().user.id.0, ada.id);
    let wrong = server.client().login(&ada.path(), "violet harbors keep no clocks").await.unwrap_err();
    assert_eq!(wrong.code(), Some(error_code::INVALID_CREDENTIALS));
}

#[tokio::test]
async fn login_rejects_an_initial_password_that_must_be_changed() {
    let server = TestServer::start().await;
    let body = json!({ "username": "ada", "password": PASSWORD, "must_change_password": true });
    server.admin().await.user_create().body(create(body)).send().await.unwrap();
    assert_eq!(sign_in_refused(&server, "ada", PASSWORD).await.code(), Some(error_code::PASSWORD_EXPIRED));
    let body = change("ada", PASSWORD, NEW_PASSWORD);
    let changed = server.client().login_change_password().body(body).send().await.unwrap();
    assert_eq!(changed.user.password_expires_at, None, "once is enough");
    server.client().login("ada", NEW_PASSWORD).await.unwrap();
}

#[tokio::test]
async fn login_upgrades_the_password_hash() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let strong = |config: &mut Config| (config.password.memory_kib, config.password.iterations) = (128, 2);
    let stronger = TestServer::builder().config(strong).beside(&server).start().await;
    let hash = async || text(&server, "SELECT password_hash FROM users WHERE username_folded = 'ada'").await;
    let weak = hash().await;
    assert!(weak.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{weak}");
    sign_in_refused(&stronger, "ada", "wrong").await;
    assert_eq!(hash().await, weak, "a wrong password changes nothing");
    stronger.client().login("ada", PASSWORD).await.unwrap();
    let strong = hash().await;
    assert!(strong.starts_with("$argon2id$v=19$m=128,t=2,p=1$"), "{strong}");
    server.client().login("ada", PASSWORD).await.unwrap();
    assert_eq!(hash().await, strong, "and it is never made weaker");
}

#[tokio::test]
async fn login_twice_at_once_survives_a_hash_upgrade() {
    let server = TestServer::start().await;
    server.user("ada").await;
    let strong = |config: &mut Config| config.password.memory_kib = 4096;
    let stronger = TestServer::builder().config(strong).beside(&server).start().await;
    let sign_ins = (0..8).map(|_| async { stronger.client().login("ada", PASSWORD).await });
    for session in futures::future::join_all(sign_ins).await {
        session.unwrap();
    }
}

#[tokio::test]
async fn login_counts_attempts_over_all_names_of_an_account() {
    let limit = |config: &mut Config| config.throttle.account_attempts = 3;
    let server = TestServer::builder().config(limit).start().await;
    let body = json!({ "username": "ada", "email": "ada@example.org", "phone": "+4930123456", "password": PASSWORD });
    server.admin().await.user_create().body(create(body)).send().await.unwrap();
    for identifier in ["Ada", "ADA@example.org", "+4930123456"] {
        let error = sign_in_refused(&server, identifier, "wrong").await;
        assert_eq!(error.code(), Some(error_code::INVALID_CREDENTIALS));
    }
    for identifier in ["ada", "ada@example.org", "+4930123456"] {
        let error = sign_in_refused(&server, identifier, PASSWORD).await;
        assert_eq!(error.status().map(|status| status.as_u16()), Some(429));
        assert_eq!(error.code(), Some(error_code::TOO_MANY_ATTEMPTS), "before the password is looked at");
        assert!((1..=900).contains(&error.retry_after().unwrap().as_secs()));
    }
    let body = change("ada", PASSWORD, NEW_PASSWORD);
    let changed = server.client().login_change_password().body(body).send().await;
    assert_eq!(changed.refusal(), refusal(429, error_code::TOO_MANY_ATTEMPTS), "no way around");
    server.admin().await;
    server.advance(TimeDelta::seconds(901));
    server.client().login("ada", Password::from(PASSWORD)).await.unwrap();
}

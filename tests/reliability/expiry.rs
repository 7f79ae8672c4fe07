//! Expiry, tested with a clock that the tests advance.

use std::time::Duration;

use chrono::TimeDelta;
use http::Method;
use rollcall_client::error_code;
use serde_json::{Value, json};

use crate::support::server::eventually;
use crate::support::{Answer, PASSWORD, Person, TestServer};

const NEW_PASSWORD: &str = "seven copper kettles sing at dawn";

async fn get_session(server: &TestServer, person: &Person) -> u16 {
    Answer::of(server.request(Method::GET, "/v1/session").bearer_auth(person.token())).await.code()
}

async fn login(server: &TestServer, identifier: &str, password: &str) -> Answer {
    let body = json!({ "identifier": identifier, "password": password });
    Answer::of(server.request(Method::POST, "/v1/login").json(&body)).await
}

#[tokio::test]
async fn session_view_rejects_an_idle_session() {
    let server = TestServer::start().await;
    let (ada, eve) = (server.quick_user("ada").await, server.quick_user("eve").await);
    server.advance(TimeDelta::minutes(59));
    assert_eq!(get_session(&server, &ada).await, 200);
    server.advance(TimeDelta::minutes(2));
    assert_eq!(get_session(&server, &eve).await, 401);
    server.advance(TimeDelta::minutes(61));
    assert_eq!(get_session(&server, &ada).await, 401);
    let admin = server.admin().await;
    let path = format!("/v1/users/{}/sessions", ada.id);
    let listed = Answer::of(server.request(Method::GET, &path).bearer_auth(admin.token())).await.json();
    assert_eq!(listed["items"], json!([]), "nor is it listed");
}

#[tokio::test]
async fn session_view_keeps_a_session_alive_until_its_lifetime_ends() {
    let server = TestServer::start().await;
    let ada = server.sign_in("administrator").await;
    for hour in 1..=28 {
        server.advance(TimeDelta::minutes(50));
        assert_eq!(get_session(&server, &ada).await, 200, "after {hour} times 50 minutes");
        // The use is recorded concurrently with the request.
        let noted = format!(
            "SELECT count(*) FROM sessions WHERE last_used_at >= created_at + interval '{} minutes'",
            hour * 50
        );
        eventually("the use is noted", Duration::from_secs(10), || async {
            (server.count(&noted).await == 1).then_some(())
        })
        .await;
    }
    server.advance(TimeDelta::minutes(39));
    assert_eq!(get_session(&server, &ada).await, 200, "one minute before a day is over");
    server.advance(TimeDelta::minutes(1));
    assert_eq!(get_session(&server, &ada).await, 401, "a day is over");
}

#[tokio::test]
async fn user_delete_needs_a_recent_password() {
    let server = TestServer::start().await;
    let ada = server.quick_user("ada").await;
    let delete = async |token: String| {
        Answer::of(server.request(Method::DELETE, "/v1/users/me").bearer_auth(token)).await
    };
    server.advance(TimeDelta::seconds(300));
    let refused = delete(ada.token()).await;
    assert_eq!((refused.code(), refused.error_code().as_str()), (403, error_code::REAUTHENTICATION_REQUIRED));
    let again = server.request(Method::POST, "/v1/session/reauthenticate").bearer_auth(ada.token());
    let again = Answer::of(again.json(&json!({ "password": PASSWORD }))).await;
    assert_eq!(again.code(), 200);
    assert_eq!(get_session(&server, &ada).await, 401, "the old token is dead");
    let token = again.json()["token"].as_str().unwrap().to_owned();
    server.advance(TimeDelta::seconds(299));
    assert_eq!(delete(token).await.code(), 204);
}

#[tokio::test]
async fn login_rejects_an_aged_password_until_it_is_changed() {
    let server = TestServer::builder().config(|config| config.password.max_age_days = Some(30)).start().await;
    let admin = server.admin().await;
    let body = json!({ "username": "ada", "password": PASSWORD });
    let created =
        Answer::of(server.request(Method::POST, "/v1/users").bearer_auth(admin.token()).json(&body)).await;
    assert_eq!(created.code(), 201);
    server.advance(TimeDelta::days(30) - TimeDelta::minutes(1));
    assert_eq!(login(&server, "ada", PASSWORD).await.code(), 200);
    server.advance(TimeDelta::minutes(2));
    let expired = login(&server, "ada", PASSWORD).await;
    assert_eq!((expired.code(), expired.error_code().as_str()), (403, error_code::PASSWORD_EXPIRED));
    let wrong = login(&server, "ada", "something else altogether").await;
    assert_eq!(
        wrong.error_code(),
        error_code::INVALID_CREDENTIALS,
        "only who knows it learns that it has expired"
    );
    let change = async |old: &str, new: &str| {
        let body = json!({ "identifier": "ada", "password": old, "new_password": new });
        Answer::of(server.request(Method::POST, "/v1/login/change-password").json(&body)).await
    };
    assert_eq!(change(PASSWORD, PASSWORD).await.error_code(), error_code::PASSWORD_UNCHANGED);
    assert_eq!(
        change("not the old password", NEW_PASSWORD).await.error_code(),
        error_code::INVALID_CREDENTIALS
    );
    assert_eq!(change(PASSWORD, "short").await.error_code(), error_code::PASSWORD_TOO_SHORT);
    let changed = change(PASSWORD, NEW_PASSWORD).await;
    assert_eq!(changed.code(), 200);
    assert!(changed.json()["user"]["password_expires_at"].is_string());
    assert_eq!(login(&server, "ada", NEW_PASSWORD).await.code(), 200);
    assert_eq!(login(&server, "ada", PASSWORD).await.code(), 401);
}

#[tokio::test]
async fn login_rejects_a_password_that_must_be_changed() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.quick_user("ada").await);
    let path = format!("/v1/users/{}/password", ada.id);
    let body = json!({ "password": NEW_PASSWORD, "must_change": true });
    let set = Answer::of(server.request(Method::PUT, &path).bearer_auth(admin.token()).json(&body)).await;
    assert_eq!(set.code(), 204);
    assert_eq!(get_session(&server, &ada).await, 401, "its sessions have ended");
    assert_eq!(login(&server, "ada", NEW_PASSWORD).await.error_code(), error_code::PASSWORD_EXPIRED);
}

#[tokio::test]
async fn user_create_forgets_an_idempotency_key_after_a_day() {
    // Sessions that outlive the key.
    let long = |config: &mut rollcall_server::config::Config| {
        config.session.lifetime_seconds = 7 * 86_400;
        config.session.idle_timeout_seconds = 7 * 86_400;
    };
    let server = TestServer::builder().config(long).start().await;
    let admin = server.admin().await;
    let create = async |body: Value| {
        let request = server.request(Method::POST, "/v1/users").bearer_auth(admin.token());
        Answer::of(request.header("idempotency-key", "the-key").json(&body)).await
    };
    let first = create(json!({ "username": "ada" })).await;
    server.advance(TimeDelta::hours(24) - TimeDelta::minutes(1));
    let replayed = create(json!({ "username": "ada" })).await;
    assert_eq!((replayed.code(), replayed.header("idempotency-replayed")), (201, "true"));
    assert_eq!(
        (replayed.body, replayed.headers["etag"].clone()),
        (first.body, first.headers["etag"].clone())
    );
    assert_eq!(create(json!({ "username": "eve" })).await.error_code(), error_code::IDEMPOTENCY_KEY_REUSED);
    server.advance(TimeDelta::minutes(2));
    let fresh = create(json!({ "username": "eve" })).await;
    assert_eq!((fresh.code(), fresh.header("idempotency-replayed")), (201, ""));
    assert_eq!(create(json!({ "username": "ada" })).await.error_code(), error_code::IDEMPOTENCY_KEY_REUSED);
}

#[tokio::test]
async fn login_accepts_attempts_again_after_the_window() {
    let server = TestServer::builder().config(|config| config.throttle.account_attempts = 3).start().await;
    server.quick_user("ada").await;
    for _ in 0..3 {
        assert_eq!(login(&server, "ada", "wrong").await.code(), 401);
    }
    let limited = login(&server, "ada", PASSWORD).await;
    assert_eq!((limited.code(), limited.error_code().as_str()), (429, error_code::TOO_MANY_ATTEMPTS));
    let wait: i64 = limited.header("retry-after").parse().unwrap();
    assert!((880..=900).contains(&wait), "{wait}");
    server.advance(TimeDelta::seconds(wait - 30));
    assert_eq!(login(&server, "ada", PASSWORD).await.code(), 429);
    server.advance(TimeDelta::seconds(31));
    assert_eq!(login(&server, "ada", PASSWORD).await.code(), 200);
    for _ in 0..3 {
        assert_eq!(login(&server, "ada", "wrong").await.code(), 401, "success has wiped the slate");
    }
}

#[tokio::test]
async fn login_limits_a_source_over_all_accounts() {
    let server = TestServer::builder().config(|config| config.throttle.source_attempts = 5).start().await;
    for number in 0..5 {
        assert_eq!(login(&server, &format!("nobody{number}"), "wrong").await.code(), 401);
    }
    let limited = login(&server, "administrator", PASSWORD).await;
    assert_eq!(limited.code(), 429);
    let forged = server.request(Method::POST, "/v1/login").header("x-forwarded-for", "192.0.2.7");
    let forged =
        Answer::of(forged.json(&json!({ "identifier": "administrator", "password": PASSWORD }))).await;
    assert_eq!(forged.code(), 429, "only proxies that are trusted are believed");
    server.advance(TimeDelta::seconds(901));
    assert_eq!(login(&server, "administrator", PASSWORD).await.code(), 200);
}

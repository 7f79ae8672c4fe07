//! User enumeration: an unknown name, a wrong password, an account without a password and a suspended one get
//! the same response at the same cost.

use http::Method;
use serde_json::{Value, json};

use crate::support::people::ADMINISTRATOR;
use crate::support::{Answer, PASSWORD, TestServer};

#[tokio::test]
async fn login_failures_look_alike() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    server.quick_user("ada").await;
    let suspended = server.quick_user("suspended").await;
    server.suspend(suspended.id).await;
    let create = server.request(Method::POST, "/v1/users").bearer_auth(admin.token());
    assert_eq!(Answer::of(create.json(&json!({ "username": "passwordless" }))).await.code(), 201);
    for path in ["/v1/login", "/v1/login/change-password"] {
        let mut seen: Vec<(u16, Value, Vec<String>)> = Vec::new();
        for (name, password) in [
            ("nobody", PASSWORD),
            ("ada", "wrong"),
            ("passwordless", PASSWORD),
            ("suspended", PASSWORD),
            ("suspended", "wrong"),
        ] {
            let mut body = json!({ "identifier": name, "password": password });
            if path.ends_with("change-password") {
                body["new_password"] = "seven copper kettles sing at dawn".into();
            }
            let response = Answer::of(server.request(Method::POST, path).json(&body)).await;
            let mut body = response.json();
            body["request_id"] = "".into();
            let mut headers: Vec<String> = response.headers.keys().map(ToString::to_string).collect();
            headers.sort();
            seen.push((response.code(), body, headers));
        }
        assert_eq!(seen[0].0, 401);
        assert!(seen.iter().all(|response| response == &seen[0]), "{path}: {seen:#?}");
    }
}

/// Attempts on unknown names are counted like those on existing ones.
#[tokio::test]
async fn login_limits_reveal_no_names() {
    let server = TestServer::builder().config(|config| config.throttle.account_attempts = 3).start().await;
    server.quick_user("ada").await;
    let mut seen = Vec::new();
    for name in ["ada", "nobody"] {
        let mut codes = Vec::new();
        for _ in 0..5 {
            let body = json!({ "identifier": name, "password": "wrong" });
            let response = Answer::of(server.request(Method::POST, "/v1/login").json(&body)).await;
            codes.push((response.code(), response.message()));
        }
        seen.push(codes);
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0].iter().filter(|(code, _)| *code == 429).count(), 2);
}

/// A failed login costs a password hash for every name: otherwise its time would reveal which names exist.
/// Observed through a full queue instead of a measurement: one password is checked at a time and one waits,
/// so that of many at once some are rejected, unless nothing is hashed for them.
#[tokio::test]
async fn login_hashes_for_unknown_names() {
    let server = TestServer::builder()
        .config(|config| {
            config.password.memory_kib = 64 * 1024;
            config.password.iterations = 6;
            config.password.hash_threads = 1;
            config.password.hash_queue = 1;
        })
        .start()
        .await;
    let token = server.sign_in(ADMINISTRATOR).await.token();
    for body in [
        json!({ "username": "ada", "password": PASSWORD }),
        json!({ "username": "suspended", "password": PASSWORD }),
        json!({ "username": "passwordless" }),
    ] {
        let create = server.request(Method::POST, "/v1/users").bearer_auth(&token).json(&body);
        assert_eq!(Answer::of(create).await.code(), 201);
    }
    server.sql("UPDATE users SET suspended = true WHERE username = 'suspended'").await;
    for path in ["/v1/login", "/v1/login/change-password"] {
        for (name, password) in [
            ("nobody", PASSWORD),
            ("nobody@example.org", "wrong"),
            ("+4930123456", "wrong"),
            ("ada", "wrong"),
            ("passwordless", PASSWORD),
            ("suspended", PASSWORD),
            ("suspended", "wrong"),
        ] {
            let mut body = json!({ "identifier": name, "password": password });
            if path.ends_with("change-password") {
                body["new_password"] = "seven copper kettles sing at dawn".into();
            }
            let many = (0..8).map(|_| Answer::of(server.request(Method::POST, path).json(&body)));
            let responses = futures::future::join_all(many).await;
            let rejected =
                |response: &&Answer| response.message().contains("too many passwords are being checked");
            let (rejected, checked): (Vec<&Answer>, Vec<&Answer>) = responses.iter().partition(rejected);
            assert!(rejected.iter().all(|response| response.code() == 503));
            assert!(checked.iter().all(|response| response.code() == 401), "{path} as {name}: {checked:?}");
            assert!(!rejected.is_empty(), "{path} as {name}: {} at once, and nobody waited", checked.len());
        }
    }
}

//! Planted secrets that must not appear in the log, the audit trail, any table or any response.

use std::time::Duration;

use http::Method;
use rollcall_server::config::RegistrationMode;
use rollcall_server::secrets::token::SESSION_PREFIX;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::server::eventually;
use crate::support::{Answer, PASSWORD, TestServer};

/// The prefix of every planted password.
const CANARY: &str = "canary-yellow";

/// Every value of every table, as text.
async fn everything(server: &TestServer) -> String {
    let db = server.db().await;
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    let mut text = String::new();
    for row in db.query(tables, &[]).await.unwrap() {
        let table: String = row.get(0);
        let query = format!("SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM {table} t");
        text.push_str(&db.query_one(&query, &[]).await.unwrap().get::<_, String>(0));
    }
    text
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn login_and_others_leak_no_planted_secrets() {
    let server = TestServer::builder()
        .config(|config| config.registration.mode = RegistrationMode::Open)
        .start()
        .await;
    let admin = server.admin().await;
    let mut tokens = vec![admin.token()];
    let mut responses = String::new();
    let mut call = async |method: Method, path: &str, token: Option<&str>, body: Value| {
        let mut request =
            server.request(method, path).header("idempotency-key", format!("{}", body.to_string().len()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = Answer::of(request.json(&body)).await;
        if let Some(token) = response.json()["token"].as_str() {
            tokens.push(token.to_owned());
        } else {
            responses.push_str(&String::from_utf8_lossy(&response.body));
        }
        response
    };
    let secret = |number: u32| format!("{CANARY} over {number} quiet rivers");
    let root = admin.token();
    let post = Method::POST;
    // Successful requests.
    let body = json!({ "username": "ada", "password": secret(1) });
    assert_eq!(call(post.clone(), "/v1/users", Some(&root), body).await.code(), 201);
    let body = json!({ "username": "grace", "password": secret(2) });
    assert_eq!(call(post.clone(), "/v1/register", None, body).await.code(), 201);
    let body = json!({ "identifier": "ada", "password": secret(1) });
    let ada = call(post.clone(), "/v1/login", None, body).await.json()["token"].as_str().unwrap().to_owned();
    let body = json!({ "current_password": secret(1), "new_password": secret(3) });
    let changed = call(post.clone(), "/v1/users/me/password/change", Some(&ada), body).await;
    let ada = changed.json()["token"].as_str().unwrap().to_owned();
    let body = json!({ "password": secret(3) });
    assert_eq!(call(post.clone(), "/v1/session/reauthenticate", Some(&ada), body).await.code(), 200);
    let body = json!({ "password": secret(4), "must_change": true });
    assert_eq!(call(Method::PUT, "/v1/users/@ada/password", Some(&root), body).await.code(), 204);
    let body = json!({ "identifier": "ada", "password": secret(4), "new_password": secret(5) });
    assert_eq!(call(post.clone(), "/v1/login/change-password", None, body).await.code(), 200);
    // Rejected requests.
    for (path, body) in [
        ("/v1/login", json!({ "identifier": "ada", "password": secret(6) })),
        ("/v1/login", json!({ "identifier": "nobody", "password": secret(7) })),
        ("/v1/login", json!({ "identifier": "ada", "password": [secret(8)] })),
        ("/v1/login", json!({ "identifier": "ada", "password": "x".repeat(300) + &secret(9) })),
        ("/v1/login", json!({ "identifier": "ada", "passwort": secret(10) })),
        ("/v1/register", json!({ "username": "ada", "password": secret(11) })),
        ("/v1/register", json!({ "username": "eve", "password": format!("{CANARY}{}", "z".repeat(300)) })),
        (
            "/v1/register",
            json!({ "username": format!("{CANARY}-name-name"), "password": format!("{CANARY}-name-name") }),
        ),
        (
            "/v1/login/change-password",
            json!({ "identifier": "ada", "password": secret(12), "new_password": secret(13) }),
        ),
    ] {
        assert!(call(post.clone(), path, None, body).await.code() >= 400);
    }
    let forged = format!("{CANARY}-token");
    call(Method::GET, "/v1/session", Some(&forged), json!({})).await;
    call(Method::GET, &format!("/v1/users?access_token={forged}"), None, json!({})).await;

    let (log, tables) = (server.log.text(), everything(&server).await);
    assert!(log.contains("request"), "the log is read: {log}");
    assert!(tables.contains("argon2id"), "the tables are read");
    for (place, text) in [("log", &log), ("tables", &tables), ("responses", &responses)] {
        assert!(
            !text.contains(CANARY) && !text.contains(&hex(CANARY)),
            "{place} has a password: {}",
            around(text, CANARY)
        );
        for token in &tokens {
            let random = token.strip_prefix("rcs_").unwrap();
            assert!(
                !text.contains(random) && !text.contains(&hex(token)),
                "{place} has a token: {}",
                around(text, random)
            );
        }
        assert!(!text.contains(PASSWORD), "{place} has the administrator's password");
    }
    assert!(!log.contains("$argon2"), "the log has a hash");
    let audit: i64 =
        server.count("SELECT count(*) FROM audit_events WHERE detail::text LIKE '%argon2%'").await;
    assert_eq!(audit, 0, "the audit trail has a hash");
}

/// At the most verbose log level, for every outcome of the request.
#[tokio::test]
async fn user_list_keeps_its_query_and_tokens_in_the_path_out_of_the_log() {
    let server = TestServer::start().await;
    let admin = server.admin().await.token();
    let forged = format!("{SESSION_PREFIX}{CANARY}");
    for path in [
        format!("/v1/users?q={CANARY}"),
        format!("/v1/users?filter=displayName+co+%22{CANARY}%22&total=exact"),
        // Error messages quote the query.
        format!("/v1/users?filter={CANARY}+eq+1"),
        format!("/v1/users?sort={CANARY}"),
        format!("/v1/users?{CANARY}=1"),
        format!("/v1/users?page_token={CANARY}"),
        format!("/v1/users?access_token={CANARY}"),
        format!("/v1/users?q={CANARY}#{CANARY}"),
        format!("/v1/nowhere?q={CANARY}"),
        format!("/v1/users/{forged}"),
        format!("/v1/sessions/{forged}?q={CANARY}"),
    ] {
        let response = Answer::of(server.request(Method::GET, &path).bearer_auth(&admin)).await;
        assert!(response.code() < 500, "{path}: {}", response.message());
    }
    // Request targets that no client sends by accident, and a client that disconnects before its response.
    let address = server.direct;
    let wire = async |text: String| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut response = Vec::new();
        let _ended = stream.read_to_end(&mut response).await;
    };
    let rest = "HTTP/1.1\r\nhost: x\r\nconnection: close";
    wire(format!("GET http://{CANARY}:{CANARY}@x/v1/users?q={CANARY} {rest}\r\n\r\n")).await;
    wire(format!("GET /healthz?q={CANARY} {rest}\r\nx-forwarded-for: {CANARY}\r\n\r\n")).await;
    wire(format!("CONNECT {CANARY}:443 {rest}\r\n\r\n")).await;
    wire(format!("GET /v1/users?{CANARY}\u{1}=1 {rest}\r\n\r\n")).await;
    server.sql("BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").await;
    let mut leaving = TcpStream::connect(address).await.unwrap();
    let head =
        format!("GET /v1/users?q={CANARY} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {admin}\r\n\r\n");
    leaving.write_all(head.as_bytes()).await.unwrap();
    eventually("the request waits for the lock", Duration::from_secs(20), async || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = \
            (SELECT oid FROM pg_database WHERE datname = current_database())";
        (server.count(waiting).await > 0).then_some(())
    })
    .await;
    drop(leaving);
    let log = eventually("the client's leaving is logged", Duration::from_secs(20), async || {
        let log = server.log.text();
        log.contains("client disconnected").then_some(log)
    })
    .await;
    server.sql("ROLLBACK").await;
    assert!(
        log.contains(r#""path":"/v1/users""#) && log.contains(r#""status":"400""#),
        "requests are logged"
    );
    assert!(log.contains("(a token)"), "a token in a path is left out");
    assert!(!log.contains(CANARY), "{}", around(&log, CANARY));
}

fn around(text: &str, needle: &str) -> String {
    let Some(place) = text.find(needle) else { return "as hexadecimal".to_owned() };
    let lines = text[..place].lines().last().unwrap_or_default().chars().rev().take(200).collect::<Vec<_>>();
    format!("{}…", lines.into_iter().rev().collect::<String>())
}

/// With the default settings, not those of tests.
#[tokio::test]
async fn login_upgrades_weaker_hashes_to_argon2id() {
    let real = rollcall_server::config::Password::default();
    let server = TestServer::builder().config(|config| config.password = real).start().await;
    let hash = "SELECT password_hash FROM users WHERE username_folded = 'administrator'";
    let hash = async || server.db().await.query_one(hash, &[]).await.unwrap().get::<_, String>(0);
    assert!(hash().await.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "what the tests' settings made");
    server.sign_in("administrator").await;
    let upgraded = hash().await;
    assert!(upgraded.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{upgraded}");
    server.sign_in("administrator").await;
    assert_eq!(hash().await, upgraded, "once is enough");
}

//! A read is retried on a new connection if its connection ends; no other statement is retried.

use std::time::Duration;

use http::Method;
use rollcall_client::error_code;
use serde_json::json;

use crate::support::cluster::Database;
use crate::support::relay::{Relay, Then};
use crate::support::server::eventually;
use crate::support::{Answer, Person, TestServer};

/// A server with one shared connection, which passes through a relay.
async fn behind_a_relay() -> (TestServer, Relay, Person) {
    let database = Database::migrated();
    let relay = Relay::to(&database.url).await;
    let server = TestServer::builder()
        .on(database)
        .through([relay.port])
        .config(|config| config.database.shared_connections = 1)
        .start()
        .await;
    let admin = server.admin().await;
    (server, relay, admin)
}

async fn get(server: &TestServer, who: &Person, path: &str) -> Answer {
    Answer::of(server.request(Method::GET, path).bearer_auth(who.token())).await
}

#[tokio::test]
async fn session_view_is_retried_when_its_connection_ends_before_the_response() {
    let (server, relay, admin) = behind_a_relay().await;
    for (round, path) in (1..).zip(["/v1/session", "/v1/users/@administrator", "/v1/session"]) {
        assert_eq!(get(&server, &admin, path).await.code(), 200);
        // The statement reaches the database; its response does not reach the server.
        relay.trap("", Then::End);
        let response = get(&server, &admin, path).await;
        assert_eq!(relay.sprung(), round, "the connection was ended under the read");
        assert_eq!(response.code(), 200, "{path}: {}", response.message());
    }
}

#[tokio::test]
async fn user_list_is_retried_when_its_connection_ends_before_the_response() {
    let (server, relay, admin) = behind_a_relay().await;
    let admin_id = admin.id;
    for path in [
        "/v1/users".to_owned(),
        "/v1/groups".to_owned(),
        "/v1/roles".to_owned(),
        "/v1/audit-events".to_owned(),
        format!("/v1/users/{admin_id}/sessions"),
        format!("/v1/users/{admin_id}/roles"),
        format!("/v1/users/{admin_id}/groups"),
        format!("/v1/users/{admin_id}/preferences"),
        "/v1/users?q=ada&total=exact".to_owned(),
    ] {
        // For each statement of the operation during which the connection may end.
        for statement in 1..=2 {
            assert_eq!(get(&server, &admin, &path).await.code(), 200);
            relay.trap_nth("", statement, Then::End);
            let response = get(&server, &admin, &path).await;
            relay.untrap();
            assert_eq!(response.code(), 200, "{path}, statement {statement}: {}", response.message());
        }
    }
    assert!(relay.sprung() >= 10, "only {} connections were ended", relay.sprung());
}

/// Postgres itself ends the connection, with a message, while the read waits for a lock.
#[tokio::test]
async fn session_view_is_retried_when_postgres_ends_its_connection() {
    let (server, _relay, admin) = behind_a_relay().await;
    let holder = server.database.connect().await;
    holder.batch_execute("BEGIN; LOCK TABLE sessions").await.unwrap();
    let reading = get(&server, &admin, "/v1/session");
    let ending = async {
        let waits = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let pid: i32 = eventually("the read waits", Duration::from_secs(20), || async {
            server.db().await.query_opt(waits, &[]).await.unwrap().map(|row| row.get(0))
        })
        .await;
        server.sql(&format!("SELECT pg_terminate_backend({pid}, 10000)")).await;
        holder.batch_execute("ROLLBACK").await.unwrap();
    };
    let (response, ()) = futures::join!(reading, ending);
    assert_eq!(response.code(), 200, "{}", response.message());
}

/// A change is not retried: the first attempt may have taken effect, as the response says.
#[tokio::test]
async fn user_create_is_a_503_when_its_connection_ends_at_the_commit() {
    let (server, relay, admin) = behind_a_relay().await;
    for (then, name) in [(Then::End, "ada"), (Then::Silence, "grace")] {
        let server = TestServer::builder()
            .beside(&server)
            .through([relay.port])
            .config(|config| config.database.statement_timeout_milliseconds = 1500)
            .start()
            .await;
        assert_eq!(get(&server, &admin, "/v1/session").await.code(), 200);
        relay.trap("COMMIT", then);
        let create = server.request(Method::POST, "/v1/users").bearer_auth(admin.token());
        let response = Answer::of(create.json(&json!({ "username": name }))).await;
        assert_eq!(
            (response.code(), response.error_code().as_str()),
            (503, error_code::UNAVAILABLE),
            "{name}"
        );
        assert!(!response.header("retry-after").is_empty(), "{name}");
        assert!(response.message().contains("may still take effect"), "{name}: {}", response.message());
        // The commit had reached the database, which completes it in its own time.
        let path = format!("/v1/users/@{name}");
        let made = async || (get(&server, &admin, &path).await.code() == 200).then_some(());
        eventually("the commit", Duration::from_secs(10), made).await;
    }
    assert_eq!(relay.sprung(), 2);
}

/// The first statement of a change has no effect yet, and is sent again.
#[tokio::test]
async fn user_create_is_not_disturbed_by_a_connection_that_ends_at_its_beginning() {
    let (server, relay, admin) = behind_a_relay().await;
    let create = async |name: &str| {
        let create = server.request(Method::POST, "/v1/users").bearer_auth(admin.token());
        Answer::of(create.json(&json!({ "username": name }))).await
    };
    assert_eq!(create("ada").await.code(), 201);
    relay.trap("BEGIN", Then::End);
    let response = create("grace").await;
    assert_eq!((relay.sprung(), response.code()), (1, 201), "{}", response.message());
}

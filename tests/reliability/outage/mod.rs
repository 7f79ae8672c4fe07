//! Outages of the database: the server keeps running, responds with 503 and `Retry-After`, and recovers
//! afterwards.

mod hosts;
mod ready;
mod retry;
mod silence;

use std::time::{Duration, Instant};

use futures::future::join_all;
use http::Method;
use rollcall_client::error_code;
use serde_json::json;

use crate::support::own_postgres::OwnPostgres;
use crate::support::server::eventually;
use crate::support::{Answer, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_create_and_others_survive_a_restart_of_postgres() {
    let mut postgres = OwnPostgres::prepared().await;
    let server = TestServer::builder().database(&postgres.url()).start().await;
    let admin = server.admin().await;
    let get = async |path: &str| {
        let begun = Instant::now();
        let response = Answer::of(server.request(Method::GET, path).bearer_auth(admin.token())).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{path} took {:?}", begun.elapsed());
        response
    };
    let create = async |name: String| {
        let request = server.request(Method::POST, "/v1/users").bearer_auth(admin.token());
        Answer::of(request.json(&json!({ "username": name }))).await
    };
    assert_eq!(get("/readyz").await.code(), 200);
    // Every connection is open and has been used.
    for response in join_all((0..20).map(|number| create(format!("before{number}")))).await {
        assert_eq!(response.code(), 201, "{}", response.message());
    }
    postgres.stop();
    for path in ["/v1/session", "/v1/users", "/readyz"] {
        let response = get(path).await;
        assert_eq!(
            (response.code(), response.error_code().as_str()),
            (503, error_code::UNAVAILABLE),
            "{path}"
        );
        assert!(!response.header("retry-after").is_empty(), "{path}");
    }
    let away = create("nobody".to_owned()).await;
    assert_eq!(away.code(), 503);
    assert!(!away.header("retry-after").is_empty());
    assert_eq!(get("/healthz").await.code(), 200, "the process itself is well");
    postgres.start();
    eventually("the server works again", Duration::from_secs(10), || async {
        (get("/readyz").await.code() == 200).then_some(())
    })
    .await;
    // Everywhere at once: no old connection is handed out.
    for response in join_all((0..40).map(|number| create(format!("after{number}")))).await {
        assert_eq!(response.code(), 201, "{}", response.message());
    }
    for response in join_all((0..40).map(|_| get("/v1/session"))).await {
        assert_eq!(response.code(), 200, "{}", response.message());
    }
}

/// A restart between two requests is not noticed: closed connections are not handed out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_view_and_user_create_do_not_notice_a_quick_restart() {
    let mut postgres = OwnPostgres::prepared().await;
    let server = TestServer::builder().database(&postgres.url()).start().await;
    let admin = server.admin().await;
    for round in 0..3 {
        let calls = (0..20)
            .map(|_| Answer::of(server.request(Method::GET, "/v1/session").bearer_auth(admin.token())));
        for response in join_all(calls).await {
            assert_eq!(response.code(), 200, "round {round}: {}", response.message());
        }
        let create = server.request(Method::POST, "/v1/users").bearer_auth(admin.token());
        let created = Answer::of(create.json(&json!({ "username": format!("round{round}") }))).await;
        assert_eq!(created.code(), 201, "round {round}: {}", created.message());
        postgres.stop();
        postgres.start();
    }
}

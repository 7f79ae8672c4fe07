//! The database goes away and comes back, and the server stays: 503 with `Retry-After` meanwhile, then all is as before.

use std::time::{Duration, Instant};

use futures::future::join_all;
use http::Method;
use rollcall_client::error_code;
use rollcall_embedded_postgres::{EmbeddedPostgres, Options};
use serde_json::json;
use slog::{Discard, Logger, o};

use crate::support::cluster::{prepare, temporary_folder};
use crate::support::server::eventually;
use crate::support::{Answer, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_survives_a_restart_of_postgres() {
    let folder = temporary_folder();
    let options = Options { fsync: false, ..Options::new(folder.path()) };
    let log = Logger::root(Discard, o!());
    let start = || EmbeddedPostgres::start(&options, &log).unwrap();
    let postgres = tokio::task::block_in_place(start);
    prepare(&postgres.url()).await;
    let server = TestServer::builder().database(&postgres.url()).start().await;
    let admin = server.admin().await;
    let get = async |path: &str| {
        let begun = Instant::now();
        let answer = Answer::of(server.request(Method::GET, path).bearer_auth(admin.token())).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{path} took {:?}", begun.elapsed());
        answer
    };
    let create = async |name: String| {
        let request = server.request(Method::POST, "/v1/users").bearer_auth(admin.token());
        Answer::of(request.json(&json!({ "username": name }))).await
    };
    assert_eq!(get("/readyz").await.code(), 200);
    // Every connection is open and has been used.
    for answer in join_all((0..20).map(|number| create(format!("before{number}")))).await {
        assert_eq!(answer.code(), 201, "{}", answer.message());
    }
    tokio::task::block_in_place(|| postgres.stop().unwrap());
    for path in ["/v1/session", "/v1/users", "/readyz"] {
        let answer = get(path).await;
        assert_eq!((answer.code(), answer.error_code().as_str()), (503, error_code::UNAVAILABLE), "{path}");
        assert!(!answer.header("retry-after").is_empty(), "{path}");
    }
    let away = create("nobody".to_owned()).await;
    assert_eq!(away.code(), 503);
    assert!(!away.header("retry-after").is_empty());
    assert_eq!(get("/healthz").await.code(), 200, "the process itself is well");
    let _running = tokio::task::block_in_place(start);
    eventually("the server works again", Duration::from_secs(10), || async {
        (get("/readyz").await.code() == 200).then_some(())
    })
    .await;
    // Everywhere at once: no connection of before is handed out.
    for answer in join_all((0..40).map(|number| create(format!("after{number}")))).await {
        assert_eq!(answer.code(), 201, "{}", answer.message());
    }
    for answer in join_all((0..40).map(|_| get("/v1/session"))).await {
        assert_eq!(answer.code(), 200, "{}", answer.message());
    }
}

/// A restart between two requests is not noticed by readers: a read that meets a dead connection is tried once more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quick_restart_is_not_noticed() {
    let folder = temporary_folder();
    let options = Options { fsync: false, ..Options::new(folder.path()) };
    let log = Logger::root(Discard, o!());
    let start = || EmbeddedPostgres::start(&options, &log).unwrap();
    let mut postgres = tokio::task::block_in_place(start);
    prepare(&postgres.url()).await;
    let server = TestServer::builder().database(&postgres.url()).start().await;
    let admin = server.admin().await;
    for round in 0..3 {
        let calls = (0..20)
            .map(|_| Answer::of(server.request(Method::GET, "/v1/session").bearer_auth(admin.token())));
        for answer in join_all(calls).await {
            assert_eq!(answer.code(), 200, "round {round}: {}", answer.message());
        }
        let create = server.request(Method::POST, "/v1/users").bearer_auth(admin.token());
        let created = Answer::of(create.json(&json!({ "username": format!("round{round}") }))).await;
        assert_eq!(created.code(), 201, "round {round}: {}", created.message());
        postgres = tokio::task::block_in_place(|| {
            postgres.stop().unwrap();
            start()
        });
    }
}

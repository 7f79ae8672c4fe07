//! Readiness for load balancers: reports failing reads and writes quickly and at little cost.

use std::time::{Duration, Instant};

use futures::future::join_all;
use http::Method;
use rollcall_client::error_code;
use serde_json::json;

use crate::support::own_postgres::OwnPostgres;
use crate::support::server::eventually;
use crate::support::{Answer, TestServer};

async fn ready(server: &TestServer) -> Answer {
    let begun = Instant::now();
    let response = Answer::of(server.request(Method::GET, "/readyz")).await;
    // About a second if the machine is idle.
    assert!(begun.elapsed() < Duration::from_secs(9), "took {:?}", begun.elapsed());
    response
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn system_ready_is_a_503_while_changes_do_not_work() {
    let postgres = OwnPostgres::prepared().await;
    let builder = TestServer::builder().database(&postgres.url());
    let server = builder.impatient().start().await;
    let admin = server.admin().await;
    assert_eq!(ready(&server).await.code(), 200);
    postgres.configure("default_transaction_read_only = on").await;
    let response = eventually("it isn't ready", Duration::from_secs(10), || async {
        let response = ready(&server).await;
        (response.code() != 200).then_some(response)
    })
    .await;
    assert_eq!((response.code(), response.error_code().as_str()), (503, error_code::UNAVAILABLE));
    assert!(!response.header("retry-after").is_empty());
    let read = Answer::of(server.request(Method::GET, "/v1/session").bearer_auth(admin.token())).await;
    assert_eq!(read.code(), 200, "what works goes on working");
    postgres.configure("default_transaction_read_only = off").await;
    eventually("it is ready again", Duration::from_secs(10), || async {
        (ready(&server).await.code() == 200).then_some(())
    })
    .await;
}

/// Any client may probe any number of times: probes take no connections from other requests, and load is no
/// reason for a 503.
#[tokio::test]
async fn system_ready_takes_no_connections_from_changes() {
    let builder = TestServer::builder().impatient().config(|config| {
        config.database.pool_size = 2;
        config.database.pool_wait_milliseconds = 20_000;
    });
    let server = builder.start().await;
    let admin = server.admin().await;
    let update = async |number: usize| {
        let request = server.request(Method::PATCH, "/v1/users/me").bearer_auth(admin.token());
        Answer::of(request.json(&json!({ "name": format!("name {number}") }))).await
    };
    let probes = join_all((0..200).map(|_| ready(&server)));
    let changes = join_all((0..100).map(update));
    let (probes, changes) = futures::join!(probes, changes);
    for response in probes.iter().chain(&changes) {
        assert_eq!(response.code(), 200, "{}", response.message());
    }
    // Probes share one check, which finds an idle connection of the pool or does not wait long.
    let connections = "SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND application_name = 'rollcall'";
    assert!(server.count(connections).await <= 4, "two shared ones, and the pool");
}

//! A silent database whose connections stay open: no request waits long, and the server recovers as soon as a
//! database is reachable.

use std::time::{Duration, Instant};

use futures::future::join_all;
use http::Method;
use rollcall_client::error_code;
use serde_json::{Value, json};

use crate::support::cluster::Database;
use crate::support::own_postgres::OwnPostgres;
use crate::support::relay::Relay;
use crate::support::server::eventually;
use crate::support::{Answer, PASSWORD, Person, TestServer};

/// The longest wait of a caller while the database is silent: three and a half seconds with the settings of
/// these tests, plus a margin for a busy machine.
const PATIENCE: Duration = Duration::from_secs(9);

async fn call(server: &TestServer, who: &Person, method: Method, path: &str, body: Option<Value>) -> Answer {
    let begun = Instant::now();
    let request = server.request(method.clone(), path).bearer_auth(who.token());
    let response = Answer::of(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await;
    let took = begun.elapsed();
    assert!(took < PATIENCE, "{method} {path} took {took:?}");
    response
}

async fn read(server: &TestServer, who: &Person) -> u16 {
    call(server, who, Method::GET, "/v1/session", None).await.code()
}

async fn write(server: &TestServer, who: &Person, name: &str) -> Answer {
    let body = json!({ "name": name });
    call(server, who, Method::PATCH, &format!("/v1/users/{}", who.id), Some(body)).await
}

/// All connections work: many reads and changes succeed, one after the other.
async fn all_succeed(server: &TestServer, who: &Person) {
    for number in 0..40 {
        let response = call(server, who, Method::GET, "/v1/session", None).await;
        assert_eq!(response.code(), 200, "read {number}: {}\n{}", response.message(), server.log.text());
        let response = write(server, who, &format!("name {number}")).await;
        assert_eq!(response.code(), 200, "change {number}: {}\n{}", response.message(), server.log.text());
    }
}

/// Many concurrent reads, searches, changes and logins; each is a 503, and the server is not ready.
async fn all_fail_in_time(server: &TestServer, admin: &Person, round: usize) {
    let calls = (0..6).flat_map(|number| {
        let login = json!({ "identifier": "administrator", "password": PASSWORD });
        [
            (Method::GET, "/v1/session", None),
            (Method::GET, "/v1/users", None),
            (Method::GET, "/v1/users?q=ada", None),
            (Method::POST, "/v1/users", Some(json!({ "username": format!("never-{round}-{number}") }))),
            (Method::POST, "/v1/login", Some(login)),
        ]
    });
    let calls = calls.map(async |(method, path, body)| {
        let response = call(server, admin, method, path, body).await;
        (path, response)
    });
    for (path, response) in join_all(calls).await {
        assert_eq!(
            (response.code(), response.error_code().as_str()),
            (503, error_code::UNAVAILABLE),
            "{path}"
        );
        assert!(!response.header("retry-after").is_empty(), "{path}");
    }
    assert_eq!(call(server, admin, Method::GET, "/readyz", None).await.code(), 503);
}

/// Every connection is open and has been used.
async fn warm_up(server: &TestServer, admin: &Person, prefix: &str) {
    let creations = (0..16).map(|number| {
        let body = json!({ "username": format!("{prefix}{number}") });
        call(server, admin, Method::POST, "/v1/users", Some(body))
    });
    for response in join_all(creations).await {
        assert_eq!(response.code(), 201, "{}", response.message());
    }
    for response in join_all((0..8).map(|_| call(server, admin, Method::GET, "/v1/users?q=ada", None))).await
    {
        assert_eq!(response.code(), 200, "{}", response.message());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_view_and_user_create_fail_in_time_while_postgres_is_frozen() {
    let postgres = OwnPostgres::prepared().await;
    let server = TestServer::builder().database(&postgres.url()).impatient().start().await;
    let admin = server.admin().await;
    warm_up(&server, &admin, "before").await;
    postgres.freeze();
    // First the open connections; then connections that cannot be opened.
    for round in 0..3 {
        all_fail_in_time(&server, &admin, round).await;
    }
    postgres.thaw();
    let back = Instant::now();
    eventually("reads work again", PATIENCE, || async { (read(&server, &admin).await == 200).then_some(()) })
        .await;
    eventually("changes work again", PATIENCE, || async {
        (write(&server, &admin, "back").await.code() == 200).then_some(())
    })
    .await;
    println!("all worked again {:?} after the thaw", back.elapsed());
    warm_up(&server, &admin, "after").await;
    assert!(server.log.text().contains("the database is silent"), "the log says so");
}

/// The network link to the database is cut: nothing arrives, nothing is closed. Later new connections work
/// again.
#[tokio::test]
async fn session_view_and_user_update_recover_after_a_cut_link() {
    let database = Database::migrated();
    let relay = Relay::to(&database.url).await;
    let server = TestServer::builder().on(database).through([relay.port]).impatient().start().await;
    let admin = server.admin().await;
    warm_up(&server, &admin, "u").await;
    relay.lose_connections();
    relay.freeze();
    all_fail_in_time(&server, &admin, 0).await;
    relay.thaw();
    let back = Instant::now();
    eventually("reads work again", PATIENCE, || async { (read(&server, &admin).await == 200).then_some(()) })
        .await;
    eventually("changes work again", PATIENCE, || async {
        (write(&server, &admin, "back").await.code() == 200).then_some(())
    })
    .await;
    println!("all worked again {:?} after the link", back.elapsed());

    // An idle server, which does not notice the cut: the first callers detect it for all connections.
    warm_up(&server, &admin, "v").await;
    relay.lose_connections();
    let begun = Instant::now();
    eventually("reads work again", PATIENCE, || async { (read(&server, &admin).await == 200).then_some(()) })
        .await;
    // One silent connection takes all others out of use.
    all_succeed(&server, &admin).await;
    println!("a quiet server was well again after {:?}", begun.elapsed());
}

/// The primary is frozen, and another host has taken over.
#[tokio::test]
async fn session_view_and_user_update_go_on_at_another_host_while_the_first_is_frozen() {
    let database = Database::migrated();
    let (first, second) = (Relay::to(&database.url).await, Relay::to(&database.url).await);
    // The second host becomes available too late to be used at first.
    second.freeze();
    let builder = TestServer::builder().on(database).through([first.port, second.port]);
    let server = builder.impatient().start().await;
    let admin = server.admin().await;
    warm_up(&server, &admin, "u").await;
    second.thaw();
    first.freeze();
    let frozen = Instant::now();
    eventually("reads work again", PATIENCE, || async { (read(&server, &admin).await == 200).then_some(()) })
        .await;
    println!("reads worked again {:?} after the freeze", frozen.elapsed());
    eventually("changes work again", PATIENCE, || async {
        (write(&server, &admin, "there").await.code() == 200).then_some(())
    })
    .await;
    println!("all worked again {:?} after the freeze", frozen.elapsed());
    // No request goes back to the silent host.
    all_succeed(&server, &admin).await;
    warm_up(&server, &admin, "v").await;
    first.thaw();
    assert_eq!(write(&server, &admin, "thawed").await.code(), 200);
}

/// A statement that the database itself cancels as too slow is not silence: the connection stays.
#[tokio::test]
async fn session_view_that_is_too_slow_does_not_cost_its_connection() {
    let builder = TestServer::builder().impatient().config(|config| {
        config.database.shared_connections = 1;
        config.database.lock_timeout_milliseconds = 60_000;
    });
    let server = builder.start().await;
    let admin = server.admin().await;
    assert_eq!(read(&server, &admin).await, 200);
    let backends = "SELECT array_agg(pid ORDER BY pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND application_name = 'rollcall'";
    let backends = async || server.db().await.query_one(backends, &[]).await.unwrap().get::<_, Vec<i32>>(0);
    let before = backends().await;
    let holder = server.database.connect().await;
    holder.batch_execute("BEGIN; LOCK TABLE sessions").await.unwrap();
    for _ in 0..2 {
        assert_eq!(read(&server, &admin).await, 503);
    }
    holder.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(read(&server, &admin).await, 200);
    assert_eq!(backends().await, before);
}

/// Each statement by itself would still be in time. The first waits for one lock, and the next for another.
#[tokio::test]
async fn login_waits_for_the_database_no_longer_in_all_than_for_one_statement() {
    let builder = TestServer::builder().config(|config| {
        config.database.pool_wait_milliseconds = 1000;
        config.database.statement_timeout_milliseconds = 6000;
        config.database.lock_timeout_milliseconds = 60_000;
    });
    let server = builder.start().await;
    server.admin().await;
    let (first, second) = (server.database.connect().await, server.database.connect().await);
    first.batch_execute("BEGIN; LOCK TABLE attempts").await.unwrap();
    second.batch_execute("BEGIN; LOCK TABLE sessions").await.unwrap();
    let login = json!({ "identifier": "administrator", "password": PASSWORD });
    let begun = Instant::now();
    let release = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        first.batch_execute("ROLLBACK").await.unwrap();
    };
    let (response, ()) =
        futures::join!(Answer::of(server.request(Method::POST, "/v1/login").json(&login)), release);
    let took = begun.elapsed();
    assert_eq!((response.code(), response.error_code().as_str()), (503, error_code::UNAVAILABLE));
    assert!(!response.header("retry-after").is_empty());
    // Seven seconds for the request; each of the two statements alone had more time than it needed, or six
    // seconds.
    assert!(took > Duration::from_secs(6) && took < Duration::from_secs(10), "{took:?}");
    second.batch_execute("ROLLBACK").await.unwrap();
}

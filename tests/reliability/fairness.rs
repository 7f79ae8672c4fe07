//! One caller, or one address, never occupies all connections: others are served while its requests wait for
//! each other.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use futures::future::join_all;
use http::Method;
use rollcall_api::access::Permission;
use rollcall_client::error_code;
use rollcall_server::config::{Config, Password};
use serde_json::json;

use crate::support::server::eventually;
use crate::support::{Answer, PASSWORD, Person, TestServer};

/// Timeouts short enough for a test; no other limits.
fn short_waits(config: &mut Config) {
    config.database.pool_wait_milliseconds = 500;
}

/// Number of responses that are a 429 `too_many_requests` with `Retry-After`.
fn too_many(responses: &[Answer]) -> usize {
    let limited = responses.iter().filter(|response| response.error_code() == error_code::TOO_MANY_REQUESTS);
    limited
        .inspect(|response| assert_eq!((response.code(), response.header("retry-after")), (429, "1")))
        .count()
}

fn codes(responses: &[Answer]) -> Vec<(u16, String)> {
    responses.iter().map(|response| (response.code(), response.error_code())).collect()
}

/// Another session of a user.
async fn another_session(server: &TestServer, who: &Person) -> Person {
    server.sign_in(&who.username).await
}

async fn rename(server: &TestServer, token: &str, name: &str) -> Answer {
    let request = server.request(Method::PATCH, "/v1/users/me").bearer_auth(token);
    Answer::of(request.json(&json!({ "name": name }))).await
}

async fn login(server: &TestServer, name: &str, from: &str) -> Answer {
    let request = server.request(Method::POST, "/v1/login").header("x-forwarded-for", from);
    Answer::of(request.json(&json!({ "identifier": name, "password": PASSWORD }))).await
}

/// Number of the server's connections that wait for a lock.
async fn waiting(server: &TestServer) -> i64 {
    let query = "SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND application_name LIKE 'rollcall%' AND wait_event_type = 'Lock'";
    server.count(query).await
}

#[tokio::test]
async fn user_update_by_one_caller_leaves_connections_to_others() {
    let server = TestServer::builder().config(short_waits).start().await;
    let ada = server.user("ada").await;
    let mut sessions = vec![ada.clone()];
    for _ in 0..3 {
        sessions.push(another_session(&server, &ada).await);
    }
    let mut others = Vec::new();
    for number in 0..8 {
        others.push(server.quick_user(&format!("other{number}")).await);
    }
    // Her row is locked: all of her changes wait.
    let mut db = server.database.connect().await;
    let held = db.transaction().await.unwrap();
    held.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", &[&ada.id]).await.unwrap();
    let storm = join_all((0..24).map(|number| {
        let token = sessions[number % sessions.len()].token();
        let server = &server;
        async move { rename(server, &token, "Ada").await }
    }));
    let meanwhile = async {
        eventually("her changes wait", Duration::from_secs(20), || async {
            (waiting(&server).await == 2).then_some(())
        })
        .await;
        // From the same address, and with tokens that this server has not seen yet.
        let changes =
            join_all(others.iter().map(async |other| rename(&server, &other.token(), "O").await)).await;
        assert!(changes.iter().all(|response| response.code() == 200), "{:?}", codes(&changes));
        let sign_ins =
            join_all(others.iter().map(|other| login(&server, &other.username, "192.0.2.1"))).await;
        assert!(sign_ins.iter().all(|response| response.code() == 200), "{:?}", codes(&sign_ins));
        assert_eq!(waiting(&server).await, 2, "a quarter of the pool, over all of her sessions");
        tokio::time::sleep(Duration::from_millis(600)).await;
        held.commit().await.unwrap();
    };
    let (responses, ()) = futures::join!(storm, meanwhile);
    let done = responses.iter().filter(|response| response.code() == 200).count();
    assert_eq!((done, too_many(&responses)), (2, 22), "{:?}", codes(&responses));
    let recorded =
        server.count("SELECT count(*) FROM audit_events WHERE error_code = 'too_many_requests'").await;
    assert_eq!(recorded, 0, "or each would take a connection and leave a row");
    assert_eq!(rename(&server, &ada.token(), "Ada").await.code(), 200);
}

#[tokio::test]
async fn login_from_one_address_leaves_connections_to_others() {
    let server = TestServer::builder()
        .config(short_waits)
        .config(|config| config.http.trusted_proxies = vec!["127.0.0.1".parse().unwrap()])
        .start()
        .await;
    for number in 0..4 {
        server.quick_user(&format!("user{number}")).await;
    }
    let signed_in = server.quick_user("signed-in").await;
    assert_eq!(login(&server, "user0", "2001:db8:1:2::1").await.code(), 200);
    // The network's counter is locked: logins from there wait.
    let mut db = server.database.connect().await;
    let held = db.transaction().await.unwrap();
    let locked = held.execute("SELECT FROM attempts FOR UPDATE", &[]).await.unwrap();
    assert_eq!(locked, 1);
    let storm = join_all((0..20).map(|number| {
        let from = format!("2001:db8:1:2::{number:x}");
        let server = &server;
        async move { login(server, "user1", &from).await }
    }));
    let meanwhile = async {
        eventually("sign-ins wait", Duration::from_secs(20), || async {
            (waiting(&server).await == 2).then_some(())
        })
        .await;
        for from in ["2001:db8:1:3::1", "192.0.2.1"] {
            assert_eq!(login(&server, "user2", from).await.code(), 200, "{from}");
        }
        // Authenticated requests count by user, regardless of their address.
        for number in 0..4 {
            let request =
                server.request(Method::PATCH, "/v1/users/me").header("x-forwarded-for", "2001:db8:1:2::9");
            let request =
                request.bearer_auth(signed_in.token()).json(&json!({ "name": format!("N{number}") }));
            assert_eq!(Answer::of(request).await.code(), 200);
        }
        tokio::time::sleep(Duration::from_millis(600)).await;
        held.commit().await.unwrap();
    };
    let (responses, ()) = futures::join!(storm, meanwhile);
    let done = responses.iter().filter(|response| response.code() == 200).count();
    assert_eq!((done, too_many(&responses)), (2, 18), "{:?}", codes(&responses));
}

/// Well-formed but invalid tokens cost a read, as in every other request.
#[tokio::test]
async fn user_update_with_invalid_tokens_takes_no_transaction() {
    let whole_pool = |config: &mut Config| {
        config.database.pool_wait_milliseconds = 100;
        config.database.pool_size = 2;
        config.database.changes_per_caller = 2;
    };
    let server = TestServer::builder().config(whole_pool).start().await;
    let ada = server.quick_user("ada").await;
    let mut db = server.database.connect().await;
    let held = db.transaction().await.unwrap();
    held.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", &[&ada.id]).await.unwrap();
    let token = ada.token();
    let both = join_all((0..2).map(|_| rename(&server, &token, "Ada")));
    let meanwhile = async {
        eventually("the pool is used up", Duration::from_secs(20), || async {
            (waiting(&server).await == 2).then_some(())
        })
        .await;
        assert_eq!(rename(&server, &TestServer::garbage_token(), "x").await.code(), 401);
        held.commit().await.unwrap();
    };
    let (responses, ()) = futures::join!(both, meanwhile);
    assert!(responses.iter().all(|response| response.code() == 200), "{:?}", codes(&responses));
}

/// Rejections are recorded even if the caller has more requests in progress than may run at once.
#[tokio::test]
async fn user_session_list_rejections_in_a_flood_are_recorded() {
    let server = TestServer::builder().config(short_waits).start().await;
    let (ada, eve) = (server.quick_user("ada").await, server.quick_user("eve").await);
    // Recording is blocked: two records wait in the database, and the others for their share.
    let mut db = server.database.connect().await;
    let held = db.transaction().await.unwrap();
    held.execute("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE", &[]).await.unwrap();
    let path = format!("/v1/users/{}/sessions", eve.id);
    let token = ada.token();
    let calls = join_all((0..8).map(|_| Answer::of(server.request(Method::GET, &path).bearer_auth(&token))));
    let meanwhile = async {
        eventually("records wait", Duration::from_secs(20), || async {
            (waiting(&server).await == 2).then_some(())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(800)).await;
        held.commit().await.unwrap();
    };
    let (responses, ()) = futures::join!(calls, meanwhile);
    assert!(responses.iter().all(|response| response.code() == 403), "{:?}", codes(&responses));
    let recorded = server.count("SELECT count(*) FROM audit_events WHERE error_code = 'forbidden'").await;
    assert_eq!(recorded, 8);
}

#[tokio::test]
async fn session_view_many_times_at_once_records_the_use_once() {
    let server = TestServer::start().await;
    let ada = server.quick_user("ada").await;
    server.advance(chrono::TimeDelta::minutes(30));
    let mut db = server.database.connect().await;
    let held = db.transaction().await.unwrap();
    held.execute("SELECT FROM sessions WHERE id = $1 FOR UPDATE", &[&ada.session_id]).await.unwrap();
    let views =
        (0..20).map(|_| Answer::of(server.request(Method::GET, "/v1/session").bearer_auth(ada.token())));
    let responses = join_all(views).await;
    assert!(responses.iter().all(|response| response.code() == 200), "{:?}", codes(&responses));
    eventually("the use is being noted", Duration::from_secs(20), || async {
        (waiting(&server).await == 1).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(waiting(&server).await, 1);
    held.commit().await.unwrap();
    eventually("the use is noted", Duration::from_secs(20), || async {
        let noted = "SELECT count(*) FROM sessions WHERE last_used_at > created_at";
        (server.count(noted).await == 1).then_some(())
    })
    .await;
}

/// A caller who creates any number of users with passwords at once never fills the queue that logins wait in.
#[tokio::test]
async fn user_create_by_one_caller_leaves_hashing_to_sign_ins() {
    let costly = |config: &mut Config| {
        config.password = Password { hash_threads: 1, hash_queue: 8, ..Password::default() };
        config.database.pool_wait_milliseconds = 100;
    };
    let server = TestServer::builder().config(costly).start().await;
    let (importer, _) = (server.admin().await, server.quick_user("ada").await);
    let (done, number) = (AtomicBool::new(false), AtomicU32::new(0));
    let import = async || {
        let mut codes = Vec::new();
        while !done.load(Ordering::Relaxed) {
            let name = format!("imported{}", number.fetch_add(1, Ordering::Relaxed));
            let request = server.request(Method::POST, "/v1/users").bearer_auth(importer.token());
            codes.push(
                Answer::of(request.json(&json!({ "username": name, "password": PASSWORD }))).await.code(),
            );
        }
        codes
    };
    let imports = join_all((0..20).map(async |_| import().await));
    let sign_ins = async {
        for _ in 0..8 {
            let response = login(&server, "ada", "-").await;
            assert_eq!(response.code(), 200, "{}", response.message());
        }
        done.store(true, Ordering::Relaxed);
    };
    let (codes, ()) = futures::join!(imports, sign_ins);
    let codes: BTreeSet<u16> = codes.into_iter().flatten().collect();
    assert_eq!(codes, BTreeSet::from([201, 429]));
}

#[tokio::test]
async fn audit_event_list_searches_of_one_caller_leave_room_for_others() {
    let server = TestServer::builder().config(short_waits).start().await;
    let (ada, admin) = (server.quick_user("ada").await, server.admin().await);
    // The audit trail is locked: her searches wait, and others' searches of users do not.
    let mut db = server.database.connect().await;
    let held = db.transaction().await.unwrap();
    held.execute("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE", &[]).await.unwrap();
    let path = "/v1/audit-events?operation=login";
    let token = ada.token();
    let storm = join_all((0..12).map(|_| Answer::of(server.request(Method::GET, path).bearer_auth(&token))));
    let meanwhile = async {
        eventually("her searches wait", Duration::from_secs(20), || async {
            (waiting(&server).await == 2).then_some(())
        })
        .await;
        for number in 0..15 {
            let path = format!("/v1/users?q=person{number}&total=exact");
            let response = Answer::of(server.request(Method::GET, &path).bearer_auth(admin.token())).await;
            assert_eq!(response.code(), 200, "{}", response.message());
        }
        tokio::time::sleep(Duration::from_millis(600)).await;
        held.commit().await.unwrap();
    };
    let (responses, ()) = futures::join!(storm, meanwhile);
    let done = responses.iter().filter(|response| response.code() == 200).count();
    assert_eq!((done, too_many(&responses)), (2, 10), "{:?}", codes(&responses));
}

/// Two accounts of one person have as many searches together as there are connections. Once their searches
/// were slow, the two have half.
#[tokio::test]
async fn user_list_searches_of_slow_callers_leave_half_to_everybody_else() {
    let hasty = |config: &mut Config| config.database.search_timeout_milliseconds = 1000;
    let server = TestServer::builder().config(short_waits).config(hasty).start().await;
    let (ada, eve) = (server.quick_user("ada").await, server.quick_user("eve").await);
    let admin = server.admin().await;
    let mut db = server.database.connect().await;
    let held = db.transaction().await.unwrap();
    held.execute("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE", &[]).await.unwrap();
    let storm = async || {
        let tokens = [ada.token(), eve.token()];
        let path = "/v1/audit-events?operation=login";
        join_all((0..8).map(|n| Answer::of(server.request(Method::GET, path).bearer_auth(&tokens[n % 2]))))
            .await
    };
    let first = storm().await;
    assert!(first.iter().all(|response| response.code() != 200), "{:?}", codes(&first));
    let meanwhile = async {
        eventually("their searches wait", Duration::from_secs(20), || async {
            (waiting(&server).await > 0).then_some(())
        })
        .await;
        for number in 0..10 {
            let path = format!("/v1/users?q=person{number}&total=exact");
            let response = Answer::of(server.request(Method::GET, &path).bearer_auth(admin.token())).await;
            assert_eq!(response.code(), 200, "{}", response.message());
            let waiting = waiting(&server).await;
            assert!(waiting <= 2, "{waiting} of four connections");
        }
    };
    let (second, ()) = futures::join!(storm(), meanwhile);
    assert!(too_many(&second) >= 4, "{:?}", codes(&second));
}

/// The last query on the single connection for searches, which is a different text each time.
async fn last_search(server: &TestServer) -> String {
    let query = "SELECT coalesce(max(query_start::text), 'none') FROM pg_stat_activity \
        WHERE datname = current_database() AND application_name = 'rollcall search'";
    server.db().await.query_one(query, &[]).await.unwrap().get(0)
}

/// Every query whose cost the caller chooses runs on the connections for searches. Queries of a fixed cost do
/// not: there they would wait for searches.
#[tokio::test]
async fn user_list_and_every_other_list_search_on_connections_of_their_own() {
    let server = TestServer::builder().config(|config| config.database.search_pool_size = 1).start().await;
    let (admin, ada) = (server.admin().await, server.quick_user("ada").await);
    server.grant(ada.id, [Permission::UsersRead.as_str()]).await;
    let id = ada.id;
    for (path, apart) in [
        ("/v1/users", false),
        ("/v1/users?limit=200", false),
        ("/v1/users?group=@public", true),
        ("/v1/users?not_group=@public", true),
        ("/v1/users?role=@administrator", true),
        ("/v1/users?not_role=@administrator", true),
        ("/v1/users?q=ada", true),
        ("/v1/users?filter=name%20pr", true),
        ("/v1/users?sort=name", true),
        ("/v1/users?total=exact", true),
        ("/v1/users?total=estimate", true),
        ("/v1/groups", false),
        ("/v1/groups?q=pub", true),
        ("/v1/groups?sort=-name", true),
        ("/v1/groups?total=exact", true),
        ("/v1/groups/@public/members", false),
        ("/v1/groups/@public/members?filter=name%20pr", true),
        ("/v1/groups/@public/members?total=exact", true),
        ("/v1/roles", false),
        ("/v1/roles?q=adm", true),
        ("/v1/audit-events", false),
        (&format!("/v1/audit-events?actor={id}"), true),
        (&format!("/v1/audit-events?target={id}"), true),
        ("/v1/audit-events?operation=login", true),
        ("/v1/audit-events?since=2026-01-01T00:00:00Z", true),
        ("/v1/audit-events?until=2026-01-01T00:00:00Z", true),
        ("/v1/audit-events?q=login", true),
        ("/v1/users/me/roles", false),
        ("/v1/users/me/roles?q=a", true),
        ("/v1/users/me/groups", false),
        ("/v1/users/me/sessions", false),
        ("/v1/groups/@public/invitations", false),
        ("/v1/users/me/permissions", false),
    ] {
        let before = last_search(&server).await;
        let response = Answer::of(server.request(Method::GET, path).bearer_auth(admin.token())).await;
        assert_eq!(response.code(), 200, "{path}: {}", response.message());
        assert_eq!(last_search(&server).await != before, apart, "{path}");
    }
}

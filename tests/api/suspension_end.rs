//! Suspensions with an end: they end for all readers at that time, in the database with the next sweep, and
//! with an audit event.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use http::header::{ETAG, IF_NONE_MATCH};
use http::{Method, StatusCode};
use rollcall_client::types;
use rollcall_server::clock::Clock;
use serde_json::{Value, json};

use crate::support::{Answer, Person, TestServer};

async fn suspend(server: &TestServer, admin: &Person, user: &str, minutes: i64) -> DateTime<Utc> {
    let until = server.clock.now() + TimeDelta::minutes(minutes);
    let body = types::UserSuspend { reason: Some("a break".parse().unwrap()), until: Some(until) };
    admin.user_suspend().user(user).body(body).send().await.unwrap();
    until
}

async fn view(server: &TestServer, admin: &Person, path: &str) -> Answer {
    Answer::of(server.request(Method::GET, path).bearer_auth(admin.token())).await
}

/// The three suspension fields of a user, reduced to their presence.
fn fields(user: &Value) -> (Option<bool>, bool, bool) {
    let there = |field: &str| user.get(field).is_some();
    (user["suspended"].as_bool(), there("suspended_reason"), there("suspended_until"))
}

#[tokio::test]
async fn user_view_shows_no_ended_suspension_before_the_sweep() {
    let server = TestServer::start().await;
    let (admin, _) = (server.admin().await, server.user("ada").await);
    suspend(&server, &admin, "@ada", 10).await;
    let before = view(&server, &admin, "/v1/users/@ada").await;
    assert_eq!(fields(&before.json()), (Some(true), true, true));
    server.advance(TimeDelta::minutes(10));

    let request = server.request(Method::GET, "/v1/users/@ada").bearer_auth(admin.token());
    let after = Answer::of(request.header(IF_NONE_MATCH, before.headers[ETAG].clone())).await;
    assert_eq!(after.status, StatusCode::OK, "the tag of before is not the tag of now");
    assert_eq!(fields(&after.json()), (Some(false), false, false));
    let listed = view(&server, &admin, "/v1/users").await.json();
    let listed = listed["items"].as_array().unwrap().iter().find(|user| user["username"] == "ada").unwrap();
    assert_eq!(fields(listed), (Some(false), false, false));
    let own = server.sign_in("ada").await.session_view().send().await.unwrap().into_inner().user;
    assert_eq!((own.suspended, own.suspended_reason, own.suspended_until), (Some(false), None, None));
    // The tag is valid in `If-Match`.
    let tag = view(&server, &admin, "/v1/users/@ada").await.header("etag").to_owned();
    let rename = server.request(Method::PATCH, "/v1/users/@ada").bearer_auth(admin.token());
    let renamed = Answer::of(rename.header("if-match", tag).json(&json!({ "name": "Ada" }))).await;
    assert_eq!((renamed.code(), fields(&renamed.json())), (200, (Some(false), false, false)));
}

#[tokio::test]
async fn user_reactivate_is_recorded_by_the_sweeper() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.quick_user("ada").await);
    let (eve, bob) = (server.quick_user("eve").await, server.quick_user("bob").await);
    let until = suspend(&server, &admin, "@ada", 10).await;
    suspend(&server, &admin, "@eve", 11).await;
    admin.user_suspend().user("@bob").body(types::UserSuspend::default()).send().await.unwrap();
    let db = server.db().await;
    let state = async |person: &Person| {
        let query = "SELECT jsonb_build_array(suspended, suspended_reason, suspended_until IS NULL), updated_at \
            FROM users WHERE id = $1";
        let row = db.query_one(query, &[&person.id]).await.unwrap();
        (row.get::<_, Value>(0), row.get::<_, DateTime<Utc>>(1))
    };
    assert_eq!(state(&ada).await.0, json!([true, "a break", false]));
    let others = (state(&eve).await, state(&bob).await);
    server.advance(TimeDelta::minutes(10));
    let (from, to) = (server.clock.now(), server.clock.now() + TimeDelta::minutes(1));
    server.sweep().await;
    let (row, updated_at) = state(&ada).await;
    assert_eq!(row, json!([false, null, true]));
    assert!((from..to).contains(&updated_at), "{updated_at}");
    assert_eq!((state(&eve).await, state(&bob).await), others, "nobody else's");

    let trail = format!("/v1/audit-events?operation=user_reactivate&target={}", ada.id);
    let events = view(&server, &admin, &trail).await.json()["items"].clone();
    assert_eq!(events.as_array().unwrap().len(), 1);
    let event = &events[0];
    assert_eq!(
        (&event["result"], &event["target_kind"], &event["actor_id"]),
        (&json!("done"), &json!("user"), &Value::Null)
    );
    assert_eq!(event["detail"]["reason"], "the suspension's end was reached");
    let told: DateTime<Utc> = event["detail"]["until"].as_str().unwrap().parse().unwrap();
    assert_eq!(told.timestamp_micros(), until.timestamp_micros());
    server.sweep().await;
    assert_eq!(state(&ada).await, (row, updated_at), "once is enough");
}

#[tokio::test]
async fn user_reactivate_by_sweeping_replicas_happens_once() {
    let one = TestServer::start().await;
    let two = TestServer::builder().beside(&one).start().await;
    one.sql(
        "INSERT INTO users (id, username, username_folded, suspended, suspended_until, created_via, created_at, updated_at) \
         SELECT gen_random_uuid(), 'u' || n, 'u' || n, true, now(), 'admin', now(), now() FROM generate_series(1, 250) n",
    )
    .await;
    one.advance(TimeDelta::minutes(1));
    let servers = [Arc::new(one), Arc::new(two)];
    let sweeps = (0..4).map(|number| {
        let server = Arc::clone(&servers[number % 2]);
        async move { server.sweep().await }
    });
    futures::future::join_all(sweeps).await;
    let events = "SELECT count(*) FROM audit_events WHERE operation = 'user_reactivate'";
    let targets = "SELECT count(DISTINCT target_id) FROM audit_events WHERE operation = 'user_reactivate'";
    assert_eq!((servers[0].count(events).await, servers[0].count(targets).await), (250, 250));
    assert_eq!(servers[0].count("SELECT count(*) FROM users WHERE suspended").await, 0);
}

//! Suspension: it ends every session at once, and itself ends at a set time or by reactivation.

use chrono::TimeDelta;
use http::Method;
use rollcall_client::{error_code, types};
use rollcall_server::clock::Clock;
use serde_json::json;

use super::{bodies, is_live, refusal, sign_in_refused};
use crate::support::{Answer, PASSWORD, Refused, TestServer};

#[tokio::test]
async fn user_suspend_ends_every_session_at_once() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let second = server.sign_in("ada").await;
    let body = bodies::suspension(json!({ "reason": "lost laptop" }));
    let suspended = admin.user_suspend().user("@ada").body(body).send().await.unwrap();
    assert_eq!((suspended.suspended, suspended.suspended_until), (Some(true), None));
    assert_eq!(suspended.suspended_reason.as_deref(), Some("lost laptop"));
    for session in [&ada, &second] {
        assert!(!is_live(session).await);
        let change = super::update(json!({ "name": "Ada" }));
        let refused = session.user_update().user("me").body(change).send().await.refusal();
        assert_eq!(refused, refusal(401, error_code::UNAUTHENTICATED));
        let refused = session.user_list().send().await.refusal();
        assert_eq!(refused, refusal(401, error_code::UNAUTHENTICATED));
    }
    let refused = sign_in_refused(&server, "ada", PASSWORD).await;
    assert_eq!(refused.code(), Some(error_code::INVALID_CREDENTIALS), "as for a wrong password");
    server.advance(TimeDelta::days(10_000));
    sign_in_refused(&server, "ada", PASSWORD).await;
}

/// Not only by the end of the sessions: a session that remains is not accepted.
#[tokio::test]
async fn user_suspend_invalidates_a_session_that_remains() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    assert!(is_live(&ada).await);
    server.suspend(ada.id).await;
    assert!(!is_live(&ada).await);
    let until = server.clock.now() + TimeDelta::minutes(5);
    let update = "UPDATE users SET suspended_until = $1 WHERE id = $2";
    server.db().await.execute(update, &[&until, &ada.id]).await.unwrap();
    assert!(!is_live(&ada).await);
    server.advance(TimeDelta::minutes(5));
    assert!(is_live(&ada).await);
}

#[tokio::test]
async fn user_suspend_with_an_end_ends_by_itself() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let until = server.clock.now() + TimeDelta::minutes(30);
    let body = types::UserSuspend { reason: None, until: Some(until) };
    let suspended = admin.user_suspend().user("@ada").body(body).send().await.unwrap();
    let micros = |time: chrono::DateTime<chrono::Utc>| time.timestamp_micros();
    assert_eq!(suspended.suspended_until.map(micros), Some(micros(until)));
    server.advance(TimeDelta::minutes(29));
    sign_in_refused(&server, "ada", PASSWORD).await;
    assert!(!is_live(&ada).await);
    server.advance(TimeDelta::seconds(61));
    assert!(!is_live(&ada).await, "no session comes back");
    let back = server.sign_in("ada").await;
    assert!(is_live(&back).await);
}

#[tokio::test]
async fn user_suspend_replaces_an_earlier_suspension() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    server.user("ada").await;
    let suspend = async |body| admin.user_suspend().user("@ada").body(bodies::suspension(body)).send().await;
    let until = server.clock.now() + TimeDelta::minutes(5);
    suspend(json!({ "reason": "first", "until": until })).await.unwrap();
    let second = suspend(json!({})).await.unwrap();
    assert_eq!((second.suspended_reason.as_deref(), second.suspended_until), (None, None));
    server.advance(TimeDelta::minutes(6));
    sign_in_refused(&server, "ada", PASSWORD).await;
    for _ in 0..2 {
        let back = admin.user_reactivate().user("@ada").send().await.unwrap();
        assert_eq!((back.suspended, back.suspended_reason.as_deref()), (Some(false), None));
    }
    server.sign_in("ada").await;
}

#[tokio::test]
async fn user_suspend_rejects_an_end_in_the_past() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let before = server.dump().await;
    let now = server.clock.now();
    for until in [now, now - TimeDelta::seconds(1), now - TimeDelta::days(365)] {
        let body = types::UserSuspend { reason: None, until: Some(until) };
        let refused = admin.user_suspend().user("@ada").body(body).send().await.refused();
        assert_eq!(refused.status().map(|status| status.as_u16()), Some(422));
        assert_eq!(refused.code(), Some(error_code::TIME_IN_PAST));
        assert!(refused.message().contains("until"), "{}", refused.message());
    }
    let body = types::UserSuspend { reason: None, until: Some(now) };
    let refused = ada.user_suspend().user("me").body(body).send().await.refusal();
    assert_eq!(
        refused,
        refusal(403, error_code::FORBIDDEN),
        "a caller without the permission learns no more"
    );
    assert_eq!(before, server.dump().await);
    assert!(is_live(&ada).await);
}

/// A suspended administrator does not count as one until the suspension ends; the other one cannot be deleted
/// meanwhile.
#[tokio::test]
async fn user_suspend_of_an_administrator_protects_the_last_other_one() {
    let server = TestServer::start().await;
    let (admin, eve) = (server.admin().await, server.user("eve").await);
    server.make_administrator(eve.id).await;
    let until = server.clock.now() + TimeDelta::minutes(5);
    let body = types::UserSuspend { reason: None, until: Some(until) };
    admin.user_suspend().user("@eve").body(body).send().await.unwrap();
    let refused = admin.user_delete().user("me").send().await.refusal();
    assert_eq!(refused, refusal(409, error_code::LAST_ADMINISTRATOR));
    server.advance(TimeDelta::minutes(5));
    server.sign_in("administrator").await.user_delete().user("me").send().await.unwrap();
    server.sign_in("eve").await;
}

#[tokio::test]
async fn user_suspend_needs_no_body() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let suspend = server.request(Method::POST, "/v1/users/@ada/suspend").bearer_auth(admin.token());
    let response = Answer::of(suspend).await;
    assert_eq!(response.code(), 200, "{}", response.message());
    let seen = response.json();
    assert_eq!((&seen["suspended"], &seen["suspended_reason"]), (&json!(true), &json!(null)));
    assert!(!is_live(&ada).await);
}

//! A user's sessions: listing and ending them.

use chrono::TimeDelta;
use rollcall_api::access::Permission;
use rollcall_client::{Paged, Session, error_code, types};
use uuid::Uuid;

use super::{is_live, refusal};
use crate::support::{Refused, TestServer};

async fn listed(session: &Session, user: &str) -> Vec<types::Session> {
    session.user_session_list().user(user).stream().collect().await.unwrap()
}

fn ids(sessions: &[types::Session]) -> Vec<Uuid> {
    sessions.iter().map(|session| session.id.0).collect()
}

#[tokio::test]
async fn user_session_list_is_newest_first_with_the_current_one_marked() {
    let server = TestServer::start().await;
    let first = server.user("ada").await;
    let second = server.sign_in("ada").await;
    let third = server.sign_in("ada").await;
    let seen = listed(&second, "me").await;
    assert_eq!(ids(&seen), [third.session_id, second.session_id, first.session_id]);
    assert_eq!(seen.iter().map(|session| session.current).collect::<Vec<_>>(), [false, true, false]);
    assert!(seen.iter().all(|session| session.user_id.0 == first.id));
    assert!(seen.iter().all(|session| session.address.is_some_and(|address| address.is_loopback())));
    let admin = server.admin().await;
    let seen = listed(&admin, "@ada").await;
    assert!(seen.len() == 3 && seen.iter().all(|session| !session.current), "none of them is the caller's");
}

#[tokio::test]
async fn user_session_list_pages_are_complete() {
    let server = TestServer::start().await;
    server.user("ada").await;
    for _ in 0..4 {
        server.sign_in("ada").await;
    }
    let admin = server.admin().await;
    let paged: Vec<types::Session> =
        admin.user_session_list().user("@ada").limit(2u32).stream().collect().await.unwrap();
    assert_eq!(ids(&paged), ids(&listed(&admin, "@ada").await));
    assert_eq!(paged.len(), 5);
}

#[tokio::test]
async fn login_records_the_user_agent() {
    let server = TestServer::start().await;
    let login = server.request(http::Method::POST, "/v1/login").header("user-agent", "x".repeat(300));
    let body = serde_json::json!({ "identifier": "administrator", "password": crate::support::PASSWORD });
    let response = crate::support::Answer::of(login.json(&body)).await;
    let session = &response.json()["session"];
    assert_eq!(session["user_agent"].as_str().map(str::len), Some(256), "cut to 256 characters");
}

#[tokio::test]
async fn user_session_delete_takes_effect_at_once() {
    let server = TestServer::start().await;
    let (ada, lost) = (server.user("ada").await, server.sign_in("ada").await);
    let end = |session: Uuid| ada.user_session_delete().user("me").session(session.to_string()).send();
    assert_eq!(end(lost.session_id).await.unwrap().status().as_u16(), 204);
    assert!(!is_live(&lost).await && is_live(&ada).await);
    assert_eq!(ids(&listed(&ada, "me").await), [ada.session_id]);
    assert_eq!(end(lost.session_id).await.refusal(), refusal(404, error_code::NOT_FOUND), "it is gone");
    end(ada.session_id).await.unwrap();
    assert!(!is_live(&ada).await, "the current one can be ended like any other");
}

#[tokio::test]
async fn user_session_delete_all_ends_all_sessions() {
    let server = TestServer::start().await;
    let (ada, again, eve) = (server.user("ada").await, server.sign_in("ada").await, server.user("eve").await);
    ada.user_session_delete_all().user("me").send().await.unwrap();
    assert!(!is_live(&ada).await && !is_live(&again).await && is_live(&eve).await);

    let clerk = server.holder("clerk", &[Permission::UsersCredentials]).await;
    clerk.user_session_delete_all().user("@eve").send().await.unwrap();
    assert!(!is_live(&eve).await && is_live(&clerk).await);
    clerk.user_session_delete_all().user("@eve").send().await.unwrap();
}

#[tokio::test]
async fn user_session_list_and_delete_are_for_the_user_and_holders() {
    let server = TestServer::start().await;
    let (ada, eve) = (server.user("ada").await, server.holder("eve", &[Permission::UsersRead]).await);
    for refused in [
        eve.user_session_list().user("@ada").send().await.map(|_| ()),
        eve.user_session_delete_all().user("@ada").send().await.map(|_| ()),
        eve.user_session_delete().user("@ada").session(ada.session_id).send().await.map(|_| ()),
    ] {
        assert_eq!(refused.unwrap_err().code(), Some(error_code::FORBIDDEN));
    }
    let clerk = server.holder("clerk", &[Permission::UsersCredentials]).await;
    assert_eq!(ids(&listed(&clerk, "@ada").await), [ada.session_id]);
    // A session is only found under its own user.
    let hidden = eve.user_session_delete().user("me").session(ada.session_id).send().await.refusal();
    assert_eq!(hidden, refusal(404, error_code::NOT_FOUND));
    assert!(is_live(&ada).await);
    clerk.user_session_delete().user("@ada").session(ada.session_id).send().await.unwrap();
    assert!(!is_live(&ada).await);
}

#[tokio::test]
async fn user_session_delete_is_forbidden_for_users_who_outrank_the_caller() {
    let server = TestServer::start().await;
    let (admin, clerk) =
        (server.admin().await, server.holder("clerk", &[Permission::UsersCredentials]).await);
    let refused =
        clerk.user_session_delete().user("@administrator").session(admin.session_id).send().await.refusal();
    assert_eq!(refused, refusal(403, error_code::FORBIDDEN));
    let refused = clerk.user_session_delete_all().user("@administrator").send().await.refusal();
    assert_eq!(refused, refusal(403, error_code::FORBIDDEN));
    assert!(is_live(&admin).await);
}

#[tokio::test]
async fn user_session_list_excludes_ended_and_expired_sessions() {
    let server = TestServer::start().await;
    let (idle, expired) = (server.user("ada").await, server.sign_in("ada").await);
    server.expire(expired.session_id).await;
    assert!(!is_live(&expired).await);
    server.advance(TimeDelta::minutes(61));
    let now = server.sign_in("ada").await;
    assert!(!is_live(&idle).await);
    assert_eq!(ids(&listed(&now, "me").await), [now.session_id]);
}

#[tokio::test]
async fn login_over_the_session_limit_ends_the_oldest() {
    let server = TestServer::start().await;
    let oldest = server.quick_user("ada").await;
    let mut others = Vec::new();
    for _ in 0..49 {
        others.push(server.sign_in("ada").await);
    }
    assert!(is_live(&oldest).await, "fifty are allowed");
    let newest = server.sign_in("ada").await;
    assert!(!is_live(&oldest).await && is_live(&others[0]).await);
    let seen = listed(&newest, "me").await;
    assert_eq!((seen.len(), seen[0].id.0, seen[49].id.0), (50, newest.session_id, others[0].session_id));
}

//! The current session: viewing it, reauthentication, logout.

use chrono::TimeDelta;
use http::Method;
use rollcall_api::access::Permission;
use rollcall_client::{error_code, types, user_view};

use super::{is_live, refusal};
use crate::support::{Answer, PASSWORD, Refused, TestServer};

#[tokio::test]
async fn session_view_contains_the_user_and_their_permissions() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let seen = ada.session_view().send().await.unwrap();
    assert_eq!((seen.session.id.0, seen.session.current), (ada.session_id, true));
    assert_eq!((seen.user.id.0, seen.user.view.0.as_str()), (ada.id, user_view::OWN));
    assert_eq!(seen.permissions, Vec::<String>::new());

    let two = [Permission::UsersWrite, Permission::GroupsRead];
    let holder = server.holder("holder", &two).await;
    assert_eq!(holder.session_view().send().await.unwrap().permissions, ["groups:read", "users:write"]);
    // Including permissions that an application defines, without duplicates.
    server.grant(holder.id, ["data:share_read", "users:write"]).await;
    let all = holder.session_view().send().await.unwrap();
    assert_eq!(all.permissions, ["data:share_read", "groups:read", "users:write"]);
}

#[tokio::test]
async fn session_view_of_an_administrator_lists_all_permissions() {
    let server = TestServer::start().await;
    let seen = server.admin().await.session_view().send().await.unwrap();
    // Permissions of group roles apply inside groups only.
    let all: Vec<&str> = Permission::ALL
        .iter()
        .filter(|held| !held.in_group())
        .map(|permission| permission.as_str())
        .collect();
    assert_eq!(seen.permissions, all);
    assert_eq!(seen.user.roles.as_deref(), Some(&["administrator".to_owned()][..]));
}

#[tokio::test]
async fn session_reauthenticate_renews_the_token_of_the_same_session() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let before = ada.session_view().send().await.unwrap();
    let old = server.client().with_token(ada.token());
    server.advance(TimeDelta::minutes(10));
    let renewed = ada.reauthenticate(PASSWORD).await.unwrap();
    assert!(is_live(&ada).await && !is_live(&old).await, "the old token is dead");
    assert_eq!(renewed.session.id.0, ada.session_id);
    assert!(renewed.session.authenticated_at >= before.session.authenticated_at + TimeDelta::minutes(10));
    assert_eq!(renewed.session.created_at, before.session.created_at);
    assert_eq!(renewed.session.expires_at, before.session.expires_at, "it makes no session longer");
}

#[tokio::test]
async fn session_reauthenticate_with_a_wrong_password_changes_nothing() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let body = types::SessionReauthenticate { password: "wrong".into() };
    let refused = ada.session_reauthenticate().body(body).send().await.refusal();
    assert_eq!(refused, refusal(422, error_code::PASSWORD_MISMATCH));
    assert!(is_live(&ada).await, "the token is as good as before");
}

/// As in `login`: an expired password is accepted only for changing it.
#[tokio::test]
async fn session_reauthenticate_rejects_expired_passwords() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server.advance(TimeDelta::seconds(301));
    server.sql("UPDATE users SET password_expires_at = '2000-01-01' WHERE username = 'ada'").await;
    let expired = refusal(403, error_code::PASSWORD_EXPIRED);
    let body = types::SessionReauthenticate { password: PASSWORD.into() };
    assert_eq!(ada.session_reauthenticate().body(body).send().await.refusal(), expired);
    let body = types::SessionReauthenticate { password: "wrong".into() };
    let refused = ada.session_reauthenticate().body(body).send().await.refusal();
    assert_eq!(refused, refusal(422, error_code::PASSWORD_MISMATCH), "who doesn't know it learns nothing");
    let delete = async || ada.user_delete().user("me").send().await.refusal();
    assert_eq!(delete().await, refusal(403, error_code::REAUTHENTICATION_REQUIRED));
    let new = "seven copper kettles sing at dawn";
    let body = types::UserPasswordChange { current_password: PASSWORD.into(), new_password: new.into() };
    let changed = ada.user_password_change().user("me").body(body).send().await.unwrap().into_inner();
    let ada = server.client().with_token(changed.token.clone());
    ada.reauthenticate(new).await.unwrap();
}

/// Dioptra requires the password in the deletion request; here the caller reauthenticates beforehand, within
/// five minutes.
#[tokio::test]
async fn user_delete_of_oneself_needs_a_recent_password() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server.advance(TimeDelta::seconds(300));
    let refused = ada.user_delete().user("me").send().await.refusal();
    assert_eq!(refused, refusal(403, error_code::REAUTHENTICATION_REQUIRED));
    let refused = ada.user_delete().user("@ada").send().await.refusal();
    assert_eq!(refused.1, error_code::REAUTHENTICATION_REQUIRED, "by whatever name");
    ada.reauthenticate(PASSWORD).await.unwrap();
    server.advance(TimeDelta::seconds(290));
    ada.user_delete().user("me").send().await.unwrap();
    assert!(!is_live(&ada).await);
}

#[tokio::test]
async fn logout_ends_this_session_only() {
    let server = TestServer::start().await;
    let (ada, again) = (server.user("ada").await, server.sign_in("ada").await);
    let response = ada.logout().body(types::Logout::builder()).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 204);
    assert!(!is_live(&ada).await && is_live(&again).await);
    let refused = ada.logout().body(types::Logout::builder()).send().await.refusal();
    assert_eq!(refused, refusal(401, error_code::UNAUTHENTICATED));
}

#[tokio::test]
async fn logout_everywhere_ends_all_sessions_of_the_caller() {
    let server = TestServer::start().await;
    let (ada, again, eve) = (server.user("ada").await, server.sign_in("ada").await, server.user("eve").await);
    ada.logout().body(types::Logout::builder().everywhere(true)).send().await.unwrap();
    assert!(!is_live(&ada).await && !is_live(&again).await);
    assert!(is_live(&eve).await, "and nobody else's");
    assert!(is_live(&*server.sign_in("ada").await).await, "the account is as it was");
}

#[tokio::test]
async fn user_suspend_ends_sessions_and_user_reactivate_restores_none() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server.suspend(ada.id).await;
    assert!(!is_live(&ada).await);
    let refused = ada.user_view().user("me").send().await.refusal();
    assert_eq!(refused, refusal(401, error_code::UNAUTHENTICATED));
}

#[tokio::test]
async fn logout_needs_no_body() {
    let server = TestServer::start().await;
    let (ada, other) = (server.user("ada").await, server.sign_in("ada").await);
    let response = Answer::of(server.request(Method::POST, "/v1/logout").bearer_auth(ada.token())).await;
    assert_eq!(response.code(), 204, "{}", response.message());
    assert!(!is_live(&ada).await && is_live(&other).await, "it ends the one session, as `{{}}` does");
}

//! Users: create, view, update.

use rollcall_api::access::Permission;
use rollcall_client::{error_code, etag, types, user_view};

use crate::support::people::new_user;
use crate::support::{PASSWORD, Refused, TestServer};

#[tokio::test]
async fn a_created_user_can_sign_in_and_be_seen() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body = new_user("Ada").email(types::Email::try_from("ada@example.org").unwrap());
    let created = admin.user_create().body(body).send().await.unwrap();
    assert_eq!(created.username.as_deref(), Some("Ada"));
    assert_eq!(created.view.0, user_view::FULL);
    assert_eq!(created.groups.as_deref(), Some(&["public".to_owned()][..]));
    let location = created.headers()["location"].to_str().unwrap();
    assert_eq!(location, format!("/v1/users/{}", created.id.0));

    let ada = server.client().login("ADA@example.org", PASSWORD).await.unwrap();
    let seen = ada.user_view().user("me").send().await.unwrap();
    assert_eq!((seen.id.0, seen.view.0.as_str()), (created.id.0, user_view::OWN));
    let other = server.user("grace").await;
    let card = other.user_view().user("@ada").send().await.unwrap();
    assert_eq!((card.view.0.as_str(), card.email.as_deref()), (user_view::CARD, None));
}

#[tokio::test]
async fn an_update_sets_keeps_and_clears() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let number = types::Phone::try_from("+442079460123").unwrap();
    let body = types::UserUpdate::builder()
        .name(types::NullableDisplayName(Some(types::DisplayName::try_from("Ada Lovelace").unwrap())))
        .phone(types::NullablePhone(Some(number)));
    let set = ada.user_update().user("me").body(body).send().await.unwrap();
    assert_eq!(set.phone.as_deref(), Some("+442079460123"));

    let body = types::UserUpdate::builder().phone(types::NullablePhone(None));
    let tag = etag(&set).unwrap();
    let cleared = ada.user_update().user("me").if_match(tag).body(body.clone()).send().await.unwrap();
    assert_eq!((cleared.phone.as_deref(), cleared.name.as_deref()), (None, Some("Ada Lovelace")));
    let stale = ada.user_update().user("me").if_match(tag).body(body).send().await.refused();
    assert_eq!(stale.code(), Some(error_code::PRECONDITION_FAILED));
    assert_eq!(stale.etag(), etag(&cleared));
}

#[tokio::test]
async fn others_update_only_with_the_permission() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let update = || types::UserUpdate::builder().name(types::NullableDisplayName(None));
    let grace = server.user("grace").await;
    let refusal = grace.user_update().user(ada.path()).body(update()).send().await.refusal();
    assert_eq!(refusal, (403, error_code::FORBIDDEN.to_owned()));
    let writer = server.holder("writer", &[Permission::UsersWrite]).await;
    writer.user_update().user("@ada").body(update()).send().await.unwrap();
}

//! Fields that an update sets, keeps and clears, and the permissions it needs.

use rollcall_api::access::Permission;
use rollcall_client::{Session, error_code, etag, types};
use serde_json::{Value, json};

use super::{refusal, update};
use crate::support::{Refused, TestServer};

async fn patch(session: &Session, body: impl Into<types::builder::UserUpdate>) -> types::User {
    session.user_update().user("me").body(body.into()).send().await.unwrap().into_inner()
}

fn text(value: &str) -> types::NullableProfileText {
    types::NullableProfileText(Some(types::ProfileText::try_from(value).unwrap()))
}

fn profile_of(user: &types::User) -> Value {
    serde_json::to_value(&user.profile).unwrap()
}

#[tokio::test]
async fn user_update_keeps_omitted_fields() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let body = json!({ "name": "Ada", "email": "ada@example.org", "avatar_url": "https://example.org/a.png",
        "profile": { "nickname": "A" } });
    let before = patch(&ada, update(body)).await;
    let after = patch(&ada, update(json!({ "name": "Countess" }))).await;
    assert_eq!(after.name.as_deref(), Some("Countess"));
    assert_eq!(
        (&after.email, &after.avatar_url, &after.username),
        (&before.email, &before.avatar_url, &before.username)
    );
    assert_eq!(profile_of(&after), json!({ "nickname": "A" }));
    assert!(after.updated_at > before.updated_at && after.created_at == before.created_at);
}

#[tokio::test]
async fn user_update_clears_with_null() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let body = json!({ "name": "Ada", "email": "ada@example.org", "phone": "+1234567",
        "avatar_url": "https://example.org/a.png", "profile": { "nickname": "A" } });
    patch(&ada, update(body)).await;
    let clear = types::UserUpdate::builder()
        .name(types::NullableDisplayName(None))
        .email(types::NullableEmail(None))
        .phone(types::NullablePhone(None))
        .avatar_url(types::NullableWebUrl(None))
        .profile(types::NullableProfileUpdate(None));
    let after = patch(&ada, clear).await;
    assert_eq!(
        (after.name.as_ref(), after.email.as_ref(), after.phone.as_ref(), after.avatar_url.as_ref()),
        (None, None, None, None)
    );
    assert_eq!((after.email_verified, after.phone_verified), (None, None));
    assert_eq!(profile_of(&after), json!({}));
}

/// Logto replaces the whole profile, and cannot remove a field in a merge.
#[tokio::test]
async fn user_update_merges_the_profile_at_every_depth() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let body = json!({ "profile": { "nickname": "A", "locale": "en",
        "address": { "locality": "London", "country": "England", "postal_code": "SW1Y" } } });
    patch(&ada, update(body)).await;
    let address = types::AddressUpdate::builder()
        .postal_code(types::NullableAddressText(None))
        .region(types::NullableAddressText(Some(types::AddressText::try_from("Middlesex").unwrap())));
    let profile = types::ProfileUpdate::builder()
        .locale(types::NullableProfileText(None))
        .zoneinfo(text("Europe/London"))
        .address(types::NullableAddressUpdate(Some(address.try_into().unwrap())));
    let profile = types::NullableProfileUpdate(Some(profile.try_into().unwrap()));
    let after = patch(&ada, types::UserUpdate::builder().profile(profile)).await;
    let expected = json!({ "nickname": "A", "zoneinfo": "Europe/London",
        "address": { "locality": "London", "country": "England", "region": "Middlesex" } });
    assert_eq!(profile_of(&after), expected);

    let profile = types::ProfileUpdate::builder().address(types::NullableAddressUpdate(None));
    let profile = types::NullableProfileUpdate(Some(profile.try_into().unwrap()));
    let after = patch(&ada, types::UserUpdate::builder().profile(profile)).await;
    assert_eq!(profile_of(&after), json!({ "nickname": "A", "zoneinfo": "Europe/London" }));
    let seen = ada.user_view().user("me").send().await.unwrap();
    assert_eq!(profile_of(&seen), profile_of(&after));
}

#[tokio::test]
async fn user_update_of_an_address_or_number_clears_its_verification() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    patch(&ada, update(json!({ "email": "ada@example.org", "phone": "+1234567" }))).await;
    let verify = "UPDATE users SET email_verified = true, phone_verified = true WHERE username = 'ada'";
    let verified = |user: &types::User| (user.email_verified, user.phone_verified);
    server.sql(verify).await;
    let same =
        patch(&ada, update(json!({ "email": "ADA@example.org", "phone": "+1234567", "name": "Ada" }))).await;
    assert_eq!(verified(&same), (Some(true), Some(true)), "the same address in another case is still proved");
    assert_eq!(same.email.as_deref(), Some("ADA@example.org"));
    let email = patch(&ada, update(json!({ "email": "countess@example.org" }))).await;
    assert_eq!(verified(&email), (Some(false), Some(true)));
    server.sql(verify).await;
    let phone = patch(&ada, update(json!({ "phone": "+7654321" }))).await;
    assert_eq!(verified(&phone), (Some(true), Some(false)));
    patch(&ada, types::UserUpdate::builder().email(types::NullableEmail(None))).await;
    let again = patch(&ada, update(json!({ "email": "countess@example.org" }))).await;
    assert_eq!(verified(&again), (Some(false), Some(false)), "cleared and set again is a change too");
}

#[tokio::test]
async fn user_update_rejects_a_stale_tag() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let seen = ada.user_view().user("me").send().await.unwrap();
    let old = etag(&seen).unwrap();
    let attempt = async |tag: &str, name: &str| {
        ada.user_update().user("me").if_match(tag).body(update(json!({ "name": name }))).send().await
    };
    let first = attempt(old, "first").await.unwrap();
    let refused = attempt(old, "second").await.refused();
    assert_eq!(
        (refused.status().unwrap().as_u16(), refused.code()),
        (412, Some(error_code::PRECONDITION_FAILED))
    );
    assert_eq!(refused.etag(), etag(&first), "it says which tag is current");
    let weak = format!("W/{}", etag(&first).unwrap());
    assert_eq!(attempt(&weak, "third").await.refused().code(), Some(error_code::PRECONDITION_FAILED));
    assert_eq!(ada.user_view().user("me").send().await.unwrap().name.as_deref(), Some("first"));
    attempt(&format!("\"x\", {}", etag(&first).unwrap()), "fourth").await.unwrap();
    attempt("*", "fifth").await.unwrap();
}

#[tokio::test]
async fn user_update_rejections_change_no_field() {
    let server = TestServer::start().await;
    let (ada, _eve) = (server.user("ada").await, server.user("eve").await);
    let before = server.dump().await;
    let body = json!({ "name": "Ada", "profile": { "nickname": "A" }, "username": "eve" });
    let refused = ada.user_update().user("me").body(update(body)).send().await.refusal();
    assert_eq!(refused, refusal(409, error_code::USERNAME_TAKEN));
    assert_eq!(server.dump().await, before);
}

/// CVAT's staff may promote themselves by PATCH; here the body has no permissions.
#[tokio::test]
async fn user_update_is_forbidden_for_users_who_outrank_the_caller() {
    let server = TestServer::start().await;
    let writer = server.holder("writer", &[Permission::UsersWrite]).await;
    let clerk = server.holder("clerk", &[Permission::UsersCredentials]).await;
    let peer = server.holder("peer", &[Permission::UsersWrite]).await;
    for user in ["@administrator", "@clerk"] {
        let body = update(json!({ "email": "mine@example.org" }));
        let refused = writer.user_update().user(user).body(body).send().await.refusal();
        assert_eq!(refused, refusal(403, error_code::FORBIDDEN), "{user}");
    }
    for user in [peer.path(), writer.path()] {
        writer.user_update().user(user).body(update(json!({ "name": "Equal" }))).send().await.unwrap();
    }
    let refused =
        clerk.user_update().user("@writer").body(update(json!({ "name": "x" }))).send().await.refused();
    assert!(refused.message().contains("users:write"), "{}", refused.message());
}

#[tokio::test]
async fn user_update_returns_a_card_to_writers_without_read_permission() {
    let server = TestServer::start().await;
    let (writer, ada) = (server.holder("writer", &[Permission::UsersWrite]).await, server.user("ada").await);
    let body = update(json!({ "email": "ada@example.org", "name": "Ada" }));
    let seen = writer.user_update().user(ada.path()).body(body).send().await.unwrap();
    assert_eq!((seen.name.as_deref(), seen.email.as_deref()), (Some("Ada"), None));
    let own = ada.user_view().user("me").send().await.unwrap();
    assert_eq!(own.email.as_deref(), Some("ada@example.org"));
}

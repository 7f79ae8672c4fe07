//! Users: create, view, update. Rules for names, details of updates, lists and deletion have files of their
//! own.

use rollcall_api::access::Permission;
use rollcall_client::{created_via, error_code, etag, types, user_view};
use serde_json::json;
use uuid::Uuid;

use super::{create, object, refusal};
use crate::support::people::new_user;
use crate::support::{PASSWORD, Refused, TestServer};

#[tokio::test]
async fn user_create_creates_a_user_who_can_log_in() {
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
async fn user_update_sets_keeps_and_clears() {
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
async fn user_update_of_others_needs_the_permission() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let update = || types::UserUpdate::builder().name(types::NullableDisplayName(None));
    let grace = server.user("grace").await;
    let refusal = grace.user_update().user(ada.path()).body(update()).send().await.refusal();
    assert_eq!(refusal, (403, error_code::FORBIDDEN.to_owned()));
    let writer = server.holder("writer", &[Permission::UsersWrite]).await;
    writer.user_update().user("@ada").body(update()).send().await.unwrap();
}

#[tokio::test]
async fn user_create_accepts_all_fields_at_once() {
    let server = TestServer::start().await;
    let profile = json!({
        "given_name": "Augusta Ada", "family_name": "King", "middle_name": "Noel", "nickname": "Ada",
        "preferred_username": "countess", "profile": "https://example.org/ada", "website": "http://example.org",
        "gender": "female", "birthdate": "1815-12-10", "zoneinfo": "Europe/London", "locale": "en-GB",
        "address": {
            "formatted": "12 St James's Square\nLondon", "street_address": "12 St James's Square",
            "locality": "London", "region": "Middlesex", "postal_code": "SW1Y 4JH", "country": "England",
        },
    });
    let body = json!({
        "username": "Ada", "email": "Ada@Example.org", "phone": "+442079460123", "name": "Ada, Countess of Lovelace ☕",
        "avatar_url": "https://example.org/ada.png", "password": PASSWORD, "profile": profile,
        "custom_data": { "plan": "pro", "limits": { "seats": 3 } },
    });
    let admin = server.admin().await;
    let made = admin.user_create().body(create(body)).send().await.unwrap();
    assert_eq!(made.status().as_u16(), 201);
    assert_eq!((made.username.as_deref(), made.email.as_deref()), (Some("Ada"), Some("Ada@Example.org")));
    assert_eq!((made.email_verified, made.phone_verified), (Some(false), Some(false)));
    assert_eq!(made.phone.as_deref(), Some("+442079460123"));
    assert_eq!(made.name.as_deref(), Some("Ada, Countess of Lovelace ☕"));
    assert_eq!(made.avatar_url.as_deref(), Some("https://example.org/ada.png"));
    assert_eq!(serde_json::to_value(&made.profile).unwrap(), profile);
    let custom_data = object(json!({ "plan": "pro", "limits": { "seats": 3 } }));
    assert_eq!(made.custom_data.as_ref().map(|data| &data.0), Some(&custom_data.0));
    assert_eq!(made.created_via.as_ref().map(|via| via.0.as_str()), Some(created_via::ADMIN));
    assert_eq!((made.suspended, made.has_password, made.last_sign_in_at), (Some(false), Some(true), None));
    assert_eq!((made.password_expires_at, made.password_changed_at), (None, made.created_at));
    assert_eq!((made.updated_at, made.roles.as_deref()), (made.created_at, Some(&[][..])));
    assert_eq!(made.id.0.get_version_num(), 7);

    let seen = admin.user_view().user(made.id.0.to_string()).send().await.unwrap();
    assert_eq!(serde_json::to_value(&*seen).unwrap(), serde_json::to_value(&*made).unwrap(), "and stays so");
    assert_eq!(etag(&seen), etag(&made));
}

#[tokio::test]
async fn user_create_needs_one_identifier() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for body in
        [json!({ "username": "0" }), json!({ "email": "a@b.example" }), json!({ "phone": "+1234567" })]
    {
        let made = admin.user_create().body(create(body)).send().await.unwrap();
        assert_eq!((made.has_password, made.password_changed_at), (Some(false), None));
    }
    let refused = admin.user_create().body(create(json!({ "name": "Nobody" }))).send().await.refusal();
    assert_eq!(refused, refusal(422, error_code::IDENTIFIER_REQUIRED));
}

#[tokio::test]
async fn user_create_returns_a_card_to_creators_without_read_permission() {
    let server = TestServer::start().await;
    let writer = server.holder("writer", &[Permission::UsersWrite]).await;
    let body = json!({ "username": "ada", "email": "ada@example.org" });
    let made = writer.user_create().body(create(body)).send().await.unwrap();
    assert_eq!((made.view.0.as_str(), made.email.as_deref()), (user_view::CARD, None));
    let eve = server.user("eve").await;
    let refused = eve.user_create().body(create(json!({ "username": "x" }))).send().await.refused();
    assert_eq!(refused.code(), Some(error_code::FORBIDDEN));
    assert!(refused.message().contains("users:write"), "{}", refused.message());
}

/// CVAT's members read each other's full records.
#[tokio::test]
async fn user_view_shows_cards_or_full_records() {
    let server = TestServer::start().await;
    let (ada, eve) = (server.user("ada").await, server.user("eve").await);
    let reader = server.holder("reader", &[Permission::UsersRead]).await;
    let body = json!({ "name": "Ada", "email": "ada@example.org", "phone": "+1234567",
        "avatar_url": "https://example.org/ada.png" });
    ada.user_update().user("me").body(super::update(body)).send().await.unwrap();
    let card = eve.user_view().user("@ada").send().await.unwrap();
    assert_eq!(
        serde_json::to_value(&*card).unwrap(),
        json!({ "id": ada.id, "view": "card", "username": "ada", "name": "Ada", "avatar_url": "https://example.org/ada.png" })
    );
    let own = ada.user_view().user("@ada").send().await.unwrap();
    let full = reader.user_view().user("@ada").send().await.unwrap();
    assert_eq!((own.view.0.as_str(), full.view.0.as_str()), (user_view::OWN, user_view::FULL));
    let but_view = |user: &types::User| {
        let mut value = serde_json::to_value(user).unwrap();
        value["view"].take();
        value
    };
    assert_eq!(but_view(&own), but_view(&full));
    assert_eq!(own.email.as_deref(), Some("ada@example.org"));
    let tags = [etag(&card), etag(&own), etag(&full)];
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "{tags:?}");
}

#[tokio::test]
async fn user_view_accepts_id_username_and_me() {
    let server = TestServer::start().await;
    let ada = server.user("Ada.Straße").await;
    for name in [ada.path(), "me".to_owned(), "@Ada.Straße".to_owned(), "@ADA.STRASSE".to_owned()] {
        assert_eq!(ada.user_view().user(name.as_str()).send().await.unwrap().id.0, ada.id, "{name}");
    }
    for name in [Uuid::now_v7().to_string(), "@nobody".to_owned()] {
        let refused = ada.user_view().user(name.as_str()).send().await.refusal();
        assert_eq!(refused, refusal(404, error_code::NOT_FOUND), "{name}: no 401, as in Dioptra");
    }
}

#[tokio::test]
async fn user_view_of_a_known_tag_is_not_modified() {
    let server = TestServer::start().await;
    let (ada, eve) = (server.user("ada").await, server.user("eve").await);
    let seen = ada.user_view().user("me").send().await.unwrap();
    let tag = etag(&seen).unwrap();
    for known in [tag.to_owned(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let again = ada.user_view().user("me").if_none_match(known.as_str()).send().await.refused();
        assert!(again.is_not_modified(), "{known}");
        assert_eq!(again.etag(), Some(tag));
    }
    eve.user_view().user("@ada").if_none_match(tag).send().await.unwrap();
    let update = super::update(json!({ "name": "Ada" }));
    ada.user_update().user("me").body(update).send().await.unwrap();
    let changed = ada.user_view().user("me").if_none_match(tag).send().await.unwrap();
    assert_eq!(changed.name.as_deref(), Some("Ada"));
}

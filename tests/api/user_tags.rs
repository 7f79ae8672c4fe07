//! A user's entity tag: derived from the caller's view of the user and from nothing else.

use chrono::TimeDelta;
use rollcall_api::access::Permission;
use rollcall_client::{error_code, etag, types};
use serde_json::json;

use super::{NEW_PASSWORD, bodies, object, refusal, update};
use crate::support::{Person, Refused, TestServer};

async fn tag(caller: &Person, user: &str) -> String {
    etag(&caller.user_view().user(user).send().await.unwrap()).unwrap().to_owned()
}

/// An administrator's edit succeeds although the user logs in meanwhile.
#[tokio::test]
async fn user_update_with_if_match_survives_a_sign_in() {
    let server = TestServer::start().await;
    let (admin, _) = (server.admin().await, server.user("ada").await);
    let before = admin.user_view().user("@ada").send().await.unwrap();
    server.advance(TimeDelta::minutes(1));
    let ada = server.sign_in("ada").await;
    let after = admin.user_view().user("@ada").send().await.unwrap();
    assert!(after.last_sign_in_at > before.last_sign_in_at);
    assert_eq!((etag(&after), after.updated_at), (etag(&before), before.updated_at));
    // A response to a known tag omits the newer login time.
    let tag = etag(&before).unwrap();
    assert!(admin.user_view().user("@ada").if_none_match(tag).send().await.refused().is_not_modified());
    let rename = update(json!({ "name": "Ada" }));
    let renamed = admin.user_update().user("@ada").if_match(tag).body(rename).send().await.unwrap();
    assert!(renamed.updated_at > before.updated_at);
    assert_eq!(renamed.last_sign_in_at, after.last_sign_in_at);
    assert_eq!(etag(&renamed), Some(self::tag(&admin, "@ada").await.as_str()));
    // The same for the caller's own record, and for a deletion.
    let own = self::tag(&ada, "me").await;
    server.sign_in("ada").await;
    ada.user_delete().user("me").if_match(own.as_str()).send().await.unwrap();
}

/// A login that upgrades the password hash does not change the record either.
#[tokio::test]
async fn login_changes_no_tag_where_it_upgrades_the_hash() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let before = admin.user_view().user("@ada").send().await.unwrap();
    let hash = format!("SELECT password_hash FROM users WHERE id = '{}'", ada.id);
    let old = super::text(&server, &hash).await;
    let newer = TestServer::builder().beside(&server).config(|config| config.password.iterations = 2);
    newer.start().await.sign_in("ada").await;
    assert_ne!(super::text(&server, &hash).await, old);
    let after = admin.user_view().user("@ada").send().await.unwrap();
    assert_eq!((etag(&after), after.updated_at), (etag(&before), before.updated_at));
    assert_eq!(after.password_changed_at, before.password_changed_at);
}

/// A card's tag reveals nothing about hidden fields.
#[tokio::test]
async fn user_view_of_a_card_has_the_same_tag_after_hidden_changes() {
    let server = TestServer::start().await;
    let (admin, ada, eve) = (server.admin().await, server.user("ada").await, server.user("eve").await);
    admin.role_create().body(bodies::role(json!({ "name": "editor" }))).send().await.unwrap();
    let engine = bodies::group(json!({ "slug": "engine", "name": "Engine", "owner": "@ada" }));
    let before = tag(&eve, "@ada").await;
    let same = async |what: &str| {
        assert_eq!(tag(&eve, "@ada").await, before, "{what}");
        let known = eve.user_view().user("@ada").if_none_match(before.as_str()).send().await;
        assert!(known.refused().is_not_modified(), "{what}");
    };
    server.sign_in("ada").await;
    same("a sign-in").await;
    admin.user_role_add().user("@ada").body(bodies::roles(&["@editor"])).send().await.unwrap();
    same("a role").await;
    admin.group_create().body(engine).send().await.unwrap();
    same("a group").await;
    let hidden = update(json!({ "email": "ada@example.org", "profile": { "nickname": "A" } }));
    ada.user_update().user("me").body(hidden).send().await.unwrap();
    same("an address").await;
    let data = object(json!({ "plan": "pro" }));
    admin.user_custom_data_update().user("@ada").body(data.clone()).send().await.unwrap();
    ada.user_preferences_update().user("me").body(data).send().await.unwrap();
    same("custom data and preferences").await;
    let password = types::UserPasswordSet::builder().password(NEW_PASSWORD).must_change(true);
    admin.user_password_set().user("@ada").body(password).send().await.unwrap();
    same("a password").await;
    let suspension = bodies::suspension(json!({ "reason": "a break" }));
    admin.user_suspend().user("@ada").body(suspension).send().await.unwrap();
    same("a suspension").await;
    admin.user_reactivate().user("@ada").send().await.unwrap();
    admin.user_update().user("@ada").body(update(json!({ "name": "Ada" }))).send().await.unwrap();
    assert_ne!(tag(&eve, "@ada").await, before, "a name is on the card");
}

/// A caller who may change users but not read them sees cards, and conditions apply to the card.
#[tokio::test]
async fn user_update_compares_if_match_with_what_its_caller_sees() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let clerk = server.holder("clerk", &[Permission::UsersWrite]).await;
    let (card, full) = (tag(&clerk, "@ada").await, tag(&admin, "@ada").await);
    let rename = async |person: &Person, tag: &str, name: &str| {
        person.user_update().user("@ada").if_match(tag).body(update(json!({ "name": name }))).send().await
    };
    let foreign = rename(&clerk, &full, "One").await.refused();
    assert_eq!(
        (foreign.code(), foreign.etag()),
        (Some(error_code::PRECONDITION_FAILED), Some(card.as_str()))
    );
    let foreign = rename(&admin, &card, "One").await.refused();
    assert_eq!(
        (foreign.code(), foreign.etag()),
        (Some(error_code::PRECONDITION_FAILED), Some(full.as_str()))
    );
    let hidden = update(json!({ "email": "ada@example.org" }));
    ada.user_update().user("me").body(hidden).send().await.unwrap();
    let stale = rename(&admin, &full, "One").await.refusal();
    assert_eq!(stale, refusal(412, error_code::PRECONDITION_FAILED), "the administrator sees the address");
    let renamed = rename(&clerk, &card, "One").await.unwrap();
    assert_eq!((renamed.name.as_deref(), &renamed.email), (Some("One"), &None));
    let stale = rename(&clerk, &card, "Two").await.refused();
    assert_eq!((stale.code(), stale.etag()), (Some(error_code::PRECONDITION_FAILED), etag(&renamed)));
    let weak = format!("W/{}", etag(&renamed).unwrap());
    assert_eq!(rename(&clerk, &weak, "Two").await.refusal(), refusal(412, error_code::PRECONDITION_FAILED));
}

/// Granting to a user or revoking from them changes their view, and so the tag.
#[tokio::test]
async fn user_role_remove_and_group_member_remove_change_the_users_tag() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    for name in ["editor", "writer"] {
        admin.role_create().body(bodies::role(json!({ "name": name }))).send().await.unwrap();
    }
    let engine = bodies::group(json!({ "slug": "engine", "name": "Engine" }));
    admin.group_create().body(engine).send().await.unwrap();
    let mut tags = vec![(tag(&ada, "me").await, tag(&admin, "@ada").await)];
    let differs = async |tags: &mut Vec<(String, String)>, what: &str| {
        let now = (tag(&ada, "me").await, tag(&admin, "@ada").await);
        let before = tags.last().unwrap();
        assert!(now.0 != before.0 && now.1 != before.1, "{what}");
        let rename = update(json!({ "name": "Ada" }));
        let stale = admin.user_update().user("@ada").if_match(before.1.as_str()).body(rename).send().await;
        assert_eq!(stale.refusal(), refusal(412, error_code::PRECONDITION_FAILED), "{what}");
        tags.push(now);
    };
    let roles = bodies::roles(&["@editor", "@writer"]);
    admin.user_role_add().user("@ada").body(roles).send().await.unwrap();
    differs(&mut tags, "roles given").await;
    admin.user_role_remove().user("@ada").role("@editor").send().await.unwrap();
    differs(&mut tags, "a role taken").await;
    admin.user_role_replace().user("@ada").body(bodies::roles(&[])).send().await.unwrap();
    differs(&mut tags, "all roles taken").await;
    assert_eq!(tags.last(), tags.first(), "as it was, so is the tag");
    admin.group_member_add().group("@engine").body(bodies::member("@ada", &[])).send().await.unwrap();
    differs(&mut tags, "a membership").await;
    admin.group_member_remove().group("@engine").user("@ada").send().await.unwrap();
    differs(&mut tags, "none").await;
    assert_eq!(tags.last(), tags.first());
}

/// A change to a role or group changes the tags of all holders and members.
#[tokio::test]
async fn role_update_and_group_update_change_the_tags_of_holders_and_members() {
    let server = TestServer::start().await;
    let (admin, _, eve) = (server.admin().await, server.user("ada").await, server.user("eve").await);
    admin.role_create().body(bodies::role(json!({ "name": "editor" }))).send().await.unwrap();
    admin.user_role_add().user("@ada").body(bodies::roles(&["@editor"])).send().await.unwrap();
    let engine = bodies::group(json!({ "slug": "engine", "name": "Engine", "owner": "@ada" }));
    admin.group_create().body(engine).send().await.unwrap();
    let mut last = tag(&admin, "@ada").await;
    let (card, other) = (tag(&eve, "@ada").await, tag(&admin, "@eve").await);
    let mut differs = async |what: &str| {
        let now = tag(&admin, "@ada").await;
        assert_ne!(now, last, "{what}");
        assert_eq!(tag(&eve, "@ada").await, card, "{what}");
        assert_eq!(tag(&admin, "@eve").await, other, "{what}");
        last = now;
    };
    let renamed = bodies::role_changes(json!({ "name": "writer" }));
    admin.role_update().role("@editor").body(renamed).send().await.unwrap();
    differs("a role's name").await;
    let staff = bodies::role_changes(json!({ "permissions": ["users:read"] }));
    admin.role_update().role("@writer").body(staff).send().await.unwrap();
    differs("who is staff").await;
    let renamed = bodies::group_changes(json!({ "slug": "loom" }));
    admin.group_update().group("@engine").body(renamed).send().await.unwrap();
    differs("a group's slug").await;
    admin.role_delete().role("@writer").force(true).send().await.unwrap();
    differs("a role's end").await;
    admin.group_delete().group("@loom").send().await.unwrap();
    differs("a group's end").await;
    assert_eq!(tag(&eve, "@ada").await, card);
}

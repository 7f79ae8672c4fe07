//! Lost updates of roles and groups: `If-Match` with the current tag, with an old one, and without.

use rollcall_client::{error_code, etag, types};
use serde_json::json;

use super::{bodies, refusal};
use crate::support::{Refused, TestServer};

#[tokio::test]
async fn role_update_and_role_delete_honour_if_match() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let made = admin.role_create().body(bodies::role(json!({ "name": "editor" }))).send().await.unwrap();
    let first = etag(&made).unwrap().to_owned();
    let change = |name: &str, tag: &str| {
        let body = bodies::role_changes(json!({ "description": name }));
        admin.role_update().role("@editor").if_match(tag).body(body)
    };
    let second = change("One", &first).send().await.unwrap();
    assert_eq!(second.description.as_deref(), Some("One"));
    let tag = etag(&second).unwrap().to_owned();
    assert_ne!(tag, first);
    let before = server.dump().await;
    let stale = change("Two", &first).send().await.refused();
    assert_eq!((stale.code(), stale.etag()), (Some(error_code::PRECONDITION_FAILED), Some(tag.as_str())));
    let gone = admin.role_delete().role("@editor").if_match(first.as_str()).send().await.refusal();
    assert_eq!(gone, refusal(412, error_code::PRECONDITION_FAILED));
    assert_eq!(before, server.dump().await);
    let seen = admin.role_view().role("@editor").send().await.unwrap();
    assert_eq!((seen.description.as_deref(), etag(&seen)), (Some("One"), Some(tag.as_str())));
    change("Two", &format!("{first}, {tag}")).send().await.unwrap();
    change("Three", "*").send().await.unwrap();
    let cleared = types::RoleUpdate {
        description: Some(types::NullableDescription(None)),
        ..types::RoleUpdate::default()
    };
    let last = admin.role_update().role("@editor").body(cleared).send().await.unwrap();
    assert_eq!(last.description, None, "and without a tag whatever it is");
    admin.role_delete().role("@editor").if_match(etag(&last).unwrap()).send().await.unwrap();
}

#[tokio::test]
async fn group_update_and_group_delete_honour_if_match() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body = bodies::group(json!({ "slug": "engine", "name": "Engine", "description": "Brass" }));
    let made = admin.group_create().body(body).send().await.unwrap();
    let first = etag(&made).unwrap().to_owned();
    let change = |name: &str, tag: &str| {
        let body = bodies::group_changes(json!({ "name": name }));
        admin.group_update().group("@engine").if_match(tag).body(body)
    };
    let second = change("One", &first).send().await.unwrap();
    let tag = etag(&second).unwrap().to_owned();
    assert!(second.name == "One" && tag != first);
    let before = server.dump().await;
    let stale = change("Two", &first).send().await.refused();
    assert_eq!((stale.code(), stale.etag()), (Some(error_code::PRECONDITION_FAILED), Some(tag.as_str())));
    let gone = admin.group_delete().group("@engine").if_match(first.as_str()).send().await.refusal();
    assert_eq!(gone, refusal(412, error_code::PRECONDITION_FAILED));
    assert_eq!(before, server.dump().await);
    let seen = admin.group_view().group("@engine").send().await.unwrap();
    assert_eq!((seen.name.as_str(), etag(&seen)), ("One", Some(tag.as_str())));
    change("Two", "*").send().await.unwrap();
    let cleared = types::GroupUpdate {
        description: Some(types::NullableDescription(None)),
        ..types::GroupUpdate::default()
    };
    let last = admin.group_update().group("@engine").body(cleared).send().await.unwrap();
    assert_eq!((last.description.as_deref(), last.name.as_str()), (None, "Two"));
    admin.group_delete().group("@engine").if_match(etag(&last).unwrap()).send().await.unwrap();
}

/// A user's tag depends on the displayed roles and group names.
#[tokio::test]
async fn user_view_tags_depend_on_roles_and_groups() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let tag = async || etag(&ada.user_view().user("me").send().await.unwrap()).unwrap().to_owned();
    let mut tags = vec![tag().await];
    admin.role_create().body(bodies::role(json!({ "name": "editor" }))).send().await.unwrap();
    admin.user_role_add().user("@ada").body(bodies::roles(&["@editor"])).send().await.unwrap();
    tags.push(tag().await);
    admin.user_role_add().user("@ada").body(bodies::roles(&["@editor"])).send().await.unwrap();
    assert_eq!(tags.last(), Some(&tag().await), "nothing was added, nothing has changed");
    let renamed = bodies::role_changes(json!({ "name": "writer" }));
    admin.role_update().role("@editor").body(renamed).send().await.unwrap();
    tags.push(tag().await);
    admin.role_delete().role("@writer").force(true).send().await.unwrap();
    tags.push(tag().await);
    let engine = bodies::group(json!({ "slug": "engine", "name": "Engine", "owner": "@ada" }));
    admin.group_create().body(engine).send().await.unwrap();
    tags.push(tag().await);
    let renamed = bodies::group_changes(json!({ "slug": "loom" }));
    admin.group_update().group("@engine").body(renamed).send().await.unwrap();
    tags.push(tag().await);
    admin.group_delete().group("@loom").send().await.unwrap();
    tags.push(tag().await);
    let all = tags.len();
    tags.dedup();
    assert_eq!(tags.len(), all, "{tags:?}");
}

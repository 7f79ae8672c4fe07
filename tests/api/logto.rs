//! The user management of Logto, an identity provider: roles, organizations, suspension and partial update,
//! with the operations that replace it here. Each test is named after the operation that it replaces.

use rollcall_client::{Paged, error_code, types};
use serde_json::{Value, json};

use super::{bodies, create, is_live, object, refusal, update};
use crate::support::{Person, Refused, TestServer};

/// An administrator, Ada, and the ids of some roles.
async fn roles(server: &TestServer) -> (Person, Person, Vec<String>) {
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let mut ids = Vec::new();
    for (name, kind) in [("editor", "user"), ("sure_100", "user"), ("reader", "user"), ("robot", "machine")] {
        let body = json!({ "name": name, "type": kind, "description": format!("The 50%_{name}") });
        let made = admin.role_create().body(bodies::role(body)).send().await.unwrap();
        ids.push(made.id.to_string());
    }
    (admin, ada, ids)
}

async fn held(who: &Person, user: &str) -> Vec<String> {
    let list: Vec<types::Role> =
        who.user_role_list().user(user).limit(1u32).stream().collect().await.unwrap();
    list.into_iter().map(|role| role.name).collect()
}

/// Paged in a stable order and searched in names and descriptions; characters that are wildcards elsewhere
/// are literal here.
#[tokio::test]
async fn logto_list_user_roles() {
    let server = TestServer::start().await;
    let (admin, ada, _) = roles(&server).await;
    let give = bodies::roles(&["@reader", "@sure_100", "@editor", "@auditor"]);
    admin.user_role_add().user("@ada").body(give).send().await.unwrap();
    for who in [&admin, &ada] {
        assert_eq!(
            held(who, "@ada").await,
            ["auditor", "editor", "sure_100", "reader"],
            "in the order of their making"
        );
    }
    let found = async |q: &str| {
        let page = ada.user_role_list().user("me").q(q).send().await.unwrap().into_inner();
        page.items.into_iter().map(|role| role.name).collect::<Vec<_>>()
    };
    assert_eq!(found("EDIT").await, ["editor"]);
    assert_eq!(found("50%_r").await, ["reader"]);
    assert_eq!(found("everything").await, ["auditor"], "a description counts too");
    assert_eq!((found("e%r").await.len(), found("r_ader").await.len(), found("\\\\").await.len()), (0, 0, 0));
    assert_eq!(found("robot").await.len(), 0, "only those that the user holds");
    let eve = server.user("eve").await;
    let refused = eve.user_role_list().user("@ada").send().await.refusal();
    assert_eq!(refused, refusal(403, error_code::FORBIDDEN));
}

/// By id or name; roles already held and duplicates are ignored; the response lists the added roles.
#[tokio::test]
async fn logto_assign_user_roles() {
    let server = TestServer::start().await;
    let (admin, ada, ids) = roles(&server).await;
    let give =
        async |names: &[&str]| admin.user_role_add().user("@ada").body(bodies::roles(names)).send().await;
    let given = give(&["@editor", &ids[0], "@editor", &ids[2]]).await.unwrap();
    assert_eq!((&given.added[..], given.removed.len()), (&["editor".to_owned(), "reader".into()][..], 0));
    let again = give(&["@reader", "@auditor"]).await.unwrap();
    assert_eq!((again.added.clone(), again.roles.len()), (vec!["auditor".to_owned()], 3));
    assert!(give(&[]).await.unwrap().added.is_empty());
    assert_eq!(give(&["@sure_100", &ids[3]]).await.refusal(), refusal(422, error_code::WRONG_ROLE_TYPE));
    let unknown = give(&["@sure_100", &ada.path()]).await.refused();
    assert_eq!(unknown.code(), Some(error_code::NOT_FOUND));
    assert!(unknown.message().contains(&ada.path()), "{}", unknown.message());
    assert_eq!(held(&ada, "me").await, ["auditor", "editor", "reader"], "all or nothing");
}

#[tokio::test]
async fn logto_replace_user_roles() {
    let server = TestServer::start().await;
    let (admin, ada, ids) = roles(&server).await;
    let put = async |names: &[&str]| {
        let changed = admin.user_role_replace().user("@ada").body(bodies::roles(names)).send().await.unwrap();
        let changed = changed.into_inner();
        (changed.roles.join(" "), changed.added.join(" "), changed.removed.join(" "))
    };
    let said =
        |roles: &str, added: &str, removed: &str| (roles.to_owned(), added.to_owned(), removed.to_owned());
    assert_eq!(put(&["@editor", "@reader", "@editor"]).await, said("editor reader", "editor reader", ""));
    assert_eq!(put(&[&ids[0], "@auditor"]).await, said("auditor editor", "auditor", "reader"));
    assert_eq!(put(&[]).await, said("", "", "auditor editor"));
    assert_eq!(put(&[]).await, said("", "", ""));
    assert_eq!(held(&ada, "me").await.len(), 0);
}

#[tokio::test]
async fn logto_delete_user_role() {
    let server = TestServer::start().await;
    let (admin, ada, ids) = roles(&server).await;
    admin.user_role_add().user("@ada").body(bodies::roles(&["@editor", "@reader"])).send().await.unwrap();
    let taken = admin.user_role_remove().user("@ada").role(ids[0].as_str()).send().await.unwrap();
    assert_eq!(taken.status().as_u16(), 204);
    let again = admin.user_role_remove().user("@ada").role("@editor").send().await.refusal();
    assert_eq!(again, refusal(404, error_code::NOT_FOUND));
    assert_eq!(held(&ada, "me").await, ["reader"]);
}

/// With the user's roles in each group, and the group's custom data.
#[tokio::test]
async fn logto_list_user_organizations() {
    let server = TestServer::start().await;
    let (admin, ada, _) = roles(&server).await;
    for slug in ["engine", "loom"] {
        let body = json!({ "slug": slug, "name": "A group", "owner": "@ada", "mfa_required": slug == "loom", "custom_data": { "n": slug } });
        admin.group_create().body(bodies::group(body)).send().await.unwrap();
    }
    let list: Vec<types::UserGroup> =
        admin.user_group_list().user("@ada").limit(1u32).stream().collect().await.unwrap();
    let seen: Vec<(&str, bool, &str)> = list
        .iter()
        .map(|place| (place.group.slug.as_str(), place.group.mfa_required, place.roles[0].as_str()))
        .collect();
    assert_eq!(seen, [("public", false, "member"), ("engine", false, "owner"), ("loom", true, "owner")]);
    assert_eq!(list[2].group.custom_data.0["n"], "loom");
    let refused = server.user("eve").await.user_group_list().user("@ada").send().await.refusal();
    assert_eq!(
        (refused, ada.user_group_list().user("me").send().await.unwrap().items.len()),
        (refusal(403, error_code::FORBIDDEN), 3)
    );
}

/// Idempotent in both directions; the flag and the tokens change together.
#[tokio::test]
async fn logto_update_user_is_suspended() {
    let server = TestServer::start().await;
    let (admin, ada, _) = roles(&server).await;
    for _ in 0..2 {
        let body = bodies::suspension(json!({ "reason": "asked for it" }));
        let response = admin.user_suspend().user("@ada").body(body).send().await.unwrap();
        assert_eq!(
            (response.suspended, response.suspended_reason.as_deref()),
            (Some(true), Some("asked for it"))
        );
        assert!(!is_live(&ada).await);
    }
    for _ in 0..2 {
        let response = admin.user_reactivate().user("@ada").send().await.unwrap();
        assert_eq!((response.suspended, response.suspended_reason.as_deref()), (Some(false), None));
    }
    assert!(!is_live(&ada).await, "what ended stays ended");
    let back = server.sign_in("ada").await;
    assert!(is_live(&back).await);
}

/// Default roles are granted on creation.
#[tokio::test]
async fn logto_create_user() {
    let server = TestServer::start().await;
    let (admin, ..) = roles(&server).await;
    let flag = async |role: &str, on: bool| {
        let body = bodies::role_changes(json!({ "is_default": on }));
        admin.role_update().role(role).body(body).send().await.unwrap()
    };
    flag("@reader", true).await;
    flag("@editor", true).await;
    let made = admin.user_create().body(create(json!({ "username": "grace" }))).send().await.unwrap();
    assert_eq!(made.roles.as_deref(), Some(&["editor".to_owned(), "reader".into()][..]));
    flag("@editor", false).await;
    let made = admin.user_create().body(create(json!({ "username": "alan" }))).send().await.unwrap();
    assert_eq!(made.roles.as_deref(), Some(&["reader".to_owned()][..]));
}

/// Omitted fields stay, `null` clears; custom data is kept and merged at every depth.
#[tokio::test]
async fn logto_update_user_and_its_custom_data_and_profile() {
    let server = TestServer::start().await;
    let (admin, ..) = roles(&server).await;
    let change =
        async |body: Value| admin.user_update().user("@ada").body(update(body)).send().await.unwrap();
    let data = json!({ "plan": { "name": "pro", "seats": 3 }, "beta": true });
    admin.user_custom_data_replace().user("@ada").body(object(data)).send().await.unwrap();
    change(json!({ "name": "Ada", "profile": { "family_name": "Byron", "locale": "en" } })).await;
    let cleared = types::UserUpdate::builder().name(types::NullableDisplayName(None));
    let cleared = admin.user_update().user("@ada").body(cleared).send().await.unwrap();
    assert_eq!((cleared.name.as_deref(), cleared.username.as_deref()), (None, Some("ada")));
    let profile = change(json!({ "profile": { "family_name": "Lovelace" } })).await.profile.clone().unwrap();
    assert_eq!((profile.family_name.as_deref(), profile.locale.as_deref()), (Some("Lovelace"), Some("en")));
    let patch = object(json!({ "plan": { "seats": null, "name": "max" }, "beta": null }));
    let merged = admin.user_custom_data_update().user("@ada").body(patch).send().await.unwrap();
    assert_eq!(Value::Object(merged.0.clone()), json!({ "plan": { "name": "max" } }));
}

//! Roles and their permissions, and the immediate effect of changes to them.

use http::Method;
use rollcall_api::access::Permission;
use rollcall_client::{Paged, error_code, role_scope, role_type, types, user_view};
use rollcall_server::config::RegistrationMode;
use serde_json::json;

use super::{bodies, create, refusal};
use crate::support::contract::OPERATIONS;
use crate::support::{Answer, PASSWORD, Person, Refused, TestServer};

async fn all(who: &Person) -> Vec<types::Role> {
    who.role_list().limit(2u32).stream().collect().await.unwrap()
}

#[tokio::test]
async fn role_create_view_update_and_delete_work() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let body =
        json!({ "name": "editor", "permissions": ["articles:write", "articles:publish", "articles:write"] });
    let made = admin.role_create().body(bodies::role(body)).send().await.unwrap();
    assert_eq!(made.status().as_u16(), 201);
    assert_eq!(made.headers()["location"].to_str().unwrap(), format!("/v1/roles/{}", made.id.0));
    assert_eq!(made.permissions, ["articles:publish", "articles:write"], "each once, in order");
    assert_eq!((made.scope.0.as_str(), made.type_.0.as_str()), (role_scope::GLOBAL, role_type::USER));
    assert_eq!((made.is_default, made.built_in, made.description.as_deref()), (false, false, None));
    for name in ["@editor".to_owned(), made.id.to_string()] {
        let seen = ada.role_view().role(name).send().await.unwrap();
        assert_eq!((seen.id.0, seen.name.as_str()), (made.id.0, "editor"));
    }
    let body = json!({ "name": "writer", "description": "Writes", "permissions": ["articles:write"] });
    let changed = admin.role_update().role("@editor").body(bodies::role_changes(body)).send().await.unwrap();
    assert_eq!((changed.id.0, &changed.permissions[..]), (made.id.0, &["articles:write".to_owned()][..]));
    let gone = admin.role_view().role("@editor").send().await.refusal();
    assert_eq!(gone, refusal(404, error_code::NOT_FOUND));
    admin.role_delete().role("@writer").send().await.unwrap();
    let gone = admin.role_view().role(made.id.to_string()).send().await.refusal();
    assert_eq!(gone, refusal(404, error_code::NOT_FOUND));
}

/// The built-in roles, and presets for CVAT's and Dioptra's groups.
#[tokio::test]
async fn role_list_of_a_new_directory_has_the_built_in_roles_and_presets() {
    let server = TestServer::start().await;
    let roles = all(&server.user("ada").await).await;
    let names = |scope: &str, built_in: bool| {
        let fits = |role: &&types::Role| role.scope.0 == scope && role.built_in == built_in;
        roles.iter().filter(fits).map(|role| role.name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(names(role_scope::GLOBAL, true), ["administrator", "auditor"]);
    assert_eq!(names(role_scope::GROUP, true), ["owner", "admin", "member"]);
    let presets = ["maintainer", "supervisor", "worker", "read", "write", "share_read", "share_write"];
    assert_eq!(names(role_scope::GROUP, false), presets);
    let everything: Vec<String> =
        Permission::ALL.iter().filter(|held| !held.in_group()).map(ToString::to_string).collect();
    assert_eq!(roles[0].permissions, everything);
    // An auditor holds no permission that allows an operation with effects.
    for operation in OPERATIONS.iter().filter(|operation| operation.writes()) {
        let permit = operation.object["x-permission"].as_str().unwrap();
        let opens = roles[1].permissions.iter().any(|held| permit.ends_with(held.as_str()));
        assert!(!opens, "an auditor may call {}", operation.id);
    }
    assert_eq!(roles[1].permissions, ["audit:read", "groups:read", "users:read"]);
}

/// The typed client cannot send those that violate the grammar.
#[tokio::test]
async fn role_create_validates_permissions() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (permission, status) in [
        ("Bad", 400),
        ("one", 400),
        ("a:", 400),
        (":a", 400),
        ("a::b", 400),
        ("a:b c", 400),
        ("ä:b", 400),
        ("", 400),
        ("users:fly", 422),
        ("group:admin", 422),
        ("a:b:c:d", 201),
    ] {
        let before = server.dump().await;
        let request = server.request(Method::POST, "/v1/roles").bearer_auth(admin.token());
        let body = json!({ "name": "probe", "permissions": ["fine:too", permission] });
        let response = Answer::of(request.json(&body)).await;
        assert_eq!(response.code(), status, "{permission}: {}", response.message());
        assert!(status == 201 || response.message().contains("permissions"), "{}", response.message());
        assert!(status == 201 || before == server.dump().await);
    }
}

#[tokio::test]
async fn role_delete_of_a_role_in_use_needs_force() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    admin.role_create().body(bodies::role(json!({ "name": "editor" }))).send().await.unwrap();
    admin.user_role_add().user("@ada").body(bodies::roles(&["@editor"])).send().await.unwrap();
    let engine = bodies::group(json!({ "slug": "engine", "name": "Engine" }));
    admin.group_create().body(engine).send().await.unwrap();
    let join = bodies::member("@ada", &["@worker"]);
    admin.group_member_add().group("@engine").body(join).send().await.unwrap();
    for role in ["@editor", "@worker"] {
        let in_use = admin.role_delete().role(role).send().await.refusal();
        assert_eq!(in_use, refusal(409, error_code::ROLE_IN_USE), "{role}");
        admin.role_delete().role(role).force(true).send().await.unwrap();
    }
    assert_eq!(ada.user_view().user("me").send().await.unwrap().roles.as_deref(), Some(&[][..]));
    let members = ada.group_member_list().group("@engine").send().await.unwrap();
    assert_eq!(members.items[1].roles.len(), 0, "a member still, without that role");
}

/// New users are created by another user or by registration.
#[tokio::test]
async fn user_create_and_register_grant_default_roles() {
    let server = TestServer::builder()
        .config(|config| config.registration.mode = RegistrationMode::Open)
        .start()
        .await;
    let admin = server.admin().await;
    let body = json!({ "name": "reader", "permissions": ["articles:read"], "is_default": true });
    admin.role_create().body(bodies::role(body)).send().await.unwrap();
    let made = admin.user_create().body(create(json!({ "username": "grace" }))).send().await.unwrap();
    assert_eq!(made.roles.as_deref(), Some(&["reader".to_owned()][..]));
    let body = serde_json::from_value::<types::Register>(json!({ "username": "ada", "password": PASSWORD }));
    let made = server.client().register().body(body.unwrap()).send().await.unwrap();
    assert_eq!(made.roles.as_deref(), Some(&["reader".to_owned()][..]));
}

#[tokio::test]
async fn role_update_takes_effect_on_the_next_request() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let body = json!({ "name": "helper", "permissions": ["users:read"] });
    admin.role_create().body(bodies::role(body)).send().await.unwrap();
    let view = async || ada.user_view().user("@administrator").send().await.unwrap().view.0.clone();
    assert_eq!(view().await, user_view::CARD);
    admin.user_role_add().user("@ada").body(bodies::roles(&["@helper"])).send().await.unwrap();
    assert_eq!(view().await, user_view::FULL);
    let nothing = bodies::role_changes(json!({ "permissions": [] }));
    admin.role_update().role("@helper").body(nothing).send().await.unwrap();
    assert_eq!(view().await, user_view::CARD);
}

/// Both fields are derived: a user with any of Rollcall's permissions is staff, a user with all of them is a
/// superuser. Permissions of applications and groups do not count.
#[tokio::test]
async fn user_view_derives_staff_and_superuser_from_roles() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    for (name, permission) in [("editor", "articles:write"), ("helper", "users:read")] {
        let body = json!({ "name": name, "permissions": [permission] });
        admin.role_create().body(bodies::role(body)).send().await.unwrap();
    }
    let engine = bodies::group(json!({ "slug": "engine", "name": "Engine", "owner": "@ada" }));
    admin.group_create().body(engine).send().await.unwrap();
    for (roles, staff, superuser) in [
        (&[][..], false, false),
        (&["@editor"], false, false),
        (&["@editor", "@helper"], true, false),
        (&["@auditor"], true, false),
        (&["@administrator"], true, true),
    ] {
        admin.user_role_replace().user("@ada").body(bodies::roles(roles)).send().await.unwrap();
        let me = ada.user_view().user("me").send().await.unwrap();
        assert_eq!((me.is_staff, me.is_superuser), (Some(staff), Some(superuser)), "{roles:?}");
    }
}

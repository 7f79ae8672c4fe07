//! Rules for granting roles: a caller grants only permissions that they hold, except for holders of
//! `roles:write`, who define roles anyway.

use rollcall_api::access::Permission;
use rollcall_client::{error_code, types};
use serde_json::json;

use super::{bodies, refusal, update};
use crate::support::{Person, Refused, TestServer};

async fn give(who: &Person, role: &str) -> Result<Vec<String>, (u16, String)> {
    match who.user_role_add().user("@ada").body(bodies::roles(&[role])).send().await {
        Ok(changed) => Ok(changed.into_inner().added),
        refused => Err(refused.refusal()),
    }
}

async fn editor(server: &TestServer) -> Person {
    let admin = server.admin().await;
    server.user("ada").await;
    let body = json!({ "name": "editor", "permissions": ["articles:write"] });
    admin.role_create().body(bodies::role(body)).send().await.unwrap();
    admin
}

#[tokio::test]
async fn user_role_add_and_remove_need_the_roles_permissions() {
    let server = TestServer::start().await;
    let admin = editor(&server).await;
    let clerk = server.holder("clerk", &[Permission::RolesAssign]).await;
    let forbidden = Err(refusal(403, error_code::FORBIDDEN));
    assert_eq!(give(&clerk, "@editor").await, forbidden);
    server.grant(clerk.id, ["articles:write"]).await;
    assert_eq!(give(&clerk, "@editor").await, Ok(vec!["editor".to_owned()]));
    clerk.user_role_remove().user("@ada").role("@editor").send().await.unwrap();
    assert_eq!(give(&clerk, "@auditor").await, forbidden);
    let all: Vec<&str> =
        Permission::ALL.iter().map(|held| held.as_str()).filter(|held| *held != "audit:read").collect();
    server.grant(clerk.id, all).await;
    assert_eq!(give(&clerk, "@auditor").await, forbidden, "all but one of them is not enough");
    assert_eq!(give(&admin, "@auditor").await, Ok(vec!["auditor".to_owned()]));
}

/// Holders of `roles:write` may grant applications' permissions, but not Rollcall's.
#[tokio::test]
async fn user_role_add_by_role_writers_grants_application_permissions() {
    let server = TestServer::start().await;
    editor(&server).await;
    let writer = server.holder("writer", &[Permission::RolesAssign, Permission::RolesWrite]).await;
    assert_eq!(give(&writer, "@editor").await, Ok(vec!["editor".to_owned()]));
    writer.user_role_replace().user("@ada").body(bodies::roles(&[])).send().await.unwrap();
    assert_eq!(give(&writer, "@auditor").await, Err(refusal(403, error_code::FORBIDDEN)));
    let body =
        json!({ "name": "crew", "scope": "group", "permissions": ["group:admin", "group:own", "data:all"] });
    let made = writer.role_create().body(bodies::role(body.clone())).send().await.refused();
    assert_eq!(made.code(), Some(error_code::FORBIDDEN));
    assert!(made.message().contains("groups:write"), "{}", made.message());
    server.admin().await.role_create().body(bodies::role(body)).send().await.unwrap();
    let join = bodies::member("@ada", &["@crew"]);
    let refused = writer.group_member_add().group("@public").body(join).send().await.refusal();
    assert_eq!(refused, refusal(403, error_code::FORBIDDEN), "to make a role is not to give it");
}

/// The caller must hold the role's permissions, before and after the change.
#[tokio::test]
async fn role_update_needs_the_roles_permissions_before_and_after() {
    let server = TestServer::start().await;
    let admin = editor(&server).await;
    let body = json!({ "name": "remover", "permissions": ["users:delete"] });
    admin.role_create().body(bodies::role(body)).send().await.unwrap();
    let writer = server.holder("writer", &[Permission::RolesWrite]).await;
    let change = async |permissions: &[&str]| {
        let body = bodies::role_changes(json!({ "permissions": permissions }));
        writer.role_update().role("@remover").body(body).send().await
    };
    let forbidden = refusal(403, error_code::FORBIDDEN);
    for permissions in [&["users:delete", "articles:write"][..], &[], &["roles:write"]] {
        assert_eq!(change(permissions).await.refusal(), forbidden, "{permissions:?}");
    }
    let describe = bodies::role_changes(json!({ "description": "Removes" }));
    assert_eq!(writer.role_update().role("@remover").body(describe).send().await.refusal(), forbidden);
    assert_eq!(writer.role_delete().role("@remover").send().await.refusal(), forbidden);
    server.grant(writer.id, ["users:delete"]).await;
    let kept = change(&["users:delete", "articles:write", "roles:write"]).await.unwrap();
    assert_eq!(kept.permissions, ["articles:write", "roles:write", "users:delete"]);
    assert_eq!(change(&["users:delete", "users:read"]).await.refusal(), forbidden);
    change(&[]).await.unwrap();
    change(&["users:delete"]).await.unwrap();
    writer.role_delete().role("@remover").send().await.unwrap();
}

/// Users who hold more of Rollcall's own permissions than the caller cannot be changed; applications'
/// permissions do not count.
#[tokio::test]
async fn user_update_rank_depends_on_rollcalls_own_permissions_only() {
    let server = TestServer::start().await;
    let admin = editor(&server).await;
    give(&admin, "@editor").await.unwrap();
    let engine = bodies::group(json!({ "slug": "engine", "name": "Engine", "owner": "@ada" }));
    admin.group_create().body(engine).send().await.unwrap();
    let keeper = server.holder("keeper", &[Permission::UsersWrite, Permission::UsersSuspend]).await;
    let rename = async |user: &str| {
        keeper.user_update().user(user).body(update(json!({ "name": "Somebody" }))).send().await
    };
    assert_eq!(rename("@ada").await.unwrap().name.as_deref(), Some("Somebody"));
    assert_eq!(rename("@administrator").await.refusal(), refusal(403, error_code::FORBIDDEN));
    let suspend = keeper.user_suspend().user("@administrator").body(types::UserSuspend::default());
    assert_eq!(suspend.send().await.refusal(), refusal(403, error_code::FORBIDDEN));
    give(&admin, "@auditor").await.unwrap();
    assert_eq!(rename("@ada").await.refusal(), refusal(403, error_code::FORBIDDEN));
    server.grant(keeper.id, ["audit:read", "groups:read", "users:read"]).await;
    rename("@ada").await.unwrap();
}

//! Rejected changes of members and their roles.

use rollcall_api::access::Permission;
use rollcall_client::error_code as code;

use super::{FORBIDDEN, UNKNOWN, Unchanged, WRONG_TYPE, scene};
use crate::api::bodies;
use crate::support::{Person, TestServer};

const LAST: (u16, &str) = (409, code::LAST_OWNER);
const DEFAULT: (u16, &str) = (409, code::DEFAULT_GROUP);

/// A caller who may add and change members of all groups, with invalid requests.
#[tokio::test]
async fn group_member_add_update_and_remove_rejections_change_nothing() {
    let server = TestServer::start().await;
    let (admin, ada, grace) = scene(&server).await;
    server.user("alan").await;
    server.user("lily").await;
    ada.group_member_add().group("@engine").body(bodies::member("@lily", &[])).send().await.unwrap();
    let unchanged = Unchanged::new(&server).await;
    let add = async |who: &Person, group: &str, user: &str, roles: &[&str]| {
        who.group_member_add().group(group).body(bodies::member(user, roles)).send().await
    };
    for (group, user, roles, refusal, named) in [
        ("@nowhere", "@alan", "@member", UNKNOWN, ""),
        ("@engine", "@nobody", "@member", UNKNOWN, "user"),
        ("@engine", "@grace", "@worker", (409, code::ALREADY_MEMBER), "user"),
        ("@public", "@alan", "@worker", (409, code::ALREADY_MEMBER), "user"),
        ("@engine", "@alan", "@nope", UNKNOWN, "@nope"),
        ("@engine", "@alan", "@administrator", WRONG_TYPE, "@administrator"),
        ("@engine", "@alan", "@wheel", WRONG_TYPE, "@wheel"),
    ] {
        unchanged.rejected(add(&admin, group, user, &["@member", roles]).await, refusal, named).await;
    }
    let update = async |who: &Person, group: &str, user: &str, roles: &[&str]| {
        who.group_member_update().group(group).user(user).body(bodies::member_roles(roles)).send().await
    };
    for (who, group, user, role, refusal, named) in [
        (&admin, "@nowhere", "@ada", "@member", UNKNOWN, ""),
        (&admin, "@engine", "@nobody", "@member", UNKNOWN, ""),
        (&admin, "@engine", "@alan", "@member", UNKNOWN, ""),
        (&admin, "@engine", "@grace", "@nope", UNKNOWN, "@nope"),
        (&admin, "@engine", "@grace", "@editor", WRONG_TYPE, "@editor"),
        (&admin, "@engine", "@ada", "@admin", LAST, "owner"),
        (&ada, "@engine", "me", "@admin", LAST, "owner"),
        (&grace, "@engine", "@lily", "@member", FORBIDDEN, "groups:write"),
        (&grace, "@engine", "me", "@member", FORBIDDEN, "groups:write"),
    ] {
        unchanged.rejected(update(who, group, user, &[role]).await, refusal, named).await;
    }
    let remove = async |who: &Person, group: &str, user: &str| {
        who.group_member_remove().group(group).user(user).send().await
    };
    for (who, group, user, refusal) in [
        (&admin, "@nowhere", "@ada", UNKNOWN),
        (&admin, "@engine", "@nobody", UNKNOWN),
        (&admin, "@engine", "@alan", UNKNOWN),
        (&admin, "@engine", "@ada", LAST),
        (&ada, "@engine", "me", LAST),
        (&grace, "@engine", "@lily", FORBIDDEN),
        (&ada, "@public", "me", DEFAULT),
        (&admin, "@public", "@ada", DEFAULT),
    ] {
        unchanged.rejected(remove(who, group, user).await, refusal, "").await;
    }
}

/// A group's administrator without other roles can neither grant nor revoke them, nor invite with them.
#[tokio::test]
async fn group_member_update_by_group_admins_grants_only_what_they_hold() {
    let server = TestServer::start().await;
    let (admin, ada, grace) = scene(&server).await;
    server.user("alan").await;
    let change = bodies::member_roles(&["@admin"]);
    ada.group_member_update().group("@engine").user("@grace").body(change).send().await.unwrap();
    server.user("worker").await;
    let join = bodies::member("@worker", &["@worker"]);
    ada.group_member_add().group("@engine").body(join).send().await.unwrap();
    // Global roles count in a group too, except for permissions on the directory.
    let clerk = server.holder("clerk", &[Permission::RolesWrite, Permission::RolesAssign]).await;
    ada.group_member_add().group("@engine").body(bodies::member("@clerk", &["@admin"])).send().await.unwrap();
    let unchanged = Unchanged::new(&server).await;
    for who in [&grace, &clerk] {
        for (role, missing) in [("@owner", "group:own"), ("@maintainer", "work:do"), ("@write", "data:write")]
        {
            let body = bodies::member("@alan", &["@member", role]);
            let added = who.group_member_add().group("@engine").body(body).send().await;
            unchanged.rejected(added, FORBIDDEN, missing).await;
            for user in ["me", "@worker"] {
                let body = bodies::member_roles(&["@admin", "@worker", role]);
                let given = who.group_member_update().group("@engine").user(user).body(body).send().await;
                unchanged.rejected(given, FORBIDDEN, "hold").await;
            }
            let body = bodies::invitation(serde_json::json!({ "roles": [role] }));
            let invited = who.group_invitation_create().group("@engine").body(body).send().await;
            unchanged.rejected(invited, FORBIDDEN, missing).await;
        }
        for user in ["@ada", "@worker"] {
            let body = bodies::member_roles(&[]);
            let taken = who.group_member_update().group("@engine").user(user).body(body).send().await;
            unchanged.rejected(taken, FORBIDDEN, "hold").await;
            let removed = who.group_member_remove().group("@engine").user(user).send().await;
            unchanged.rejected(removed, FORBIDDEN, "hold").await;
        }
    }
    let join = bodies::member("@alan", &["@admin"]);
    grace.group_member_add().group("@engine").body(join).send().await.unwrap();
    grace.group_member_remove().group("@engine").user("@alan").send().await.unwrap();
    // Owners, and holders of `groups:write`, grant any group role.
    for who in [&ada, &admin] {
        let join = bodies::member("@alan", &["@owner", "@write"]);
        who.group_member_add().group("@engine").body(join).send().await.unwrap();
        who.group_member_remove().group("@engine").user("@alan").send().await.unwrap();
    }
}

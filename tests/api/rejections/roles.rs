//! Rejected changes of roles.

use rollcall_api::access::Permission;
use rollcall_client::error_code as code;
use serde_json::json;

use super::{FORBIDDEN, UNKNOWN, Unchanged, WRONG_TYPE, scene};
use crate::api::bodies;
use crate::support::{Person, TestServer};

const BUILT_IN: (u16, &str) = (409, code::BUILT_IN_ROLE);
const NO_SUCH: (u16, &str) = (422, code::UNKNOWN_PERMISSION);

#[tokio::test]
async fn role_create_update_and_delete_rejections_change_nothing() {
    let server = TestServer::start().await;
    let (admin, ada, _) = scene(&server).await;
    let writer = server.holder("writer", &[Permission::RolesWrite]).await;
    let unchanged = Unchanged::new(&server).await;
    let create = async |who: &Person, body| who.role_create().body(bodies::role(body)).send().await;
    for (body, refusal, named) in [
        (json!({ "name": "editor" }), (409, code::ROLE_NAME_TAKEN), "name"),
        (json!({ "name": "owner" }), (409, code::ROLE_NAME_TAKEN), "name"),
        (json!({ "name": "x", "permissions": ["a:b", "users:fly"] }), NO_SUCH, "users:fly"),
        (json!({ "name": "x", "permissions": ["group:admin"] }), NO_SUCH, "group:admin"),
        (json!({ "name": "x", "scope": "group", "permissions": ["users:read"] }), NO_SUCH, "users:read"),
        (json!({ "name": "x", "type": "machine", "is_default": true }), WRONG_TYPE, "is_default"),
        (json!({ "name": "x", "scope": "group", "is_default": true }), WRONG_TYPE, "is_default"),
    ] {
        unchanged.rejected(create(&admin, body).await, refusal, named).await;
    }
    let more = json!({ "name": "x", "permissions": ["articles:write", "users:delete"] });
    unchanged.rejected(create(&writer, more).await, FORBIDDEN, "users:delete").await;
    unchanged.rejected(create(&ada, json!({ "name": "x" })).await, FORBIDDEN, "roles:write").await;
    let update = async |who: &Person, role: &str, body| {
        who.role_update().role(role).body(bodies::role_changes(body)).send().await
    };
    for (role, body, refusal, named) in [
        ("@nope", json!({}), UNKNOWN, "@nope"),
        ("@administrator", json!({ "permissions": [] }), BUILT_IN, "administrator"),
        ("@member", json!({ "description": "x" }), BUILT_IN, "member"),
        ("@editor", json!({ "name": "robot" }), (409, code::ROLE_NAME_TAKEN), "name"),
        ("@editor", json!({ "permissions": ["audit:write"] }), NO_SUCH, "audit:write"),
        ("@robot", json!({ "is_default": true }), WRONG_TYPE, "is_default"),
        ("@worker", json!({ "is_default": true }), WRONG_TYPE, "is_default"),
        ("@worker", json!({ "permissions": ["roles:write"] }), NO_SUCH, "roles:write"),
    ] {
        unchanged.rejected(update(&admin, role, body).await, refusal, named).await;
    }
    let more = json!({ "name": "y", "permissions": ["users:delete"] });
    unchanged.rejected(update(&writer, "@editor", more).await, FORBIDDEN, "users:delete").await;
    unchanged.rejected(update(&ada, "@editor", json!({})).await, FORBIDDEN, "roles:write").await;
    unchanged.rejected(admin.role_delete().role("@nope").send().await, UNKNOWN, "@nope").await;
    let in_use = admin.role_delete().role("@editor").force(false).send().await;
    unchanged.rejected(in_use, (409, code::ROLE_IN_USE), "force").await;
    unchanged
        .rejected(admin.role_delete().role("@auditor").force(true).send().await, BUILT_IN, "auditor")
        .await;
    unchanged
        .rejected(ada.role_delete().role("@editor").force(true).send().await, FORBIDDEN, "roles:write")
        .await;
}

//! Rejected changes of a user's roles.

use rollcall_api::access::Permission;
use rollcall_client::error_code as code;
use serde_json::json;

use super::{FORBIDDEN, UNKNOWN, Unchanged, WRONG_TYPE, scene};
use crate::api::bodies;
use crate::support::TestServer;

#[tokio::test]
async fn user_role_add_replace_and_remove_rejections_change_nothing() {
    let server = TestServer::start().await;
    let (admin, ada, _) = scene(&server).await;
    let clerk = server.holder("clerk", &[Permission::RolesAssign]).await;
    let unchanged = Unchanged::new(&server).await;
    for (role, refusal) in
        [("@nope", UNKNOWN), ("@robot", WRONG_TYPE), ("@member", WRONG_TYPE), ("@wheel", WRONG_TYPE)]
    {
        let body = || bodies::roles(&["@auditor", role]);
        unchanged
            .rejected(admin.user_role_add().user("@grace").body(body()).send().await, refusal, role)
            .await;
        unchanged
            .rejected(admin.user_role_replace().user("@ada").body(body()).send().await, refusal, role)
            .await;
    }
    for (role, missing) in
        [("@editor", "articles:write"), ("@auditor", "audit:read"), ("@administrator", "audit:read")]
    {
        let add = clerk.user_role_add().user("@grace").body(bodies::roles(&[role])).send().await;
        unchanged.rejected(add, FORBIDDEN, missing).await;
        let own = clerk.user_role_add().user("me").body(bodies::roles(&[role])).send().await;
        unchanged.rejected(own, FORBIDDEN, missing).await;
    }
    let take = clerk.user_role_replace().user("@ada").body(bodies::roles(&[])).send().await;
    unchanged.rejected(take, FORBIDDEN, "articles:write").await;
    let take = clerk.user_role_remove().user("@ada").role("@editor").send().await;
    unchanged.rejected(take, FORBIDDEN, "articles:write").await;
    let above = clerk.user_role_replace().user("@administrator").body(bodies::roles(&[])).send().await;
    unchanged.rejected(above, FORBIDDEN, "permissions that you don't").await;
    let not_held = admin.user_role_remove().user("@grace").role("@editor").send().await;
    unchanged.rejected(not_held, UNKNOWN, "").await;
    unchanged
        .rejected(admin.user_role_remove().user("@ada").role("@nope").send().await, UNKNOWN, "@nope")
        .await;
    let last = (409, code::LAST_ADMINISTRATOR);
    let none = admin.user_role_replace().user("me").body(bodies::roles(&["@auditor"])).send().await;
    unchanged.rejected(none, last, "administrator").await;
    unchanged
        .rejected(admin.user_role_remove().user("me").role("@administrator").send().await, last, "")
        .await;
    unchanged.rejected(admin.user_delete().user("me").send().await, last, "").await;
    let suspend = admin.user_suspend().user("me").body(bodies::suspension(json!({}))).send().await;
    unchanged.rejected(suspend, last, "").await;
    let own = ada.user_role_add().user("me").body(bodies::roles(&["@editor"])).send().await;
    unchanged.rejected(own, FORBIDDEN, "roles:assign").await;
}

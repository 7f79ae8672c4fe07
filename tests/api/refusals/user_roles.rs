//! Refused changes of a user's roles.

use rollcall_api::access::Permission;
use rollcall_client::error_code as code;
use serde_json::json;

use super::{FORBIDDEN, Still, UNKNOWN, WRONG_TYPE, scene};
use crate::api::bodies;
use crate::support::TestServer;

#[tokio::test]
async fn refused_changes_of_a_users_roles_change_nothing() {
    let server = TestServer::start().await;
    let (admin, ada, _) = scene(&server).await;
    let clerk = server.holder("clerk", &[Permission::RolesAssign]).await;
    let still = Still::new(&server).await;
    for (role, refusal) in
        [("@nope", UNKNOWN), ("@robot", WRONG_TYPE), ("@member", WRONG_TYPE), ("@wheel", WRONG_TYPE)]
    {
        let body = || bodies::roles(&["@auditor", role]);
        still.refused(admin.user_role_add().user("@grace").body(body()).send().await, refusal, role).await;
        still.refused(admin.user_role_replace().user("@ada").body(body()).send().await, refusal, role).await;
    }
    for (role, missing) in
        [("@editor", "articles:write"), ("@auditor", "audit:read"), ("@administrator", "audit:read")]
    {
        let add = clerk.user_role_add().user("@grace").body(bodies::roles(&[role])).send().await;
        still.refused(add, FORBIDDEN, missing).await;
        let own = clerk.user_role_add().user("me").body(bodies::roles(&[role])).send().await;
        still.refused(own, FORBIDDEN, missing).await;
    }
    let take = clerk.user_role_replace().user("@ada").body(bodies::roles(&[])).send().await;
    still.refused(take, FORBIDDEN, "articles:write").await;
    let take = clerk.user_role_remove().user("@ada").role("@editor").send().await;
    still.refused(take, FORBIDDEN, "articles:write").await;
    let above = clerk.user_role_replace().user("@administrator").body(bodies::roles(&[])).send().await;
    still.refused(above, FORBIDDEN, "permissions that you don't").await;
    let not_held = admin.user_role_remove().user("@grace").role("@editor").send().await;
    still.refused(not_held, UNKNOWN, "").await;
    still.refused(admin.user_role_remove().user("@ada").role("@nope").send().await, UNKNOWN, "@nope").await;
    let last = (409, code::LAST_ADMINISTRATOR);
    let none = admin.user_role_replace().user("me").body(bodies::roles(&["@auditor"])).send().await;
    still.refused(none, last, "administrator").await;
    still.refused(admin.user_role_remove().user("me").role("@administrator").send().await, last, "").await;
    still.refused(admin.user_delete().user("me").send().await, last, "").await;
    let suspend = admin.user_suspend().user("me").body(bodies::suspension(json!({}))).send().await;
    still.refused(suspend, last, "").await;
    let own = ada.user_role_add().user("me").body(bodies::roles(&["@editor"])).send().await;
    still.refused(own, FORBIDDEN, "roles:assign").await;
}

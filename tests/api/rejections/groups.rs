//! Rejected changes of groups.

use rollcall_api::access::Permission;
use rollcall_client::error_code as code;
use serde_json::json;

use super::{FORBIDDEN, UNKNOWN, Unchanged, scene};
use crate::api::bodies;
use crate::support::{Person, TestServer};

const DEFAULT: (u16, &str) = (409, code::DEFAULT_GROUP);
const TAKEN: (u16, &str) = (409, code::SLUG_TAKEN);

#[tokio::test]
async fn group_create_update_and_delete_rejections_change_nothing() {
    let server = TestServer::start().await;
    let (admin, ada, grace) = scene(&server).await;
    let seer = server.holder("seer", &[Permission::GroupsRead]).await;
    let loom = bodies::group(json!({ "slug": "loom", "name": "Loom" }));
    admin.group_create().body(loom).send().await.unwrap();
    let unchanged = Unchanged::new(&server).await;
    let large = json!({ "k": "x".repeat(16 * 1024) });
    let create = async |who: &Person, body| who.group_create().body(bodies::group(body)).send().await;
    for (body, refusal, named) in [
        (json!({ "slug": "engine", "name": "Again" }), TAKEN, "slug"),
        (json!({ "slug": "public", "name": "Again" }), TAKEN, "slug"),
        (json!({ "slug": "x", "name": "X", "owner": "@nobody" }), UNKNOWN, "owner"),
        (
            json!({ "slug": "x", "name": "X", "custom_data": large }),
            (422, code::DOCUMENT_TOO_LARGE),
            "custom_data",
        ),
    ] {
        unchanged.rejected(create(&admin, body).await, refusal, named).await;
    }
    unchanged
        .rejected(create(&ada, json!({ "slug": "x", "name": "X" })).await, FORBIDDEN, "groups:write")
        .await;
    let update = async |who: &Person, group: &str, body| {
        who.group_update().group(group).body(bodies::group_changes(body)).send().await
    };
    for (who, group, body, refusal, named) in [
        (&admin, "@nowhere", json!({}), UNKNOWN, ""),
        (&admin, "@public", json!({ "slug": "everybody" }), DEFAULT, "slug"),
        (&admin, "@engine", json!({ "slug": "loom", "name": "Loom" }), TAKEN, "slug"),
        (&ada, "@engine", json!({ "custom_data": large }), (422, code::DOCUMENT_TOO_LARGE), "custom_data"),
        (&ada, "@loom", json!({ "name": "Mine" }), UNKNOWN, ""),
        (&ada, "@public", json!({ "name": "Mine" }), FORBIDDEN, "groups:write"),
        (&grace, "@engine", json!({ "name": "Mine" }), FORBIDDEN, "groups:write"),
        (&seer, "@engine", json!({ "name": "Mine" }), FORBIDDEN, "groups:write"),
    ] {
        unchanged.rejected(update(who, group, body).await, refusal, named).await;
    }
    for (who, group, refusal) in [
        (&admin, "@nowhere", UNKNOWN),
        (&admin, "@public", DEFAULT),
        (&ada, "@loom", UNKNOWN),
        (&ada, "@public", FORBIDDEN),
        (&grace, "@engine", FORBIDDEN),
        (&seer, "@engine", FORBIDDEN),
    ] {
        unchanged.rejected(who.group_delete().group(group).send().await, refusal, "").await;
    }
    let last = ada.user_delete().user("me").send().await;
    unchanged.rejected(last, (409, code::LAST_OWNER), "@engine").await;
}

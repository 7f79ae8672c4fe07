//! Rejected invitations, and rejected acceptances.

use chrono::TimeDelta;
use rollcall_client::error_code as code;
use serde_json::json;
use uuid::Uuid;

use super::{FORBIDDEN, UNKNOWN, Unchanged, WRONG_TYPE, scene};
use crate::api::bodies;
use crate::support::{Person, TestServer};

const INVALID: (u16, &str) = (422, code::INVITATION_INVALID);

async fn invite(who: &Person, body: serde_json::Value) -> (Uuid, String) {
    let made = who.group_invitation_create().group("@engine").body(bodies::invitation(body)).send().await;
    let made = made.unwrap().into_inner();
    (made.invitation.id.0, made.token.unwrap())
}

#[tokio::test]
async fn group_invitation_create_and_delete_rejections_change_nothing() {
    let server = TestServer::start().await;
    let (admin, ada, grace) = scene(&server).await;
    let loom = bodies::group(json!({ "slug": "loom", "name": "Loom" }));
    admin.group_create().body(loom).send().await.unwrap();
    let (id, _) = invite(&ada, json!({})).await;
    let unchanged = Unchanged::new(&server).await;
    for (who, group, body, refusal, named) in [
        (&admin, "@nowhere", json!({}), UNKNOWN, ""),
        (&ada, "@loom", json!({}), UNKNOWN, ""),
        (&grace, "@engine", json!({}), FORBIDDEN, "groups:write"),
        (&admin, "@public", json!({}), (409, code::DEFAULT_GROUP), ""),
        (&ada, "@engine", json!({ "roles": ["@nope"] }), UNKNOWN, "@nope"),
        (&ada, "@engine", json!({ "roles": ["@auditor"] }), WRONG_TYPE, "@auditor"),
        (&ada, "@engine", json!({ "roles": ["@wheel"] }), WRONG_TYPE, "@wheel"),
        (
            &ada,
            "@engine",
            json!({ "expires_in_seconds": 59 }),
            (400, code::INVALID_REQUEST),
            "expires_in_seconds",
        ),
        (
            &ada,
            "@engine",
            json!({ "expires_in_seconds": 2_592_001 }),
            (400, code::INVALID_REQUEST),
            "2592000",
        ),
    ] {
        let made = who.group_invitation_create().group(group).body(bodies::invitation(body)).send().await;
        unchanged.rejected(made, refusal, named).await;
    }
    for (who, group, invitation, refusal) in [
        (&ada, "@engine", Uuid::now_v7(), UNKNOWN),
        (&admin, "@loom", id, UNKNOWN),
        (&ada, "@loom", id, UNKNOWN),
        (&grace, "@engine", id, FORBIDDEN),
    ] {
        let withdrawn = who.group_invitation_delete().group(group).invitation(invitation).send().await;
        unchanged.rejected(withdrawn, refusal, "").await;
    }
    unchanged.rejected(grace.group_invitation_list().group("@engine").send().await, FORBIDDEN, "").await;
}

#[tokio::test]
async fn invitation_accept_rejections_change_nothing() {
    let server = TestServer::start().await;
    let (_, ada, grace) = scene(&server).await;
    let alan = server.user("alan").await;
    let (id, withdrawn) = invite(&ada, json!({})).await;
    ada.group_invitation_delete().group("@engine").invitation(id).send().await.unwrap();
    let (_, late) = invite(&ada, json!({ "expires_in_seconds": 60 })).await;
    let (_, others) = invite(&ada, json!({ "email": "grace@example.org" })).await;
    let (_, good) = invite(&ada, json!({})).await;
    server.advance(TimeDelta::seconds(61));
    let unchanged = Unchanged::new(&server).await;
    let unheard_of = rollcall_server::secrets::token::Token::invitation();
    let accept =
        async |who: &Person, token: &str| who.invitation_accept().body(bodies::token(token)).send().await;
    for token in [&withdrawn, &late, &others, unheard_of.expose(), "rci_nonsense", &ada.token()] {
        unchanged.rejected(accept(&alan, token).await, INVALID, "invitation").await;
    }
    let member = accept(&grace, &good).await;
    unchanged.rejected(member, (409, code::ALREADY_MEMBER), "member").await;
    let opened = accept(&alan, &good).await.unwrap();
    assert_eq!((opened.group.slug.as_str(), &opened.roles[..]), ("engine", &["member".to_owned()][..]));
    Unchanged::new(&server).await.rejected(accept(&alan, &good).await, INVALID, "invitation").await;
}

/// Without its sender an invitation cannot be accepted, but holders of the permission can still withdraw it.
#[tokio::test]
async fn invitation_accept_needs_a_sender_who_exists() {
    let server = TestServer::start().await;
    let (admin, ada, _) = scene(&server).await;
    let (eve, alan) = (server.user("eve").await, server.user("alan").await);
    let join = bodies::member("@eve", &["@admin"]);
    ada.group_member_add().group("@engine").body(join).send().await.unwrap();
    let (id, token) = invite(&eve, json!({})).await;
    admin.user_delete().user("@eve").send().await.unwrap();
    let pending = ada.group_invitation_list().group("@engine").send().await.unwrap();
    assert_eq!(pending.items.len(), 0, "what can't be accepted is not listed");
    let accept = alan.invitation_accept().body(bodies::token(&token)).send().await;
    Unchanged::new(&server).await.rejected(accept, INVALID, "invitation").await;
    ada.group_invitation_delete().group("@engine").invitation(id).send().await.unwrap();
}

//! Invitations: limited at acceptance to what the sender may grant then, and proof of the address they were
//! sent to.

use http::Method;
use rollcall_client::{error_code, types};
use rollcall_server::config::RegistrationMode;
use serde_json::{Value, json};

use super::{bodies, create, refusal, update};
use crate::support::people::new_user;
use crate::support::{Answer, PASSWORD, Person, Refused, TestServer};

fn invalid() -> (u16, String) {
    refusal(422, error_code::INVITATION_INVALID)
}

/// An administrator, Ada and Grace, who own the group `engine`, and Eve, a member without roles.
async fn engine(server: &TestServer) -> (Person, Person, Person, Person) {
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let (grace, eve) = (server.user("grace").await, server.user("eve").await);
    let body = json!({ "slug": "engine", "name": "Engine", "owner": "@ada" });
    admin.group_create().body(bodies::group(body)).send().await.unwrap();
    let own = bodies::member("@grace", &["@owner"]);
    ada.group_member_add().group("@engine").body(own).send().await.unwrap();
    (admin, ada, grace, eve)
}

async fn invite(who: &Person, body: Value) -> String {
    let made = who.group_invitation_create().group("@engine").body(bodies::invitation(body)).send().await;
    made.unwrap().token.clone().unwrap()
}

async fn accept(who: &Person, token: &str) -> Result<Vec<String>, (u16, String)> {
    match who.invitation_accept().body(bodies::token(token)).send().await {
        Ok(joined) => Ok(joined.into_inner().roles),
        refused => Err(refused.refusal()),
    }
}

#[tokio::test]
async fn invitation_accept_grants_a_removed_owner_nothing() {
    let server = TestServer::start().await;
    let (_, ada, grace, eve) = engine(&server).await;
    let (own, plain) = (invite(&ada, json!({ "roles": ["@owner"] })).await, invite(&ada, json!({})).await);
    grace.group_member_remove().group("@engine").user("@ada").send().await.unwrap();
    for (who, token) in [(&ada, &own), (&eve, &own), (&eve, &plain)] {
        assert_eq!(accept(who, token).await, Err(invalid()));
    }
    // A returning member starts without the previous roles.
    grace.group_member_add().group("@engine").body(bodies::member("@ada", &["@owner"])).send().await.unwrap();
    assert_eq!(accept(&eve, &plain).await, Err(invalid()));
    assert_eq!(accept(&eve, &invite(&ada, json!({})).await).await, Ok(vec!["member".to_owned()]));
}

#[tokio::test]
async fn invitation_accept_needs_a_sender_who_is_not_suspended() {
    let server = TestServer::start().await;
    let (admin, ada, grace, eve) = engine(&server).await;
    let (before, others) = (invite(&ada, json!({})).await, invite(&grace, json!({})).await);
    admin.user_suspend().user("@ada").body(types::UserSuspend::default()).send().await.unwrap();
    assert_eq!(accept(&eve, &before).await, Err(invalid()));
    admin.user_reactivate().user("@ada").send().await.unwrap();
    assert_eq!(accept(&eve, &before).await, Err(invalid()), "a suspension voids it for good");
    let anew = invite(&server.sign_in("ada").await, json!({ "roles": ["@worker"] })).await;
    assert_eq!(accept(&eve, &anew).await, Ok(vec!["worker".to_owned()]));
    server.user("alan").await;
    assert!(accept(&server.sign_in("alan").await, &others).await.is_ok(), "another's stays");
}

#[tokio::test]
async fn invitation_accept_grants_what_its_sender_may_grant_today() {
    let server = TestServer::start().await;
    let (admin, ada, grace, eve) = engine(&server).await;
    let own = invite(&ada, json!({ "roles": ["@owner"] })).await;
    let work = invite(&ada, json!({ "roles": ["@admin"] })).await;
    let demote = bodies::member_roles(&["@admin"]);
    grace.group_member_update().group("@engine").user("@ada").body(demote).send().await.unwrap();
    assert_eq!(accept(&eve, &own).await, Err(invalid()));
    assert_eq!(accept(&eve, &work).await, Ok(vec!["admin".to_owned()]));
    // A role that has changed since applies as it is now.
    let crew = json!({ "name": "crew", "scope": "group", "permissions": [] });
    admin.role_create().body(bodies::role(crew)).send().await.unwrap();
    let token = invite(&ada, json!({ "roles": ["@crew"] })).await;
    let grown = bodies::role_changes(json!({ "permissions": ["group:own"] }));
    admin.role_update().role("@crew").body(grown).send().await.unwrap();
    let alan = server.user("alan").await;
    assert_eq!(accept(&alan, &token).await, Err(invalid()));
    let demote = bodies::member_roles(&["@worker"]);
    grace.group_member_update().group("@engine").user("@ada").body(demote).send().await.unwrap();
    let shrunk = bodies::role_changes(json!({ "permissions": [] }));
    admin.role_update().role("@crew").body(shrunk).send().await.unwrap();
    assert_eq!(accept(&alan, &token).await, Err(invalid()), "a plain member invites nobody");
}

/// A token proves no address if its sender could not verify addresses: the sender has the token, too.
#[tokio::test]
async fn invitation_accept_verifies_only_what_its_sender_could_verify() {
    let server = TestServer::start().await;
    let (admin, ada, _, eve) = engine(&server).await;
    let address = json!({ "email": "eve@example.org" });
    eve.user_update().user("me").body(update(address.clone())).send().await.unwrap();
    let verified = async || eve.user_view().user("me").send().await.unwrap().email_verified;
    let again = async |token: &str| {
        accept(&eve, token).await.unwrap();
        eve.group_member_remove().group("@engine").user("me").send().await.unwrap();
        verified().await
    };
    assert_eq!(again(&invite(&ada, address.clone()).await).await, Some(false), "a group's owner");
    let token = invite(&admin, address.clone()).await;
    let promoted = invite(&ada, address.clone()).await;
    server.grant(ada.id, ["users:write"]).await;
    server.grant(eve.id, ["billing:refund"]).await;
    assert_eq!(again(&promoted).await, Some(false), "of somebody who stands above the sender");
    assert_eq!(again(&token).await, Some(true));
    // The sender's permissions at acceptance count.
    eve.user_update().user("me").body(update(json!({ "email": "eve@elsewhere.org" }))).send().await.unwrap();
    server.grant(ada.id, ["billing:refund"]).await;
    let token = invite(&ada, json!({ "email": "eve@elsewhere.org" })).await;
    assert_eq!((verified().await, again(&token).await), (Some(false), Some(true)));
    // No self-invitation: Ada returns by an invitation that she sent to herself.
    ada.user_update().user("me").body(update(json!({ "email": "ada@example.org" }))).send().await.unwrap();
    server.grant(ada.id, ["groups:write"]).await;
    let token = invite(&ada, json!({ "email": "ada@example.org" })).await;
    admin
        .group_member_add()
        .group("@engine")
        .body(bodies::member("@administrator", &["@owner"]))
        .send()
        .await
        .unwrap();
    ada.group_member_remove().group("@engine").user("me").send().await.unwrap();
    accept(&ada, &token).await.unwrap();
    assert_eq!(ada.user_view().user("me").send().await.unwrap().email_verified, Some(false));
}

#[tokio::test]
async fn register_verifies_only_what_the_inviter_could_verify() {
    let server = invite_only().await;
    let (_, ada, ..) = engine(&server).await;
    let token = invite(&ada, json!({ "email": "lily@example.org" })).await;
    let body = json!({ "username": "lily", "email": "lily@example.org", "password": PASSWORD });
    let lily = register(&server, body, &token).await.unwrap();
    assert_eq!((lily.email.as_deref(), lily.email_verified), (Some("lily@example.org"), Some(false)));
}

/// Presenting the token of an invitation to an address verifies the address, if the sender may verify
/// addresses.
#[tokio::test]
async fn invitation_accept_verifies_the_address() {
    let server = TestServer::start().await;
    let (_, ada, _, eve) = engine(&server).await;
    server.grant(ada.id, ["users:write"]).await;
    let token = invite(&ada, json!({ "email": "Eve@Example.org" })).await;
    assert_eq!(accept(&eve, &token).await, Err(invalid()), "without an address");
    for (email, joined) in [("alan@example.org", false), ("eve@example.org", true)] {
        eve.user_update().user("me").body(update(json!({ "email": email }))).send().await.unwrap();
        assert_eq!(accept(&eve, &token).await.is_ok(), joined, "{email}");
    }
    let me = eve.user_view().user("me").send().await.unwrap();
    assert_eq!((me.email.as_deref(), me.email_verified), (Some("eve@example.org"), Some(true)));
    eve.user_update().user("me").body(update(json!({ "email": "eve@elsewhere.org" }))).send().await.unwrap();
    let me = eve.user_view().user("me").send().await.unwrap();
    assert_eq!(me.email_verified, Some(false), "that address only");
}

#[tokio::test]
async fn register_verifies_the_address_of_an_invitation() {
    let server = invite_only().await;
    let (_, ada, ..) = engine(&server).await;
    server.grant(ada.id, ["users:write"]).await;
    let token = invite(&ada, json!({ "email": "Lily@Example.org" })).await;
    let other = json!({ "username": "lily", "email": "other@example.org", "password": PASSWORD });
    assert_eq!(register(&server, other, &token).await.refusal(), invalid());
    let body = json!({ "username": "lily", "email": "lily@example.org", "password": PASSWORD });
    let lily = register(&server, body, &token).await.unwrap();
    assert_eq!((lily.email.as_deref(), lily.email_verified), (Some("lily@example.org"), Some(true)));
    assert_eq!(lily.groups.as_deref(), Some(&["engine".to_owned(), "public".into()][..]));
}

async fn invite_only() -> TestServer {
    TestServer::builder().config(|config| config.registration.mode = RegistrationMode::Invite).start().await
}

async fn register(
    server: &TestServer,
    mut body: Value,
    token: &str,
) -> Result<rollcall_client::ResponseValue<types::User>, rollcall_client::Error> {
    body["invitation"] = token.into();
    let body: types::Register = serde_json::from_value(body).unwrap();
    let key = types::IdempotencyKey::try_from("k1").unwrap();
    server.client().register().idempotency_key(key).body(body).send().await
}

/// Only callers who may register can find out which names are taken.
#[tokio::test]
async fn register_checks_the_invitation_first() {
    let server = invite_only().await;
    let (admin, ada, ..) = engine(&server).await;
    let unheard_of = rollcall_server::secrets::token::Token::invitation();
    let taken = json!({ "username": "grace", "password": PASSWORD });
    // The password is not validated either, which precedes hashing.
    let weak = json!({ "username": "fresh", "password": "freshfreshfresh" });
    for body in [&taken, &weak] {
        for token in [unheard_of.expose(), "rci_nonsense"] {
            assert_eq!(register(&server, body.clone(), token).await.refusal(), invalid(), "{body}");
        }
    }
    let token = invite(&ada, json!({ "roles": ["@worker"] })).await;
    let refused = register(&server, taken, &token).await.refusal();
    assert_eq!(refused, refusal(409, error_code::USERNAME_TAKEN));
    let refused = register(&server, weak, &token).await.refusal();
    assert_eq!(refused, refusal(422, error_code::PASSWORD_BLOCKED));
    let body = json!({ "username": "fresh", "password": PASSWORD });
    let first = register(&server, body.clone(), &token).await.unwrap();
    let again = register(&server, body, &token).await.unwrap();
    assert_eq!(
        (again.id.0, &again.headers()["idempotency-replayed"]),
        (first.id.0, &"true".parse().unwrap())
    );
    // An inviter who has lost the right to invite does not enable registration either.
    let token = invite(&ada, json!({})).await;
    admin.user_suspend().user("@ada").body(types::UserSuspend::default()).send().await.unwrap();
    let body = json!({ "username": "late", "password": PASSWORD });
    let key = types::IdempotencyKey::try_from("k2").unwrap();
    let mut late = body;
    late["invitation"] = token.into();
    let late: types::Register = serde_json::from_value(late).unwrap();
    let refused = server.client().register().idempotency_key(key).body(late).send().await.refusal();
    assert_eq!(refused, invalid());
}

#[tokio::test]
async fn user_delete_erases_the_address_from_invitations() {
    let server = TestServer::start().await;
    let (admin, ada, ..) = engine(&server).await;
    let body = json!({ "username": "lily", "email": "Lily@Example.org" });
    admin.user_create().body(create(body)).send().await.unwrap();
    let key = || types::IdempotencyKey::try_from("k1").unwrap();
    let body = || bodies::invitation(json!({ "email": "lily@example.org" }));
    let invite = ada.group_invitation_create().group("@engine").idempotency_key(key()).body(body());
    invite.send().await.unwrap();
    self::invite(&ada, json!({ "email": "other@example.org" })).await;
    admin.user_delete().user("@lily").send().await.unwrap();
    assert_eq!(server.count("SELECT count(*) FROM invitations").await, 1);
    for (table, rows) in server.dump().await {
        assert!(!rows.to_lowercase().contains("lily@example.org"), "{table}: {rows}");
    }
    admin.user_create().body(new_user("lily")).send().await.unwrap();
}

#[tokio::test]
async fn group_invitation_create_without_a_body_is_one_with_an_empty_object() {
    let server = TestServer::start().await;
    let (_, ada, _, eve) = engine(&server).await;
    let invite = || {
        let request = server.request(Method::POST, "/v1/groups/@engine/invitations").bearer_auth(ada.token());
        request.header("idempotency-key", "one")
    };
    let first = Answer::of(invite()).await;
    assert_eq!(first.code(), 201, "{}", first.message());
    let token = first.json()["token"].as_str().unwrap().to_owned();
    let again = Answer::of(invite().json(&json!({}))).await;
    assert_eq!((again.code(), again.header("idempotency-replayed")), (201, "true"), "the same request");
    assert_eq!(again.json()["invitation"]["id"], first.json()["invitation"]["id"]);
    assert_eq!(accept(&eve, &token).await, Ok(vec!["member".to_owned()]));
}

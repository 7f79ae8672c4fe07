//! Verification of an email address or phone number: by other users, for existing values, and never by the
//! user.

use http::Method;
use rollcall_api::access::Permission;
use rollcall_client::{Clear, Set, error_code, etag, types};
use serde_json::{Value, json};

use super::{bodies, create, refusal, update};
use crate::support::{Answer, PASSWORD, Person, Refused, TestServer};

const BOTH: &str = r#"{"email": "ada@example.org", "phone": "+1234567"}"#;

fn verified(user: &types::User) -> (Option<bool>, Option<bool>) {
    (user.email_verified, user.phone_verified)
}

/// Ada with an address and a number, and a clerk who may change and read users.
async fn ada_and_a_clerk(server: &TestServer) -> (Person, Person) {
    let ada = server.user("ada").await;
    let both = update(serde_json::from_str(BOTH).unwrap());
    ada.user_update().user("me").body(both).send().await.unwrap();
    let clerk = server.holder("clerk", &[Permission::UsersRead, Permission::UsersWrite]).await;
    (ada, clerk)
}

/// The newest event's details.
async fn recorded(server: &TestServer, who: &Person) -> Value {
    let path = "/v1/audit-events?limit=1&operation=user_update&target=@ada";
    let response = Answer::of(server.request(Method::GET, path).bearer_auth(who.token())).await;
    response.json()["items"][0].clone()
}

#[tokio::test]
async fn user_update_verifies_for_holders_of_users_write() {
    let server = TestServer::start().await;
    let (_, clerk) = ada_and_a_clerk(&server).await;
    let change = async |body: types::builder::UserUpdate| {
        clerk.user_update().user("@ada").body(body).send().await.unwrap().into_inner()
    };
    let changes = types::UserUpdate::builder;
    assert_eq!(verified(&change(changes().email_verified(true)).await), (Some(true), Some(false)));
    let event = recorded(&server, &server.admin().await).await;
    assert_eq!(event["detail"]["fields"], json!(["email_verified"]), "{event}");
    assert_eq!(event["actor"]["id"].as_str().or(event["actor_id"].as_str()), Some(clerk.path().as_str()));
    assert_eq!(verified(&change(changes().phone_verified(true)).await), (Some(true), Some(true)));
    // A change without the flag clears the verification; a change with the flag sets it.
    let moved =
        change(changes().email(Set("ada@elsewhere.org")).phone(Set("+7654321")).phone_verified(true)).await;
    assert_eq!(verified(&moved), (Some(false), Some(true)));
    let back = change(changes().email(Set("ada@example.org")).email_verified(true)).await;
    assert_eq!(verified(&back), (Some(true), Some(true)));
    assert_eq!(verified(&change(changes().email_verified(false)).await), (Some(false), Some(true)));
    let cleared = change(changes().phone(Clear).phone_verified(false)).await;
    assert_eq!((cleared.phone.as_deref(), cleared.phone_verified), (None, None));
}

#[tokio::test]
async fn user_update_verifies_no_missing_value() {
    let server = TestServer::start().await;
    let (_ada, clerk) = ada_and_a_clerk(&server).await;
    server.user("eve").await;
    let before = server.dump().await;
    let changes = types::UserUpdate::builder;
    for (user, body) in [
        ("@eve", changes().email_verified(true)),
        ("@eve", changes().phone_verified(true)),
        ("@eve", changes().email(Set("eve@example.org")).email_verified(true).phone_verified(true)),
        ("@ada", changes().email(Clear).email_verified(true)),
    ] {
        let refused = clerk.user_update().user(user).body(body).send().await.refusal();
        assert_eq!(refused, refusal(422, error_code::NOTHING_TO_VERIFY), "{user}");
    }
    let null = server.request(Method::PATCH, "/v1/users/@ada").bearer_auth(clerk.token());
    let response = Answer::of(null.json(&json!({ "email_verified": null }))).await;
    assert_eq!(response.code(), 400, "neither true nor false");
    assert!(response.message().contains("email_verified"), "{}", response.message());
    assert_eq!(server.dump().await, before);
}

/// A user who could verify their own address could claim any address.
#[tokio::test]
async fn user_update_never_verifies_oneself() {
    let server = TestServer::start().await;
    let (ada, clerk) = ada_and_a_clerk(&server).await;
    let admin = server.admin().await;
    for who in [&clerk, &admin] {
        let email = json!({ "email": format!("{}@example.org", who.username) });
        who.user_update().user("me").body(update(email)).send().await.unwrap();
    }
    let before = server.dump().await;
    for who in [&ada, &clerk, &admin] {
        for user in ["me".to_owned(), who.path(), format!("@{}", who.username)] {
            for body in [
                json!({ "email_verified": true }),
                json!({ "email_verified": false }),
                json!({ "phone_verified": true, "name": "Ada" }),
                json!({ "email": "ceo@example.org", "email_verified": true }),
            ] {
                let error = who.user_update().user(user.as_str()).body(update(body)).send().await.refused();
                assert_eq!(error.code(), Some(error_code::FORBIDDEN), "{} as {user}", who.username);
                assert!(error.message().contains("email_verified, phone_verified"), "{}", error.message());
            }
        }
    }
    assert_eq!(server.dump().await, before);
    // Not on registration either.
    for field in ["email_verified", "phone_verified"] {
        let body = json!({ "username": "x", "email": "x@example.org", "phone": "+1234568", "password": PASSWORD,
            field: true });
        let request = server.request(Method::POST, "/v1/register").header("idempotency-key", "k");
        let response = Answer::of(request.json(&body)).await;
        assert!(response.code() == 400 && response.message().contains(field), "{}", response.message());
    }
}

/// Applications may find accounts by a verified address, so verifying needs the same permission as changing
/// the address.
#[tokio::test]
async fn user_update_verifies_nobody_who_outranks_the_caller() {
    let server = TestServer::start().await;
    let (ada, clerk) = ada_and_a_clerk(&server).await;
    let (eve, admin) = (server.user("eve").await, server.admin().await);
    let body = || types::UserUpdate::builder().email_verified(true);
    let refused =
        async |who: &Person, user: &str| who.user_update().user(user).body(body()).send().await.refusal();
    let forbidden = refusal(403, error_code::FORBIDDEN);
    admin.user_update().user("me").body(update(json!({ "email": "root@example.org" }))).send().await.unwrap();
    assert_eq!(refused(&eve, "@ada").await, forbidden, "without users:write");
    assert_eq!(refused(&clerk, "@administrator").await, forbidden, "above the clerk");
    let group = json!({ "slug": "engine", "name": "Engine", "owner": "@ada" });
    admin.group_create().body(bodies::group(group)).send().await.unwrap();
    assert_eq!(refused(&clerk, "@ada").await, forbidden, "owner of a group");
    clerk.user_update().user("@ada").body(update(json!({ "name": "Ada" }))).send().await.unwrap();
    let seen = admin.user_update().user(ada.id).body(body()).send().await.unwrap();
    assert_eq!(seen.email_verified, Some(true));
}

/// The user may have changed the address since it was proved.
#[tokio::test]
async fn user_update_verifies_the_address_that_was_read() {
    let server = TestServer::start().await;
    let (ada, clerk) = ada_and_a_clerk(&server).await;
    let seen = clerk.user_view().user("@ada").send().await.unwrap();
    let other = update(json!({ "email": "ceo@example.org" }));
    ada.user_update().user("me").body(other).send().await.unwrap();
    let body = types::UserUpdate::builder().email_verified(true);
    let late = clerk.user_update().user("@ada").if_match(etag(&seen).unwrap()).body(body).send().await;
    assert_eq!(late.refusal(), refusal(412, error_code::PRECONDITION_FAILED));
    assert_eq!(clerk.user_view().user("@ada").send().await.unwrap().email_verified, Some(false));
}

#[tokio::test]
async fn user_create_accepts_verified_values() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body =
        json!({ "username": "ada", "email": "ada@example.org", "phone": "+1234567", "email_verified": true });
    let made = admin.user_create().body(create(body)).send().await.unwrap();
    assert_eq!(verified(&made), (Some(true), Some(false)));
    let body = json!({ "phone": "+1234568", "phone_verified": true, "email_verified": false });
    let made = admin.user_create().body(create(body)).send().await.unwrap();
    assert_eq!(verified(&made), (None, Some(true)));
    for body in [
        json!({ "username": "x", "email_verified": true }),
        json!({ "username": "x", "email": "x@example.org", "phone_verified": true }),
    ] {
        let refused = admin.user_create().body(create(body)).send().await.refusal();
        assert_eq!(refused, refusal(422, error_code::NOTHING_TO_VERIFY));
    }
}

/// Addresses that cannot both be used do not always denote one mailbox.
#[tokio::test]
async fn user_update_keeps_the_verification_of_the_same_mailbox_only() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let clerk = server.holder("clerk", &[Permission::UsersWrite]).await;
    let change = async |email: &str| {
        let body = types::UserUpdate::builder().email(Set(email));
        ada.user_update().user("me").body(body).send().await.unwrap().email_verified
    };
    for (before, after, keeps) in [
        ("strasse@example.org", "Strasse@EXAMPLE.org", true),
        ("strasse@example.org", "straße@example.org", false),
        ("ada@example.org", "\u{ff41}da@example.org", false),
    ] {
        change(before).await;
        let body = types::UserUpdate::builder().email(Set(before)).email_verified(true);
        clerk.user_update().user("@ada").body(body).send().await.unwrap();
        assert_eq!(change(after).await, Some(keeps), "{after}");
    }
}

/// The same for invitations: a token proves the address that it was sent to.
#[tokio::test]
async fn invitation_accept_verifies_the_same_mailbox_only() {
    let server = TestServer::start().await;
    let (admin, eve) = (server.admin().await, server.user("eve").await);
    let group = json!({ "slug": "engine", "name": "Engine", "owner": "@administrator" });
    admin.group_create().body(bodies::group(group)).send().await.unwrap();
    let invitation = bodies::invitation(json!({ "email": "strasse@example.org" }));
    let made = admin.group_invitation_create().group("@engine").body(invitation).send().await.unwrap();
    let own = types::UserUpdate::builder().email(Set("straße@example.org"));
    eve.user_update().user("me").body(own).send().await.unwrap();
    let token = made.token.clone().unwrap();
    eve.invitation_accept().body(bodies::token(&token)).send().await.unwrap();
    assert_eq!(eve.user_view().user("me").send().await.unwrap().email_verified, Some(false));
}

//! Usernames, email addresses and phone numbers: unique in folded form, and never another user's.

use rollcall_client::{Error, Session, error_code, types};
use serde_json::{Value, json};

use super::{create, refusal, update};
use crate::support::{Answer, PASSWORD, Refused, TestServer};

async fn made(admin: &Session, body: Value) -> types::User {
    admin.user_create().body(create(body)).send().await.unwrap().into_inner()
}

async fn not_made(admin: &Session, body: &Value) -> Error {
    admin.user_create().body(create(body.clone())).send().await.refused()
}

/// A username must not look like an id or like `me`.
#[tokio::test]
async fn user_create_user_update_and_register_reject_names_that_denote_users() {
    let open = |config: &mut rollcall_server::config::Config| {
        config.registration.mode = rollcall_server::config::RegistrationMode::Open;
    };
    let server = TestServer::builder().config(open).start().await;
    let admin = server.admin().await;
    let ada = server.user("ada").await;
    let id = ada.id.to_string();
    let names = [
        "me".to_owned(),
        "ME".into(),
        "\u{ff4d}e".into(),
        id.clone(),
        id.to_uppercase(),
        id.replace('-', ""),
    ];
    let before = server.dump().await;
    for name in &names {
        let calls = [
            (Some(&admin), http::Method::POST, "/v1/users", json!({ "username": name })),
            (Some(&ada), http::Method::PATCH, "/v1/users/me", json!({ "username": name })),
            (None, http::Method::POST, "/v1/register", json!({ "username": name, "password": PASSWORD })),
        ];
        for (who, method, path, body) in calls {
            let mut request = server.request(method, path).json(&body);
            if let Some(who) = who {
                request = request.bearer_auth(who.token());
            }
            let response = Answer::of(request).await;
            let got = (response.code(), response.error_code());
            assert_eq!(got, (422, error_code::USERNAME_NOT_ALLOWED.to_owned()), "{path} {name}");
            assert!(response.message().starts_with("username: "), "{}", response.message());
        }
    }
    assert_eq!(server.dump().await, before);
    // A username from before this rule stays valid until it is changed.
    server.sql("UPDATE users SET username = 'me', username_folded = 'me' WHERE username = 'ada'").await;
    let same = update(json!({ "username": "me", "name": "Ada" }));
    assert_eq!(ada.user_update().user("me").body(same).send().await.unwrap().username.as_deref(), Some("me"));
    assert_eq!(admin.user_view().user("@me").send().await.unwrap().id.0, ada.id);
    server.sign_in("me").await;
}

#[tokio::test]
async fn user_create_rejects_taken_names_in_every_form() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let first =
        made(&admin, json!({ "username": "José.Weiß", "email": "José@Example.org", "phone": "+4930123456" }))
            .await;
    for (body, code) in [
        (json!({ "username": "JOSÉ.WEISS" }), error_code::USERNAME_TAKEN),
        (json!({ "username": "jose\u{301}.weiss" }), error_code::USERNAME_TAKEN),
        (json!({ "username": "x", "email": "JOSE\u{301}@example.ORG" }), error_code::EMAIL_TAKEN),
        (json!({ "username": "x", "phone": "+4930123456" }), error_code::PHONE_TAKEN),
    ] {
        let error = not_made(&admin, &body).await;
        assert_eq!((error.status().unwrap().as_u16(), error.code()), (409, Some(code)), "{body}");
        let message = error.message();
        for telling in [first.id.0.to_string().as_str(), "José", "jos", "+49"] {
            assert!(!message.contains(telling), "the other account is named: {message}");
        }
    }
    made(&admin, json!({ "username": "jose.weiss" })).await;
}

/// Dioptra checks this when an account is created, and never again.
#[tokio::test]
async fn user_update_rejects_taken_names() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    made(&admin, json!({ "username": "eve", "email": "eve@example.org", "phone": "+4930123456" })).await;
    for (body, code) in [
        (json!({ "username": "EVE" }), error_code::USERNAME_TAKEN),
        (json!({ "email": "Eve@EXAMPLE.org" }), error_code::EMAIL_TAKEN),
        (json!({ "phone": "+4930123456" }), error_code::PHONE_TAKEN),
    ] {
        for session in [&ada, &admin] {
            let refused =
                session.user_update().user("@ada").body(update(body.clone())).send().await.refusal();
            assert_eq!(refused, refusal(409, code), "{body}");
        }
    }
    let same = json!({ "username": "ADA" });
    let renamed = ada.user_update().user("me").body(update(same)).send().await.unwrap();
    assert_eq!(renamed.username.as_deref(), Some("ADA"), "one's own name in another case is free");
}

#[tokio::test]
async fn user_update_frees_the_old_name() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    ada.user_update().user("me").body(update(json!({ "username": "countess" }))).send().await.unwrap();
    let other = made(&admin, json!({ "username": "Ada" })).await;
    assert_ne!(other.id.0, ada.id);
    assert_eq!(ada.user_view().user("@ada").send().await.unwrap().id.0, other.id.0);
}

#[tokio::test]
async fn user_update_keeps_at_least_one_identifier() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    made(&admin, json!({ "username": "ada", "email": "ada@example.org", "phone": "+4930123456" })).await;
    let clear = || types::UserUpdate::builder();
    let username = types::NullableUsername(None);
    let (email, phone) = (types::NullableEmail(None), types::NullablePhone(None));
    let all = clear().username(username.clone()).email(email.clone()).phone(phone.clone());
    let refused = admin.user_update().user("@ada").body(all).send().await.refusal();
    assert_eq!(refused, refusal(422, error_code::IDENTIFIER_REQUIRED));
    let seen = admin.user_update().user("@ada").body(clear().email(email).phone(phone)).send().await.unwrap();
    assert_eq!((seen.email.as_deref(), seen.email_verified, seen.phone_verified), (None, None, None));
    let refused =
        admin.user_update().user("@ada").body(clear().username(username.clone())).send().await.refusal();
    assert_eq!(refused, refusal(422, error_code::IDENTIFIER_REQUIRED), "the last one stays");
    // Replacing one identifier by another in the same request is allowed.
    let new = types::NullableEmail(Some(types::Email::try_from("countess@example.org").unwrap()));
    let swapped = admin.user_update().user("@ada").body(clear().username(username).email(new)).send().await;
    assert_eq!(swapped.unwrap().username, None);
}

#[tokio::test]
async fn user_update_rejects_names_shaped_like_others_addresses_or_numbers() {
    let server = TestServer::start().await;
    let (admin, eve) = (server.admin().await, server.user("eve").await);
    made(&admin, json!({ "username": "victim", "email": "victim@example.org", "phone": "+4930123456" }))
        .await;
    for name in
        ["victim@example.org", "VICTIM@example.org", "+4930123456", "nobody@example.org", "+4930654321"]
    {
        let refused =
            eve.user_update().user("me").body(update(json!({ "username": name }))).send().await.refusal();
        assert_eq!(refused, refusal(422, error_code::USERNAME_NOT_OWN_EMAIL), "{name}");
        let error = not_made(&admin, &json!({ "username": name, "email": "eve@example.org" })).await;
        assert_eq!(error.code(), Some(error_code::USERNAME_NOT_OWN_EMAIL), "{name}");
    }
    let own = json!({ "username": "Eve@Example.org", "email": "eve@example.org" });
    eve.user_update().user("me").body(update(own)).send().await.unwrap();
    // The address cannot be given away while it is the username.
    let refused = eve
        .user_update()
        .user("me")
        .body(update(json!({ "email": "eva@example.org" })))
        .send()
        .await
        .refusal();
    assert_eq!(refused, refusal(422, error_code::USERNAME_NOT_OWN_EMAIL));
    for plain in ["@home", "a@", "+1", "++4930123456"] {
        made(&admin, json!({ "username": plain })).await;
    }
}

/// Otherwise two users would match one identifier, and neither could log in.
#[tokio::test]
async fn user_create_rejects_an_address_that_folds_into_a_username() {
    let server = TestServer::start().await;
    server.user("a1..b@example.org").await;
    let eve = server.user("eve").await;
    let body = serde_json::json!({ "email": "a\u{2488}.b@example.org" });
    let url = format!("http://{}/v1/users/me", server.address);
    let request = reqwest::Client::new().patch(url).bearer_auth(eve.token()).json(&body);
    assert_eq!(request.send().await.unwrap().status().as_u16(), 400);
    server.client().login("a1..b@example.org", PASSWORD).await.unwrap();
}

/// Also if only the length is wrong: "must have 10 to 2048 characters" does not help a caller who wrote
/// `me.png`.
#[tokio::test]
async fn user_create_reports_the_format_of_addresses() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let url = "must be an http or https URL in ASCII, without spaces";
    let mail = "must be an e-mail address such as ada@example.org";
    for (field, value, told) in [
        ("avatar_url", json!("me.png"), url),
        ("avatar_url", json!(""), url),
        ("avatar_url", json!("ftp://example.org/me.png"), url),
        ("avatar_url", json!(format!("https://{}", "x".repeat(2048))), url),
        ("email", json!("a"), mail),
        ("email", json!("somebody"), mail),
        ("email", json!(format!("{}@example.org", "x".repeat(300))), mail),
        ("phone", json!("112"), "must be a telephone number in E.164 form such as +4930123456"),
        ("username", json!(""), "must contain only letters, digits"),
    ] {
        let message =
            not_made_over_the_wire(&server, &admin, json!({ "username": "ada", field: value })).await;
        assert!(message.starts_with(&format!("{field}: {told}")), "{message}");
    }
    let body = json!({ "username": "ada", "profile": { "website": "x.org" } });
    let message = not_made_over_the_wire(&server, &admin, body).await;
    assert!(message.starts_with(&format!("profile.website: {url}")), "{message}");
}

async fn not_made_over_the_wire(server: &TestServer, admin: &crate::support::Person, body: Value) -> String {
    let request = server.request(http::Method::POST, "/v1/users").bearer_auth(admin.token()).json(&body);
    let response = Answer::of(request).await;
    assert_eq!(
        (response.code(), response.error_code().as_str()),
        (400, error_code::INVALID_REQUEST),
        "{body}"
    );
    response.message()
}

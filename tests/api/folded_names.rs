//! Folded names in searches and filters: the current names, folded by one rule, regardless of the operation
//! that wrote them.

use http::Method;
use rollcall_client::{Paged, error_code};
use rollcall_server::commands;
use rollcall_server::config::RegistrationMode;
use serde_json::{Value, json};

use super::{create, refusal};
use crate::support::log::Captured;
use crate::support::people::ADMINISTRATOR;
use crate::support::server::make_cheap;
use crate::support::{Answer, PASSWORD, Person, Refused, TestServer};

/// Results of searching for a user by a field, a word and the beginning of a word.
async fn finds(admin: &Person, field: &str, value: &str) -> Vec<bool> {
    let two: String = value.chars().take(2).collect();
    let filters = [
        format!("{field} eq \"{value}\""),
        format!("{field} co \"{value}\""),
        format!("{field} sw \"{two}\""),
    ];
    let mut found = Vec::new();
    for filter in filters {
        found.push(!admin.user_list().filter(filter).stream().collect().await.unwrap().is_empty());
    }
    for word in [value.to_owned(), format!("{field}:\"{value}\"")] {
        found.push(!admin.user_list().q(word).stream().collect().await.unwrap().is_empty());
    }
    found
}

async fn patch(admin: &Person, server: &TestServer, path: &str, body: Value) {
    let request = server.request(Method::PATCH, path).bearer_auth(admin.token()).header("if-match", "*");
    let response = Answer::of(request.json(&body)).await;
    assert_eq!(response.code(), 200, "{body}: {}", response.message());
}

#[tokio::test]
async fn user_update_removes_cleared_names_from_searches() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let profile = json!({ "given_name": "Ophelia", "family_name": "Drakensberg" });
    let body = json!({
        "username": "wintermute", "email": "zanzibar@example.org", "phone": "+4930123456", "name": "Quintessa",
        "profile": profile,
    });
    let id = admin.user_create().body(create(body)).send().await.unwrap().id.0;
    let path = format!("/v1/users/{id}");
    let fields = [
        ("given_name", "Ophelia", json!({ "profile": { "given_name": null } })),
        ("family_name", "Drakensberg", json!({ "profile": { "family_name": null } })),
        ("name", "Quintessa", json!({ "name": null })),
        ("email", "zanzibar@example.org", json!({ "email": null })),
        ("username", "wintermute", json!({ "username": null })),
    ];
    for (field, value, cleared) in fields.clone() {
        assert_eq!(finds(&admin, field, value).await, [true; 5], "{field}");
        patch(&admin, &server, &path, cleared).await;
        assert_eq!(finds(&admin, field, value).await, [false; 5], "{field} was cleared");
    }
    patch(&admin, &server, &path, json!({ "profile": profile, "name": "Quintessa" })).await;
    for (field, value, _) in &fields[..3] {
        assert_eq!(finds(&admin, field, value).await, [true; 5], "{field} is back");
    }
    patch(&admin, &server, &path, json!({ "profile": null })).await;
    for (field, value, _) in &fields[..2] {
        assert_eq!(finds(&admin, field, value).await, [false; 5], "{field} went with the profile");
    }
    let other = json!({ "given_name": "Hortensia", "family_name": "Kilimanjaro" });
    patch(&admin, &server, &path, json!({ "profile": profile })).await;
    patch(
        &admin,
        &server,
        &path,
        json!({ "profile": other, "name": "Persephone", "username": "neuromancer" }),
    )
    .await;
    for (field, value, now) in [
        ("given_name", "Ophelia", "Hortensia"),
        ("family_name", "Drakensberg", "Kilimanjaro"),
        ("name", "Quintessa", "Persephone"),
        ("username", "wintermute", "neuromancer"),
    ] {
        let found = (finds(&admin, field, value).await, finds(&admin, field, now).await);
        assert_eq!(found, (vec![false; 5], vec![true; 5]), "{field} has another value");
    }
    admin.user_delete().user(id.to_string()).send().await.unwrap();
    for (field, value) in [("given_name", "Hortensia"), ("name", "Persephone"), ("username", "neuromancer")] {
        assert_eq!(finds(&admin, field, value).await, [false; 5], "{field} went with the user");
    }
}

/// Words whose other forms lower-casing alone does not make equal, as they are stored and as they are
/// searched.
const FORMS: &[(&str, &[&str])] = &[
    ("Straße", &["STRASSE", "strasse", "straße", "Stra\u{1e9e}e"]),
    ("STRASSE", &["Straße", "strasse"]),
    ("ΟΔΥΣΣΕΎΣ", &["οδυσσεύς", "οδυσσεύσ"]),
    ("Ａｎｎａ", &["anna", "ANNA"]),
    ("Zoe\u{308}", &["ZOË", "zoë"]),
    ("ﬁnn", &["FINN", "finn"]),
];

/// Asserts that lists find a user's name in each form.
async fn found_in_every_form(admin: &Person, fields: &[&str], how: &str) {
    for (name, forms) in FORMS {
        for form in forms.iter().chain([name]) {
            for field in fields {
                for filter in [format!("{field} eq \"{form}\""), format!("{field} co \"{form}\"")] {
                    let found = admin.user_list().filter(filter.clone()).stream().collect().await.unwrap();
                    assert!(!found.is_empty(), "{how}: {name} by {filter}");
                }
            }
        }
    }
}

#[tokio::test]
async fn user_create_register_and_user_update_fold_names_alike() {
    let open =
        |config: &mut rollcall_server::config::Config| config.registration.mode = RegistrationMode::Open;
    for how in ["user_create", "register", "user_update", "migrate"] {
        let server = TestServer::builder().config(open).start().await;
        let admin = server.admin().await;
        for (number, (name, _)) in FORMS.iter().enumerate() {
            let username = format!("user{number}");
            let mut body = json!({ "username": username, "password": PASSWORD });
            let names = json!({ "name": name, "profile": { "given_name": name, "family_name": name } });
            if how != "user_update" {
                body.as_object_mut().unwrap().extend(names.as_object().unwrap().clone());
            }
            if how == "register" {
                let body = serde_json::from_value::<rollcall_client::types::Register>(body).unwrap();
                server.client().register().body(body).send().await.unwrap();
            } else {
                admin.user_create().body(create(body)).send().await.unwrap();
            }
            if how == "user_update" {
                patch(&admin, &server, &format!("/v1/users/@{username}"), names).await;
            }
        }
        if how == "migrate" {
            // Simulates columns that have just been added.
            server
                .sql(
                    "UPDATE users SET name_folded = NULL, given_name_folded = NULL, family_name_folded = NULL, \
                         search = NULL",
                )
                .await;
            migrate(&server).await;
        }
        found_in_every_form(&admin, &["name", "given_name", "family_name"], how).await;
    }
}

async fn migrate(server: &TestServer) {
    let mut config = server.database.config();
    make_cheap(&mut config);
    let log = Captured::default().logger();
    commands::migrate(&config, &server.database.source(), &log).await.unwrap();
}

#[tokio::test]
async fn group_create_and_group_update_fold_names_alike() {
    for how in ["group_create", "group_update", "migrate"] {
        let server = TestServer::start().await;
        let admin = server.admin().await;
        for (number, (name, _)) in FORMS.iter().enumerate() {
            let slug = format!("group-{number}");
            let first = if how == "group_update" { "Before" } else { name };
            let request = server.request(Method::POST, "/v1/groups").bearer_auth(admin.token());
            let made = Answer::of(request.json(&json!({ "slug": slug, "name": first }))).await;
            assert_eq!(made.code(), 201, "{}", made.message());
            if how == "group_update" {
                patch(&admin, &server, &format!("/v1/groups/@{slug}"), json!({ "name": name })).await;
            }
        }
        if how == "migrate" {
            server.sql("UPDATE groups SET name_folded = NULL, search = NULL").await;
            migrate(&server).await;
        }
        let before = admin.group_list().filter("name eq \"before\"").stream().collect().await.unwrap();
        assert_eq!(before.len(), 0, "{how}");
        for (name, forms) in FORMS {
            for form in forms.iter().chain([name]) {
                let by_filter = admin.group_list().filter(format!("name eq \"{form}\"")).stream();
                let by_word = admin.group_list().q(format!("name:\"{form}\"")).stream();
                let found =
                    (by_filter.collect().await.unwrap().len(), by_word.collect().await.unwrap().len());
                assert!(found.0 > 0 && found.1 > 0, "{how}: {name} by {form}: {found:?}");
            }
        }
    }
}

/// Identifiers in different forms are equal in every operation that writes them.
#[tokio::test]
async fn every_operation_folds_identifiers_alike() {
    let open =
        |config: &mut rollcall_server::config::Config| config.registration.mode = RegistrationMode::Open;
    let server = TestServer::builder().config(open).start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let first = json!({ "username": "Straße", "email": "Straße@example.org", "password": PASSWORD });
    let id = admin.user_create().body(create(first)).send().await.unwrap().id.0;
    let taken = |code: &str| refusal(409, code);
    for (body, code) in [
        (json!({ "username": "STRASSE" }), error_code::USERNAME_TAKEN),
        (json!({ "username": "other", "email": "STRASSE@EXAMPLE.org" }), error_code::EMAIL_TAKEN),
    ] {
        let made = admin.user_create().body(create(body.clone())).send().await.refusal();
        let mut registered = body.clone();
        registered["password"] = PASSWORD.into();
        let registered: rollcall_client::types::Register = serde_json::from_value(registered).unwrap();
        let registered = server.client().register().body(registered).send().await.refusal();
        let changed = ada.user_update().user("me").body(super::update(body)).send().await.refusal();
        assert_eq!([made, registered, changed], [taken(code), taken(code), taken(code)]);
    }
    for typed in ["STRASSE", "strasse", "Stra\u{1e9e}e", "STRASSE@example.ORG"] {
        let session = server.client().login(typed, PASSWORD).await.unwrap();
        assert_eq!(session.user_view().user("me").send().await.unwrap().id.0, id, "{typed}");
    }
    // The command line folds names the same way.
    let mut config = server.database.config();
    make_cheap(&mut config);
    let log = Captured::default().logger();
    let password = Some(PASSWORD.to_owned());
    let source = server.database.source();
    let made = commands::create_admin(&config, &source, "STRASSE", password.clone(), &log).await;
    assert!(made.is_err());
    commands::create_admin(&config, &source, "Gieße", password, &log).await.unwrap();
    let seen = admin.user_view().user("@GIESSE").send().await.unwrap();
    assert_eq!(seen.username.as_deref(), Some("Gieße"));
    assert_ne!(seen.username.as_deref(), Some(ADMINISTRATOR));
}

/// An invitation to an address in another form is an invitation to that address.
#[tokio::test]
async fn invitation_accept_folds_addresses() {
    let server = TestServer::start().await;
    let (admin, eve) = (server.admin().await, server.user("eve").await);
    patch(&admin, &server, "/v1/users/@eve", json!({ "email": "Straße@example.org" })).await;
    let body = json!({ "slug": "engine", "name": "Engine" });
    admin.group_create().body(super::bodies::group(body)).send().await.unwrap();
    let body = super::bodies::invitation(json!({ "email": "STRASSE@Example.org" }));
    let made = admin.group_invitation_create().group("@engine").body(body).send().await.unwrap();
    let token = super::bodies::token(made.token.as_deref().unwrap());
    eve.invitation_accept().body(token).send().await.unwrap();
}

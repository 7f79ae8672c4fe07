//! Arguments of setters, and their errors where a value doesn't follow its rule. No server is needed, because nothing is
//! sent.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use rollcall_client::{Client, Error, ResponseValue, Session, chrono, created_via, types, user_view, uuid};
use serde::Serialize;
use serde_json::{Value, json};

const ID: &str = "01941f29-7c00-7000-8000-000000000001";

/// A session with a server at a port without a listener.
fn session() -> Session {
    Client::builder().url("http://127.0.0.1:1").retries(0).build().unwrap().with_token("rcs_example")
}

/// Asserts that a request was not sent; returns the message.
fn unsent<T>(outcome: Result<ResponseValue<T>, Error>) -> String {
    let error = outcome.err().unwrap();
    assert!(error.is_invalid(), "{error}");
    assert_eq!((error.status(), error.code()), (None, None));
    error.to_string()
}

/// Asserts that a request failed only on connecting.
fn sent<T>(outcome: Result<ResponseValue<T>, Error>) {
    let error = outcome.err().unwrap();
    assert!(!error.is_invalid(), "{error}");
    assert_eq!(error.to_string(), "the server can't be reached");
}

fn body<T: TryFrom<B, Error: std::fmt::Debug> + Serialize, B>(builder: B) -> Value {
    serde_json::to_value(T::try_from(builder).unwrap()).unwrap()
}

fn user() -> types::User {
    serde_json::from_str(include_str!("../../openapi/examples/user_view.response.json")).unwrap()
}

#[test]
fn setters_take_texts_lists_objects_and_builders() {
    let role = types::RoleName::try_from("editor").unwrap();
    let create = types::RoleCreate::builder().name(&role).permissions(["articles:write", "articles:read"]);
    let expected = json!({ "name": "editor", "permissions": ["articles:write", "articles:read"] });
    assert_eq!(body::<types::RoleCreate, _>(create.scope("global").is_default(true)), {
        let mut more = expected.clone();
        (more["scope"], more["is_default"]) = (json!("global"), json!(true));
        more
    });
    let owned: Vec<String> = vec!["articles:write".to_owned(), "articles:read".to_owned()];
    let create = types::RoleCreate::builder().name(String::from("editor")).permissions(owned.as_slice());
    assert_eq!(body::<types::RoleCreate, _>(create), expected);
    let create = types::UserCreate::builder().username("ada").password("plum lantern over quiet rivers");
    let create =
        create.profile(types::ProfileInput::builder().nickname("Ada")).custom_data(json!({ "a": 1 }));
    assert_eq!(
        body::<types::UserCreate, _>(create),
        json!({
            "username": "ada",
            "password": "plum lantern over quiet rivers",
            "profile": { "nickname": "Ada" },
            "custom_data": { "a": 1 },
        })
    );
    let suspend = types::UserSuspend::builder().until("2026-11-24T09:30:00+01:00");
    assert_eq!(body::<types::UserSuspend, _>(suspend), json!({ "until": "2026-11-24T08:30:00Z" }));
    let absent: Option<types::Description> = None;
    assert_eq!(body::<types::UserSuspend, _>(types::UserSuspend::builder().reason(absent)), json!({}));
}

#[test]
fn setters_take_ids_as_references() {
    let ada = user();
    let id = &ada.id;
    let add = types::GroupMemberAdd::builder;
    for add in [
        add().user(ada.id),
        add().user(id),
        add().user(&ada),
        add().user(ada.id.0),
        add().user(ada.id.to_string()),
    ] {
        let added = body::<types::GroupMemberAdd, _>(add.roles(["@editor"]));
        assert_eq!(added, json!({ "user": ada.id, "roles": ["@editor"] }));
    }
    let role = types::RoleId::from(ID.parse::<uuid::Uuid>().unwrap());
    assert_eq!(
        body::<types::UserRoles, _>(types::UserRoles::builder().roles([role])),
        json!({ "roles": [ID] })
    );
    let group = types::GroupId::from(role.0);
    let check = types::AccessCheck::builder().user(ada.id).group(group).permission("articles:write");
    assert_eq!(
        body::<types::AccessCheck, _>(check),
        json!({ "user": ada.id, "group": ID, "permission": "articles:write" })
    );
}

#[tokio::test]
async fn parameters_take_ids_texts_and_times() {
    let (session, ada) = (session(), user());
    let (role, group) = (types::RoleId::from(ada.id.0), types::GroupId::from(ada.id.0));
    sent(session.user_view().user(ada.id).send().await);
    sent(session.user_role_remove().user(&ada).role(role).send().await);
    sent(session.group_member_remove().group(group).user("@ada").send().await);
    sent(session.user_session_delete().user("me").session(ada.id.0).send().await);
    sent(
        session.user_list().limit(100).total("exact").q("ada").sort(String::from("-created_at")).send().await,
    );
    sent(
        session
            .audit_event_list()
            .since("2026-11-24T00:00:00Z")
            .until(chrono::DateTime::UNIX_EPOCH)
            .send()
            .await,
    );
}

#[tokio::test]
async fn an_invalid_value_is_an_error_that_names_field_value_and_rule() {
    let session = session();
    let create = |body: types::builder::UserCreate| session.user_create().body(body).send();
    let new = types::UserCreate::builder;
    let letters = "contain only letters, digits and . _ - + @";
    assert_eq!(
        unsent(create(new().username("has space")).await),
        format!("username: \"has space\" must {letters}")
    );
    let short = "phone: \"0207\" must have 8 to 16 characters";
    assert_eq!(unsent(create(new().phone("0207")).await), short);
    let profile = types::ProfileInput::builder().nickname("tab\there");
    assert_eq!(
        unsent(create(new().profile(profile)).await),
        "profile.nickname: \"tab\\there\" must contain a visible character, and no control characters, direction marks or other invisible characters"
    );
    assert_eq!(
        unsent(create(new().custom_data(json!([1]))).await),
        "custom_data: \"[1]\" must be a JSON object"
    );
    let long = unsent(create(new().name("x".repeat(100_000))).await);
    assert!(long.len() < 200 && long.ends_with("…\" must have 1 to 128 characters"), "{long}");

    let update = |body: types::builder::UserUpdate| session.user_update().user("me").body(body).send();
    let number = "must be a telephone number in E.164 form such as +4930123456";
    let phone = types::UserUpdate::builder().phone(rollcall_client::Set("004930123456"));
    assert_eq!(unsent(update(phone).await), format!("phone: \"004930123456\" {number}"));
    assert_eq!(
        unsent(session.user_view().user("ada").send().await),
        "user: \"ada\" must be an id, `@username` or `me`"
    );
    assert_eq!(unsent(session.user_view().send().await), "user: must be set");
    assert_eq!(
        unsent(session.login().body(types::Login::builder().identifier("ada")).send().await),
        "password: must be set"
    );
    assert_eq!(unsent(session.user_list().limit(0).send().await), "limit: \"0\" must be at least 1");
    assert_eq!(
        unsent(session.user_list().total("all").send().await),
        "total: \"all\" must be `exact` or `estimate`"
    );
    let since = unsent(session.audit_event_list().since("2026-11-24").send().await);
    assert!(since.starts_with("since: \"2026-11-24\" must be a time as in RFC 3339"), "{since}");
    let roles = types::UserRoles::builder().roles(["@editor", "editor"]);
    assert_eq!(
        unsent(session.user_role_add().user("me").body(roles).send().await),
        "roles: \"editor\" must be an id or `@name`"
    );
}

#[tokio::test]
async fn an_error_never_shows_a_secret() {
    let session = session();
    let accept = types::InvitationAccept::builder().token("rci_secret\n");
    let said = unsent(session.invitation_accept().body(accept).send().await);
    assert_eq!(said, "token: must contain no control characters");
}

#[test]
fn open_values_are_compared_with_their_constants() {
    let ada = user();
    assert_eq!(ada.view, user_view::FULL);
    assert_eq!(user_view::FULL, ada.view);
    assert_ne!(ada.view, user_view::CARD);
    assert!(ada.created_via.is_some_and(|via| via == created_via::ADMIN));
}

#[test]
fn ids_are_copied_compared_and_ordered() {
    let (one, two) = (user().id, user().id);
    assert_eq!((one, BTreeSet::from([one, two]).len()), (two, 1));
}

/// Errors state rules in words, never as regular expressions.
#[test]
fn rules_are_in_words() {
    let generated = include_str!("../src/generated.rs");
    for jargon in ["doesn't match pattern", "conversion to `", "invalid value", "error converting"] {
        assert!(!generated.contains(jargon), "{jargon}");
    }
    let errors = [
        types::Username::try_from("has space").unwrap_err().to_string(),
        types::Email::try_from("a").unwrap_err().to_string(),
        types::WebUrl::try_from("ftp://example.org").unwrap_err().to_string(),
        types::EntityTags::try_from("7").unwrap_err().to_string(),
        types::GroupRef::try_from("engine").unwrap_err().to_string(),
    ];
    assert_eq!(
        errors,
        [
            "must contain only letters, digits and . _ - + @",
            "must have 3 to 254 characters",
            "must be an http or https URL in ASCII, without spaces",
            "must be `*` or entity tags in their quotes, separated by commas",
            "must be an id or `@slug`",
        ]
    );
}

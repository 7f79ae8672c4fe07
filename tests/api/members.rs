//! Groups created by users: members, owners, invitations, and permission queries about them.

use rollcall_api::access::Permission;
use rollcall_client::{error_code, types, user_view};
use rollcall_server::config::RegistrationMode;
use serde_json::{Value, json};

use super::{bodies, refusal};
use crate::support::{Answer, PASSWORD, Person, Refused, TestServer};

async fn call(server: &TestServer, who: &Person, method: &str, path: &str, body: Option<Value>) -> Answer {
    let mut request = server.request(method.parse().unwrap(), path).bearer_auth(who.token());
    if let Some(body) = body {
        request = request.json(&body);
    }
    Answer::of(request).await
}

/// An administrator, and Ada, who owns the group `engine`.
async fn engine(server: &TestServer) -> (Person, Person) {
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let body =
        json!({ "slug": "engine", "name": "Engine", "owner": "@ada", "custom_data": { "a": { "b": 1 } } });
    admin.group_create().body(bodies::group(body)).send().await.unwrap();
    (admin, ada)
}

#[tokio::test]
async fn group_member_add_and_the_rest_let_owners_manage_their_group() {
    let server = TestServer::start().await;
    let (_, ada) = engine(&server).await;
    let grace = server.user("grace").await;
    let join = bodies::member("@grace", &["@read", "@write", "@read"]);
    let added = ada.group_member_add().group("@engine").body(join.clone()).send().await.unwrap();
    assert_eq!((added.status().as_u16(), &added.roles[..]), (201, &["read".to_owned(), "write".into()][..]));
    assert_eq!(added.user.view.0, user_view::CARD, "an owner sees of a member what everybody sees");
    let twice = ada.group_member_add().group("@engine").body(join).send().await.refusal();
    assert_eq!(twice, refusal(409, error_code::ALREADY_MEMBER));
    let change = bodies::member_roles(&[]);
    let changed =
        ada.group_member_update().group("@engine").user("@grace").body(change).send().await.unwrap();
    assert_eq!(changed.roles, ["member"], "where none is named");
    let merge = json!({ "custom_data": { "a": { "c": 2 } }, "description": "Brass", "mfa_required": true });
    let merged = ada.group_update().group("@engine").body(bodies::group_changes(merge)).send().await.unwrap();
    assert_eq!(Value::Object(merged.custom_data.0.clone()), json!({ "a": { "b": 1, "c": 2 } }));
    assert_eq!((merged.description.as_deref(), merged.mfa_required), (Some("Brass"), true));
    ada.group_member_remove().group("@engine").user("@grace").send().await.unwrap();
    let seen = grace.group_view().group("@engine").send().await.refusal();
    assert_eq!(seen, refusal(404, error_code::NOT_FOUND));
}

/// Of two concurrent acceptances, one succeeds.
#[tokio::test]
async fn invitation_accept_works_once() {
    let server = TestServer::start().await;
    let (_, ada) = engine(&server).await;
    let (grace, alan) = (server.user("grace").await, server.user("alan").await);
    let body = bodies::invitation(json!({ "roles": ["@read"], "expires_in_seconds": 3600 }));
    let made = ada.group_invitation_create().group("@engine").body(body).send().await.unwrap();
    let token = made.token.clone().unwrap();
    let accept = async |who: &Person| {
        let response = who.invitation_accept().body(bodies::token(&token)).send().await;
        response.map(|joined| joined.into_inner().roles).map_err(|error| error.status().unwrap().as_u16())
    };
    let (first, second) = futures::join!(accept(&grace), accept(&alan));
    let (joined, refused) = if first.is_ok() { (first, second) } else { (second, first) };
    assert_eq!((joined, refused), (Ok(vec!["read".to_owned()]), Err(422)));
    let list = ada.group_member_list().group("@engine").send().await.unwrap();
    assert_eq!(list.items.len(), 2);
}

#[tokio::test]
async fn register_accepts_an_invitation_where_one_is_needed() {
    let server = TestServer::builder()
        .config(|config| config.registration.mode = RegistrationMode::Invite)
        .start()
        .await;
    let (_, ada) = engine(&server).await;
    let body = bodies::invitation(json!({}));
    let made = ada.group_invitation_create().group("@engine").body(body).send().await.unwrap();
    let token = made.token.clone().unwrap();
    let register = async |username: &str, token: Option<&str>| {
        let mut body = json!({ "username": username, "password": PASSWORD });
        if let Some(token) = token {
            body["invitation"] = token.into();
        }
        let body: types::Register = serde_json::from_value(body).unwrap();
        server.client().register().body(body).send().await
    };
    let closed = refusal(403, error_code::REGISTRATION_CLOSED);
    assert_eq!(register("eve", None).await.refusal(), closed);
    let invalid = refusal(422, error_code::INVITATION_INVALID);
    assert_eq!(register("eve", Some("rci_nonsense")).await.refusal(), invalid);
    let grace = register("grace", Some(&token)).await.unwrap();
    assert_eq!(grace.groups.as_deref(), Some(&["engine".to_owned(), "public".into()][..]));
    assert_eq!(register("eve", Some(&token)).await.refusal(), invalid);
    assert_eq!(server.count("SELECT count(*) FROM users").await, 3);
}

#[tokio::test]
async fn access_check_and_user_permission_list_serve_applications() {
    let server = TestServer::start().await;
    let (admin, ada) = engine(&server).await;
    let grace = server.user("grace").await;
    let body = json!({ "user": "@grace", "roles": ["@write"] });
    call(&server, &ada, "POST", "/v1/groups/@engine/members", Some(body)).await;
    let check = async |who: &Person, body: Value| call(&server, who, "POST", "/v1/check", Some(body)).await;
    let inside = check(&grace, json!({ "permission": "data:write", "group": "@engine" })).await.json();
    assert_eq!(
        (&inside["allowed"], &inside["role"], &inside["scope"]),
        (&json!(true), &json!("write"), &json!("group"))
    );
    let outside = check(&grace, json!({ "permission": "data:write" })).await.json();
    assert_eq!(outside["allowed"], false);
    assert_eq!(check(&grace, json!({ "user": "@ada", "permission": "data:write" })).await.code(), 403);
    assert_eq!(check(&grace, json!({ "permission": "data:write", "group": "@nowhere" })).await.code(), 404);
    let hidden = json!({ "permission": "data:write", "group": "@engine" });
    let outsider = server.user("outsider").await;
    assert_eq!(check(&outsider, hidden).await.code(), 404, "a group that one may not see");
    let global =
        check(&admin, json!({ "user": "@administrator", "permission": "users:read", "group": "@engine" }))
            .await
            .json();
    assert_eq!((&global["allowed"], &global["scope"]), (&json!(true), &json!("global")));
    let list = call(&server, &grace, "GET", "/v1/users/me/permissions?group=@engine", None).await.json();
    assert_eq!(
        list["permissions"],
        json!([{ "permission": "data:write", "role": "write", "scope": "group" }])
    );
    server.suspend(grace.id).await;
    let suspended =
        check(&admin, json!({ "user": "@grace", "permission": "data:write", "group": "@engine" }))
            .await
            .json();
    assert_eq!(suspended["allowed"], false);
}

#[tokio::test]
async fn audit_event_list_shows_own_events_to_users_and_all_to_auditors() {
    let server = TestServer::start().await;
    let (admin, ada) = engine(&server).await;
    let grace = server.user("grace").await;
    call(&server, &grace, "PATCH", "/v1/users/me", Some(json!({ "name": "Grace" }))).await;
    assert_eq!(
        call(&server, &grace, "POST", "/v1/users", Some(json!({ "username": "x" }))).await.code(),
        403
    );
    let events = call(&server, &grace, "GET", "/v1/audit-events?limit=100", None).await.json();
    let items = events["items"].as_array().unwrap();
    assert_eq!((&items[0]["operation"], &items[0]["result"]), (&json!("user_create"), &json!("refused")));
    assert_eq!((&items[1]["operation"], &items[1]["result"]), (&json!("user_update"), &json!("done")));
    let own = json!(grace.path());
    assert!(items.iter().all(|event| event["actor_id"] == own || event["target_id"] == own));
    let auditor = server.holder("auditor1", &[Permission::AuditRead]).await;
    let path = format!("/v1/audit-events?actor={}&operation=group_create", admin.id);
    let found = call(&server, &auditor, "GET", &path, None).await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(call(&server, &ada, "GET", &path, None).await.json()["items"], json!([]));
    let first = call(&server, &auditor, "GET", "/v1/audit-events?limit=2", None).await.json();
    let token = first["next_page"].as_str().unwrap();
    let next =
        call(&server, &auditor, "GET", &format!("/v1/audit-events?limit=2&page_token={token}"), None).await;
    assert_eq!(next.code(), 200);
    assert_ne!(next.json()["items"][0]["id"], first["items"][0]["id"]);
    let db = server.db().await;
    for change in
        ["UPDATE audit_events SET operation = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"]
    {
        assert!(db.execute(change, &[]).await.is_err(), "{change}");
    }
}

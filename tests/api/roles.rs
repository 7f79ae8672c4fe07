//! Roles, and who holds them.

use rollcall_api::access::Permission;
use rollcall_client::{error_code, types};
use serde_json::{Value, json};

use crate::support::{Answer, Person, TestServer};

async fn call(server: &TestServer, who: &Person, method: &str, path: &str, body: Option<Value>) -> Answer {
    let mut request = server.request(method.parse().unwrap(), path).bearer_auth(who.token());
    if let Some(body) = body {
        request = request.json(&body);
    }
    Answer::of(request).await
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.code(), answer.error_code())
}

async fn editor(server: &TestServer, admin: &Person) {
    let body =
        json!({ "name": "editor", "permissions": ["articles:write", "articles:write", "articles:publish"] });
    let created = call(server, admin, "POST", "/v1/roles", Some(body)).await;
    assert_eq!(created.code(), 201, "{}", created.message());
    assert_eq!(created.json()["permissions"], json!(["articles:publish", "articles:write"]));
}

#[tokio::test]
async fn roles_are_given_replaced_and_taken() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    server.user("ada").await;
    editor(&server, &admin).await;
    let path = "/v1/users/@ada/roles";
    let give = json!({ "roles": ["@editor", "@editor", "@auditor"] });
    let given = call(&server, &admin, "POST", path, Some(give.clone())).await.json();
    assert_eq!(given["added"], json!(["auditor", "editor"]));
    let again = call(&server, &admin, "POST", path, Some(give)).await.json();
    assert_eq!((&again["added"], &again["roles"]), (&json!([]), &json!(["auditor", "editor"])));
    let found = call(&server, &admin, "GET", "/v1/users/@ada/roles?q=EDIT", None).await.json();
    assert_eq!(found["items"][0]["name"], "editor");
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let replaced = call(&server, &admin, "PUT", path, Some(json!({ "roles": ["@editor"] }))).await.json();
    assert_eq!((&replaced["removed"], &replaced["roles"]), (&json!(["auditor"]), &json!(["editor"])));
    let taken = call(&server, &admin, "DELETE", "/v1/users/@ada/roles/@editor", None).await;
    assert_eq!(taken.code(), 204);
    let not_held = call(&server, &admin, "DELETE", "/v1/users/@ada/roles/@editor", None).await;
    assert_eq!(refused(&not_held), (404, error_code::NOT_FOUND.to_owned()));
    let none = call(&server, &admin, "PUT", path, Some(json!({ "roles": [] }))).await.json();
    assert_eq!(none["roles"], json!([]));
}

/// All or nothing, and by the right name.
#[tokio::test]
async fn unknown_and_wrong_roles_change_nothing() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    server.user("ada").await;
    let machine = json!({ "name": "robot", "type": "machine" });
    call(&server, &admin, "POST", "/v1/roles", Some(machine)).await;
    let before = server.dump().await;
    for (role, status, code) in
        [("@nope", 404, "not_found"), ("@member", 422, "wrong_role_type"), ("@robot", 422, "wrong_role_type")]
    {
        let body = json!({ "roles": ["@auditor", role] });
        let answer = call(&server, &admin, "POST", "/v1/users/@ada/roles", Some(body)).await;
        assert_eq!(refused(&answer), (status, code.to_owned()));
        assert!(answer.message().contains(role), "{}", answer.message());
    }
    assert_eq!(before, server.dump().await);
}

#[tokio::test]
async fn nobody_grants_what_they_dont_hold() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    server.user("ada").await;
    editor(&server, &admin).await;
    let clerk = server.holder("clerk", &[Permission::RolesAssign]).await;
    for role in ["@administrator", "@auditor", "@editor"] {
        let body = json!({ "roles": [role] });
        let answer = call(&server, &clerk, "POST", "/v1/users/@ada/roles", Some(body)).await;
        assert_eq!(refused(&answer), (403, error_code::FORBIDDEN.to_owned()), "{role}");
    }
    let own =
        call(&server, &clerk, "POST", "/v1/users/me/roles", Some(json!({ "roles": ["@administrator"] })))
            .await;
    assert_eq!(own.code(), 403);
    let writer = server.holder("writer", &[Permission::RolesWrite]).await;
    let body = json!({ "name": "sneaky", "permissions": ["users:delete"] });
    assert_eq!(call(&server, &writer, "POST", "/v1/roles", Some(body)).await.code(), 403);
}

#[tokio::test]
async fn built_in_roles_and_roles_in_use_are_kept() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    server.user("ada").await;
    editor(&server, &admin).await;
    for role in ["administrator", "auditor", "owner", "member"] {
        let answer = call(&server, &admin, "DELETE", &format!("/v1/roles/@{role}?force=true"), None).await;
        assert_eq!(refused(&answer), (409, error_code::BUILT_IN_ROLE.to_owned()));
        let body = json!({ "permissions": [] });
        let answer = call(&server, &admin, "PATCH", &format!("/v1/roles/@{role}"), Some(body)).await;
        assert_eq!(refused(&answer), (409, error_code::BUILT_IN_ROLE.to_owned()));
    }
    call(&server, &admin, "POST", "/v1/users/@ada/roles", Some(json!({ "roles": ["@editor"] }))).await;
    let in_use = call(&server, &admin, "DELETE", "/v1/roles/@editor", None).await;
    assert_eq!(refused(&in_use), (409, error_code::ROLE_IN_USE.to_owned()));
    assert_eq!(call(&server, &admin, "DELETE", "/v1/roles/@editor?force=true", None).await.code(), 204);
    let ada = admin.user_view().user("@ada").send().await.unwrap();
    assert_eq!(ada.roles.as_deref(), Some(&[][..]));
}

#[tokio::test]
async fn permissions_follow_their_grammar_and_place() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (permission, status) in
        [("Bad", 400), ("one", 400), ("a:", 400), ("users:fly", 422), ("group:admin", 422), ("a:b:c:d", 201)]
    {
        let body = json!({ "name": "probe", "permissions": [permission] });
        assert_eq!(
            call(&server, &admin, "POST", "/v1/roles", Some(body)).await.code(),
            status,
            "{permission}"
        );
    }
    let twice = call(&server, &admin, "POST", "/v1/roles", Some(json!({ "name": "probe" }))).await;
    assert_eq!(refused(&twice), (409, error_code::ROLE_NAME_TAKEN.to_owned()));
}

#[tokio::test]
async fn default_roles_go_to_new_users() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body = json!({ "name": "reader", "permissions": ["articles:read"], "is_default": true });
    assert_eq!(call(&server, &admin, "POST", "/v1/roles", Some(body)).await.code(), 201);
    let created = call(&server, &admin, "POST", "/v1/users", Some(json!({ "username": "grace" }))).await;
    assert_eq!(created.json()["roles"], json!(["reader"]));
}

#[tokio::test]
async fn a_changed_role_counts_on_the_next_request() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.user("ada").await;
    let body = json!({ "name": "helper", "permissions": ["users:read"] });
    call(&server, &admin, "POST", "/v1/roles", Some(body)).await;
    call(&server, &admin, "POST", "/v1/users/@ada/roles", Some(json!({ "roles": ["@helper"] }))).await;
    let staff = ada.user_view().user("me").send().await.unwrap();
    assert_eq!((staff.is_staff, staff.is_superuser), (Some(true), Some(false)));
    let of_admin = async || call(&server, &ada, "GET", "/v1/users/@administrator", None).await.json();
    assert_eq!(of_admin().await["view"], "full");
    call(&server, &admin, "PATCH", "/v1/roles/@helper", Some(json!({ "permissions": [] }))).await;
    assert_eq!(of_admin().await["view"], "card");
}

#[tokio::test]
async fn suspension_ends_everything_at_once_and_by_itself() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ada = server.user("ada").await;
    let until = rollcall_server::clock::Clock::now(&*server.clock) + chrono::TimeDelta::hours(1);
    let body = json!({ "reason": "lost laptop", "until": until });
    let suspended = call(&server, &admin, "POST", "/v1/users/@ada/suspend", Some(body)).await.json();
    assert_eq!(
        (&suspended["suspended"], &suspended["suspended_reason"]),
        (&json!(true), &json!("lost laptop"))
    );
    assert_eq!(call(&server, &ada, "GET", "/v1/session", None).await.code(), 401);
    let client = server.client();
    assert!(client.login("ada", crate::support::PASSWORD).await.is_err());
    server.clock.advance(chrono::TimeDelta::minutes(61));
    assert_eq!(call(&server, &ada, "GET", "/v1/session", None).await.code(), 401, "no session comes back");
    client.login("ada", crate::support::PASSWORD).await.unwrap();
    let admin = server.admin().await;
    call(&server, &admin, "POST", "/v1/users/@ada/suspend", Some(json!({}))).await;
    assert!(client.login("ada", crate::support::PASSWORD).await.is_err());
    let back = call(&server, &admin, "POST", "/v1/users/@ada/reactivate", None).await.json();
    assert_eq!(back["suspended"], false);
    client.login("ada", crate::support::PASSWORD).await.unwrap();
}

/// Deleted, suspended, demoted: the last administrator stays, whichever way it is tried.
#[tokio::test]
async fn the_last_administrator_stays_against_parallel_requests() {
    let server = TestServer::start().await;
    let (one, two) = (server.admin().await, server.user("two").await);
    server.make_administrator(two.id).await;
    let token = two.token();
    let attempts = (0..64).map(|number| {
        let (who, path) =
            if number % 2 == 0 { (one.token(), two.path()) } else { (token.clone(), one.path()) };
        let (method, path, body) = match number % 3 {
            0 => (http::Method::POST, format!("/v1/users/{path}/suspend"), Some(json!({}))),
            1 => (http::Method::PUT, format!("/v1/users/{path}/roles"), Some(json!({ "roles": [] }))),
            _ => (http::Method::DELETE, format!("/v1/users/{path}"), None),
        };
        let mut request = server.request(method, &path).bearer_auth(who);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request)
    });
    for answer in futures::future::join_all(attempts).await {
        assert!(answer.code() < 500, "{} {}", answer.code(), answer.message());
    }
    let left = "SELECT count(*) FROM user_roles JOIN users ON users.id = user_id JOIN roles ON roles.id = role_id \
        WHERE roles.name = 'administrator' AND NOT users.suspended";
    let left: i64 = server.db().await.query_one(left, &[]).await.unwrap().get(0);
    assert_eq!(left, 1);
}

#[tokio::test]
async fn the_client_speaks_roles_too() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    server.user("ada").await;
    let body = types::UserRoles { roles: vec!["@auditor".parse().unwrap()] };
    let changed = admin.user_role_add().user("@ada").body(body).send().await.unwrap();
    assert_eq!(changed.roles, ["auditor"]);
    let check = types::AccessCheck::builder()
        .user(types::UserRef::try_from("@ada").unwrap())
        .permission(types::PermissionName::try_from("users:read").unwrap());
    let decision = admin.access_check().body(check).send().await.unwrap();
    assert!(decision.allowed);
    assert_eq!(decision.role.as_deref(), Some("auditor"));
}

//! Permission queries by applications: checks of one permission, and lists of all permissions of a user.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use rollcall_api::access::Permission;
use rollcall_server::clock::Clock;
use rollcall_server::config::Config;
use serde_json::{Value, json};

use crate::support::cluster::Database;
use crate::support::{Answer, Person, TestServer, turns};

async fn call(server: &TestServer, who: &Person, method: &str, path: &str, body: Option<Value>) -> Answer {
    let mut request = server.request(method.parse().unwrap(), path).bearer_auth(who.token());
    if let Some(body) = body {
        request = request.json(&body);
    }
    Answer::of(request).await
}

/// Sends a request as an administrator that must succeed.
async fn arrange(server: &TestServer, admin: &Person, method: &str, path: &str, body: Value) -> Answer {
    let response = call(server, admin, method, path, Some(body)).await;
    assert!(response.code() < 300, "{path}: {}", response.message());
    response
}

/// Queries one permission and all of them; returns the status and the role that gives the permission, if any.
async fn ask(
    server: &TestServer,
    who: &Person,
    user: &str,
    permission: &str,
    group: Option<&str>,
) -> (u16, Option<String>) {
    let mut body = json!({ "user": user, "permission": permission });
    let mut path = format!("/v1/users/{user}/permissions");
    if let Some(group) = group {
        body["group"] = group.into();
        path = format!("{path}?group={group}");
    }
    let check = call(server, who, "POST", "/v1/check", Some(body)).await;
    let list = call(server, who, "GET", &path, None).await;
    assert_eq!(check.code(), list.code(), "{user} {permission} {group:?}");
    if check.code() != 200 {
        return (check.code(), None);
    }
    let (check, list) = (check.json(), list.json());
    let role = check["role"].as_str().map(|role| format!("{} {role}", check["scope"].as_str().unwrap()));
    assert_eq!(check["allowed"], json!(role.is_some()));
    let listed = list["permissions"].as_array().unwrap().iter().find(|held| held["permission"] == permission);
    let first =
        listed.map(|held| format!("{} {}", held["scope"].as_str().unwrap(), held["role"].as_str().unwrap()));
    assert_eq!(role, first, "the check and the first of the list: {user} {permission} {group:?}");
    (200, role)
}

/// Ada in the group `engine`.
async fn engine(server: &TestServer) -> (Person, Person, String) {
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let body = json!({ "slug": "engine", "name": "Engine", "owner": "@ada" });
    let group = arrange(server, &admin, "POST", "/v1/groups", body).await.json();
    (admin, ada, group["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn access_check_is_the_same_for_every_form_of_user_and_group() {
    let server = TestServer::start().await;
    let (admin, ada, group) = engine(&server).await;
    for (who, user) in [(&ada, "me"), (&ada, "@ada"), (&admin, "@ADA"), (&admin, &ada.path())] {
        for place in ["@engine", &group] {
            let response = ask(&server, who, user, "group:own", Some(place)).await;
            assert_eq!(response, (200, Some("group owner".to_owned())), "{user} in {place}");
        }
        assert_eq!(ask(&server, who, user, "group:own", Some("@public")).await, (200, None));
        assert_eq!(ask(&server, who, user, "group:own", None).await, (200, None));
    }
    let global = Some("global administrator".to_owned());
    assert_eq!(ask(&server, &admin, "me", "users:read", Some("@engine")).await, (200, global.clone()));
    assert_eq!(ask(&server, &admin, "me", "users:read", None).await, (200, global));
}

#[tokio::test]
async fn access_check_reports_global_roles_first_then_by_name() {
    let server = TestServer::start().await;
    let (admin, _, _) = engine(&server).await;
    for (name, scope) in [("zeta", "global"), ("alpha", "global"), ("beta", "group"), ("omega", "group")] {
        let role = json!({ "name": name, "scope": scope, "permissions": ["data:read", "data:list"] });
        arrange(&server, &admin, "POST", "/v1/roles", role).await;
    }
    let asked = async |group| ask(&server, &admin, "@ada", "data:read", group).await.1;
    let roles = json!({ "roles": ["@omega", "@owner"] });
    arrange(&server, &admin, "PATCH", "/v1/groups/@engine/members/@ada", roles).await;
    assert_eq!(asked(Some("@engine")).await.as_deref(), Some("group omega"));
    let roles = json!({ "roles": ["@omega", "@beta", "@owner"] });
    arrange(&server, &admin, "PATCH", "/v1/groups/@engine/members/@ada", roles).await;
    assert_eq!(asked(Some("@engine")).await.as_deref(), Some("group beta"));
    assert_eq!((asked(Some("@public")).await, asked(None).await), (None, None));
    arrange(&server, &admin, "POST", "/v1/users/@ada/roles", json!({ "roles": ["@zeta"] })).await;
    assert_eq!(asked(Some("@engine")).await.as_deref(), Some("global zeta"));
    arrange(&server, &admin, "POST", "/v1/users/@ada/roles", json!({ "roles": ["@alpha"] })).await;
    assert_eq!(asked(Some("@engine")).await.as_deref(), Some("global alpha"));
    assert_eq!(asked(None).await.as_deref(), Some("global alpha"));
    let list = call(&server, &admin, "GET", "/v1/users/@ada/permissions?group=@engine", None).await.json();
    let listed: Vec<String> = list["permissions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|held| format!("{} {}", held["permission"].as_str().unwrap(), held["role"].as_str().unwrap()))
        .filter(|held| held.starts_with("data:"))
        .collect();
    let roles = ["alpha", "zeta", "beta", "omega"];
    let expected =
        ["data:list", "data:read"].map(|permission| roles.map(|role| format!("{permission} {role}")));
    assert_eq!(listed, expected.concat());
}

#[tokio::test]
async fn access_check_hides_users_and_groups_from_callers() {
    let server = TestServer::start().await;
    let (_, ada, group) = engine(&server).await;
    let grace = server.user("grace").await;
    let reader = server.holder("reader", &[Permission::UsersRead]).await;
    let nowhere = uuid::Uuid::now_v7().to_string();
    for (who, user, place, status) in [
        (&ada, "me", Some("@engine"), 200),
        (&grace, "me", Some("@engine"), 404),
        (&grace, "me", Some(group.as_str()), 404),
        (&grace, "me", Some("@nowhere"), 404),
        (&grace, "me", Some(nowhere.as_str()), 404),
        (&grace, "@ada", None, 403),
        (&grace, "@ada", Some("@nowhere"), 403),
        (&grace, "@nobody", None, 403),
        (&reader, "@nobody", None, 404),
        (&reader, nowhere.as_str(), Some("@public"), 404),
        // The user in question is a member; neither is; the caller is.
        (&reader, "@ada", Some("@engine"), 200),
        (&reader, "@grace", Some("@engine"), 404),
        (&reader, "@grace", Some("@public"), 200),
    ] {
        let response = ask(&server, who, user, "data:read", place).await;
        assert_eq!(response, (status, None), "{} asks for {user} in {place:?}", who.username);
    }
    let both = [(&grace, "me", "@engine"), (&grace, "me", "@nowhere")].map(async |(who, user, place)| {
        let body = json!({ "user": user, "permission": "data:read", "group": place });
        call(&server, who, "POST", "/v1/check", Some(body)).await.message()
    });
    let both = futures::future::join_all(both).await;
    assert_eq!(both[0], both[1], "a hidden group and none at all are told apart");
}

#[tokio::test]
async fn access_check_of_suspended_users_denies_everything() {
    let server = TestServer::start().await;
    let (admin, ada, _) = engine(&server).await;
    let owner = (200, Some("group owner".to_owned()));
    assert_eq!(ask(&server, &admin, "@ada", "group:own", Some("@engine")).await, owner);
    let until = server.clock.now() + TimeDelta::hours(1);
    let body = json!({ "until": until });
    arrange(&server, &admin, "POST", &format!("/v1/users/{}/suspend", ada.path()), body).await;
    assert_eq!(ask(&server, &admin, "@ada", "group:own", Some("@engine")).await, (200, None));
    server.advance(TimeDelta::hours(2));
    let admin = server.admin().await;
    assert_eq!(ask(&server, &admin, "@ada", "group:own", Some("@engine")).await, owner);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_check_and_user_permission_list_take_one_round_trip() {
    let (database, turns) = (Database::migrated(), Arc::new(AtomicUsize::new(0)));
    let url = turns::relay(&database, Arc::clone(&turns)).await;
    let one_connection = |config: &mut Config| config.database.shared_connections = 1;
    let server = TestServer::builder().config(one_connection).database(&url).start().await;
    let (_, ada, group) = engine(&server).await;
    // The first run prepares the statements.
    for measured in [false, true] {
        for user in ["me", "@ada", &ada.path()] {
            for place in [None, Some("@engine"), Some(group.as_str())] {
                let mut body = json!({ "user": user, "permission": "group:own" });
                let mut path = format!("/v1/users/{user}/permissions");
                if let Some(place) = place {
                    body["group"] = place.into();
                    path = format!("{path}?group={place}");
                }
                // The last one has to authenticate before its query: it shows that the relay counts two.
                for (method, path, body, expected) in [
                    ("POST", "/v1/check", Some(body), 1),
                    ("GET", &path, None, 1),
                    ("GET", "/v1/audit-events", None, 2),
                ] {
                    let before = turns.load(Ordering::SeqCst);
                    assert_eq!(call(&server, &ada, method, path, body).await.code(), 200);
                    let taken = turns.load(Ordering::SeqCst) - before;
                    assert!(!measured || taken == expected, "{path} for {user} in {place:?} took {taken}");
                }
            }
        }
    }
    drop(server);
    database.drop_now();
}

//! Replays after a deletion: a retry neither reveals nor restores a deleted resource. Covers each operation
//! with an idempotency key, and each way in which the created resource can be deleted.

use chrono::TimeDelta;
use http::Method;
use rollcall_client::error_code;
use rollcall_server::config::RegistrationMode;
use serde_json::{Value, json};

use crate::support::{Answer, PASSWORD, Person, TestServer};

/// A server with open registration, its administrator, and Ada, who owns the group `engine`.
async fn engine() -> (TestServer, Person, Person) {
    let open =
        |config: &mut rollcall_server::config::Config| config.registration.mode = RegistrationMode::Open;
    let server = TestServer::builder().config(open).start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    made(&server, &admin).await;
    (server, admin, ada)
}

/// Creates the group `engine`, owned by Ada.
async fn made(server: &TestServer, admin: &Person) {
    let body = json!({ "slug": "engine", "name": "Engine", "owner": "@ada" });
    let made = call(server, Some(admin), Method::POST, "/v1/groups", Some(body)).await;
    assert_eq!(made.code(), 201, "{}", made.message());
}

async fn call(
    server: &TestServer,
    who: Option<&Person>,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Answer {
    let mut request = server.request(method, path).header("if-match", "*");
    if let Some(who) = who {
        request = request.bearer_auth(who.token());
    }
    if let Some(body) = &body {
        request = request.json(body);
    }
    Answer::of(request).await
}

async fn done(server: &TestServer, who: &Person, method: Method, path: &str, body: Option<Value>) {
    let response = call(server, Some(who), method, path, body).await;
    assert!(response.status.is_success(), "{path}: {}", response.message());
}

/// A request that is retried with its key.
struct Creation<'a> {
    server: &'a TestServer,
    who: Option<&'a Person>,
    path: &'a str,
    body: Value,
}

impl Creation<'_> {
    async fn send(&self) -> Answer {
        self.keyed("k1").await
    }

    async fn keyed(&self, key: &str) -> Answer {
        let mut request = self.server.request(Method::POST, self.path).header("idempotency-key", key);
        if let Some(who) = self.who {
            request = request.bearer_auth(who.token());
        }
        Answer::of(request.json(&self.body)).await
    }

    /// Creates; a retry gets the same response.
    async fn first(&self) -> Answer {
        let first = self.send().await;
        assert_eq!(first.code(), 201, "{}: {}", self.path, first.message());
        let again = self.send().await;
        assert_eq!((again.code(), again.header("idempotency-replayed")), (201, "true"), "{}", self.path);
        first
    }

    /// A retry is rejected and changes nothing; with a new key the request is independent.
    async fn is_gone(&self, how: &str) -> Answer {
        let before = self.server.dump().await;
        let again = self.send().await;
        let got = (again.code(), again.error_code());
        assert_eq!(got, (409, error_code::IDEMPOTENCY_KEY_REUSED.to_owned()), "{}, {how}", self.path);
        assert!(again.message().contains("no longer exists"), "{}", again.message());
        assert_eq!(self.server.dump().await, before, "{}, {how}", self.path);
        let new = self.keyed("k2").await;
        let got = (new.code(), new.header("idempotency-replayed"));
        assert_eq!(got, (201, ""), "{}, {how}: {}", self.path, new.message());
        assert_eq!(
            self.send().await.code(),
            409,
            "{}, {how}: what is there now was made by another",
            self.path
        );
        self.server.sql("DELETE FROM idempotency_keys").await;
        new
    }
}

#[tokio::test]
async fn group_invitation_create_replays_no_deleted_invitation() {
    for how in ["withdrawn", "accepted", "registered with", "expired", "swept", "with its group", "void"] {
        let (server, admin, ada) = engine().await;
        let path = "/v1/groups/@engine/invitations";
        let body = json!({ "expires_in_seconds": 60 });
        let creation = Creation { server: &server, who: Some(&ada), path, body };
        let first = creation.first().await.json();
        let (token, id) = (first["token"].clone(), first["invitation"]["id"].as_str().unwrap().to_owned());
        let mut ada = ada.clone();
        match how {
            "withdrawn" => done(&server, &ada, Method::DELETE, &format!("{path}/{id}"), None).await,
            "accepted" => {
                let accepted = Some(json!({ "token": token }));
                done(&server, &admin, Method::POST, "/v1/invitations/accept", accepted).await;
            }
            "registered with" => {
                let body = json!({ "username": "eve", "password": PASSWORD, "invitation": token });
                let registered = call(&server, None, Method::POST, "/v1/register", Some(body)).await;
                assert_eq!(registered.code(), 201, "{}", registered.message());
            }
            "expired" => server.advance(TimeDelta::seconds(60)),
            "swept" => {
                server.advance(TimeDelta::seconds(60));
                server.sweep().await;
            }
            "with its group" => {
                done(&server, &admin, Method::DELETE, "/v1/groups/@engine", None).await;
                made(&server, &admin).await;
            }
            _ => {
                done(&server, &admin, Method::POST, "/v1/users/@ada/suspend", Some(json!({}))).await;
                done(&server, &admin, Method::POST, "/v1/users/@ada/reactivate", Some(json!({}))).await;
                ada = server.sign_in("ada").await;
            }
        }
        let creation = Creation { who: Some(&ada), ..creation };
        let again = creation.is_gone(how).await.json();
        assert!(again["token"].is_string() && again["invitation"]["id"] != id.as_str(), "{how}");
    }
}

#[tokio::test]
async fn group_member_add_replays_no_removed_membership() {
    for how in ["removed", "left", "with the group", "with the user"] {
        let (server, admin, ada) = engine().await;
        let eve = server.user("eve").await;
        let path = "/v1/groups/@engine/members";
        let body = json!({ "user": "@eve", "roles": ["@worker"] });
        let creation = Creation { server: &server, who: Some(&ada), path, body };
        creation.first().await;
        match how {
            "removed" => done(&server, &ada, Method::DELETE, &format!("{path}/@eve"), None).await,
            "left" => done(&server, &eve, Method::DELETE, &format!("{path}/me"), None).await,
            "with the group" => {
                done(&server, &admin, Method::DELETE, "/v1/groups/@engine", None).await;
                made(&server, &admin).await;
            }
            _ => {
                done(&server, &admin, Method::DELETE, "/v1/users/@eve", None).await;
                server.user("eve").await;
            }
        }
        creation.is_gone(how).await;
        let members = call(&server, Some(&ada), Method::GET, path, None).await.json();
        assert_eq!(members["items"].as_array().unwrap().len(), 2, "{how}: {members}");
    }
}

#[tokio::test]
async fn user_create_and_register_replay_no_deleted_user() {
    let (server, admin, _) = engine().await;
    for (who, path) in [(Some(&admin), "/v1/users"), (None, "/v1/register")] {
        for (how, deleter) in [("by another", "administrator"), ("by themselves", "eve")] {
            let body = json!({ "username": "eve", "password": PASSWORD });
            let creation = Creation { server: &server, who, path, body };
            let first = creation.first().await.json();
            let deleter = server.sign_in(deleter).await;
            done(&server, &deleter, Method::DELETE, "/v1/users/@eve", None).await;
            let again = creation.is_gone(how).await.json();
            assert_ne!(first["id"], again["id"], "{path}, {how}");
            done(&server, &admin, Method::DELETE, "/v1/users/@eve", None).await;
        }
    }
}

#[tokio::test]
async fn group_create_and_role_create_replay_nothing_deleted() {
    let (server, admin, ada) = engine().await;
    let team = json!({ "slug": "team", "name": "Team", "owner": "@ada" });
    for deleter in [&admin, &ada] {
        let creation =
            Creation { server: &server, who: Some(&admin), path: "/v1/groups", body: team.clone() };
        let first = creation.first().await.json();
        done(&server, deleter, Method::DELETE, "/v1/groups/@team", None).await;
        let again = creation.is_gone(&deleter.username).await.json();
        assert_ne!(first["id"], again["id"]);
        done(&server, &admin, Method::DELETE, "/v1/groups/@team", None).await;
    }
    let role = json!({ "name": "tester", "scope": "global", "permissions": ["data:read"] });
    for force in [false, true] {
        let creation = Creation { server: &server, who: Some(&admin), path: "/v1/roles", body: role.clone() };
        let first = creation.first().await.json();
        if force {
            let given = Some(json!({ "roles": ["@tester"] }));
            done(&server, &admin, Method::POST, "/v1/users/@ada/roles", given).await;
        }
        done(&server, &admin, Method::DELETE, &format!("/v1/roles/@tester?force={force}"), None).await;
        let again = creation.is_gone("deleted").await.json();
        assert_ne!(first["id"], again["id"]);
        done(&server, &admin, Method::DELETE, "/v1/roles/@tester", None).await;
    }
}

/// A stored response contains no deleted user, however the user was deleted.
#[tokio::test]
async fn user_delete_and_the_end_of_invitations_erase_stored_responses() {
    let (server, admin, ada) = engine().await;
    let left = "SELECT count(*) FROM idempotency_keys WHERE body <> '' OR location <> '' OR etag <> '' \
        OR request_hash <> ''";
    server.sql("DELETE FROM idempotency_keys").await;
    let body = json!({ "username": "eve", "email": "eve@example.org", "password": PASSWORD });
    Creation { server: &server, who: Some(&admin), path: "/v1/users", body }.first().await;
    let body = json!({ "user": "@eve" });
    Creation { server: &server, who: Some(&ada), path: "/v1/groups/@engine/members", body }.first().await;
    assert_eq!(server.count(left).await, 2);
    done(&server, &admin, Method::DELETE, "/v1/users/@eve", None).await;
    assert_eq!(server.count(left).await, 0);
    for how in ["used", "swept", "with its group"] {
        let path = "/v1/groups/@engine/invitations";
        let body = json!({ "email": "eve@example.org", "expires_in_seconds": 60 });
        server.sql("DELETE FROM idempotency_keys").await;
        let made = Creation { server: &server, who: Some(&admin), path, body }.first().await.json();
        match how {
            "used" => {
                let body = json!({ "username": "eve", "email": "eve@example.org", "password": PASSWORD,
                    "invitation": made["token"] });
                let registered = call(&server, None, Method::POST, "/v1/register", Some(body)).await;
                assert_eq!(registered.code(), 201, "{}", registered.message());
            }
            "swept" => {
                server.advance(TimeDelta::seconds(60));
                server.sweep().await;
            }
            _ => done(&server, &admin, Method::DELETE, "/v1/groups/@engine", None).await,
        }
        assert_eq!(server.count(left).await, 0, "{how}");
    }
}

/// Grace was removed. The response must not reveal the membership that she was given since.
#[tokio::test]
async fn group_member_add_replays_no_other_membership_of_the_same_user() {
    for group_goes in [false, true] {
        let (server, admin, ada) = engine().await;
        server.user("eve").await;
        let path = "/v1/groups/@engine/members";
        let body = json!({ "user": "@eve", "roles": ["@worker"] });
        let creation = Creation { server: &server, who: Some(&ada), path, body };
        creation.first().await;
        if group_goes {
            done(&server, &admin, Method::DELETE, "/v1/groups/@engine", None).await;
            made(&server, &admin).await;
        } else {
            done(&server, &ada, Method::DELETE, &format!("{path}/@eve"), None).await;
        }
        done(&server, &admin, Method::POST, path, Some(json!({ "user": "@eve" }))).await;
        let again = creation.send().await;
        let got = (again.code(), again.error_code());
        assert_eq!(got, (409, error_code::IDEMPOTENCY_KEY_REUSED.to_owned()), "{group_goes}");
    }
}

/// The list above is complete: a new operation with an idempotency key must be added here.
#[test]
fn every_operation_with_an_idempotency_key_is_tested() {
    let creating: Vec<&str> = crate::support::contract::OPERATIONS
        .iter()
        .filter(|operation| operation.object.to_string().to_lowercase().contains("idempotency-key\""))
        .map(|operation| operation.id.as_str())
        .collect();
    let tried = [
        "group_create",
        "group_invitation_create",
        "group_member_add",
        "register",
        "role_create",
        "user_create",
    ];
    let mut creating = creating;
    creating.sort_unstable();
    assert_eq!(creating, tried);
}

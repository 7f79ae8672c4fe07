//! Calls every operation as every kind of caller and compares the response with `x-permission` in the published document. A
//! rejected call changes nothing; a change leaves one audit event.

use chrono::TimeDelta;
use http::header::AUTHORIZATION;
use rollcall_api::access::Permission;
use rollcall_client::error_code;
use rollcall_server::clock::Clock;
use rollcall_server::config::RegistrationMode;
use uuid::Uuid;

use super::permit::{Permit, Standing};
use super::recipes::{FITTED, Scene};
use crate::support::contract::{OPERATIONS, Operation};
use crate::support::{Answer, Person, TestServer};

/// Kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    // Callers without a valid credential.
    Anonymous,
    NotBearer,
    Malformed,
    Garbage,
    Expired,
    Idle,
    Ended,
    Suspended,
    // Callers with a valid credential.
    Own,
    OwnStale,
    Other,
    Member,
    GroupAdmin,
    GroupOwner,
    Holder,
    HolderOnOneself,
    HolderOnSuperior,
    AllButHolder,
    Administrator,
}

const KINDS: &[Kind] = &[
    Kind::Anonymous,
    Kind::NotBearer,
    Kind::Malformed,
    Kind::Garbage,
    Kind::Expired,
    Kind::Idle,
    Kind::Ended,
    Kind::Suspended,
    Kind::Own,
    Kind::OwnStale,
    Kind::Other,
    Kind::Member,
    Kind::GroupAdmin,
    Kind::GroupOwner,
    Kind::Holder,
    Kind::HolderOnOneself,
    Kind::HolderOnSuperior,
    Kind::AllButHolder,
    Kind::Administrator,
];

/// A caller: its credential, and the facts that the document's rules depend on.
struct Caller {
    authorization: Option<String>,
    standing: Standing,
}

async fn caller(
    server: &TestServer,
    scene: &Scene,
    operation: &Operation,
    permit: &Permit,
    kind: Kind,
) -> Caller {
    let nobody = |authorization| Caller { authorization, standing: Standing::default() };
    let bearer = |token: String| Some(format!("Bearer {token}"));
    match kind {
        Kind::Anonymous => return nobody(None),
        Kind::NotBearer => return nobody(Some("Basic YWRhOmFkYQ==".to_owned())),
        Kind::Malformed => return nobody(bearer("rcs_made-up".to_owned())),
        Kind::Garbage => return nobody(bearer(TestServer::garbage_token())),
        _ => {}
    }
    let own = matches!(kind, Kind::Own | Kind::OwnStale | Kind::HolderOnOneself);
    let person =
        if own { scene.target.clone() } else { server.quick_user(&format!("caller{}", scene.number)).await };
    let authorization = bearer(person.token());
    let db = server.db().await;
    let ending = match kind {
        Kind::Expired => {
            "UPDATE sessions SET expires_at = created_at - interval '1 second' WHERE user_id = $1"
        }
        Kind::Idle => {
            "UPDATE sessions SET last_used_at = last_used_at - interval '1 hour 1 second' WHERE user_id = $1"
        }
        Kind::Ended => "DELETE FROM sessions WHERE user_id = $1",
        Kind::Suspended => "UPDATE users SET suspended = true WHERE id = $1",
        _ => "",
    };
    if kind == Kind::Expired {
        server.expire(person.session_id).await;
        return nobody(authorization);
    }
    if !ending.is_empty() {
        db.execute(ending, &[&person.id]).await.unwrap();
        return nobody(authorization);
    }
    let needed = permit.permission.clone();
    let every = Permission::ALL.iter().map(ToString::to_string);
    let permissions: Vec<String> = match kind {
        Kind::Holder | Kind::HolderOnOneself | Kind::HolderOnSuperior => needed.into_iter().collect(),
        Kind::AllButHolder => every.filter(|held| Some(held) != needed.as_ref()).collect(),
        Kind::Administrator => every.collect(),
        _ => vec![],
    };
    if kind == Kind::Administrator {
        server.make_administrator(person.id).await;
    } else if !permissions.is_empty() {
        server.grant(person.id, permissions.iter().map(String::as_str)).await;
    }
    if kind == Kind::HolderOnSuperior {
        server.grant(scene.target.id, ["audit:read"]).await;
    }
    if kind == Kind::OwnStale {
        let stale = "UPDATE sessions SET authenticated_at = $2 WHERE user_id = $1";
        db.execute(stale, &[&person.id, &(server.clock.now() - TimeDelta::seconds(301))]).await.unwrap();
    }
    match kind {
        // A member can't accept an invitation.
        _ if operation.id == "invitation_accept" => {}
        Kind::Member => scene.join(server, person.id, "member").await,
        Kind::GroupAdmin => scene.join(server, person.id, "admin").await,
        Kind::GroupOwner => scene.join(server, person.id, "owner").await,
        _ => {}
    }
    // The user named in a path of a group is a member.
    let about_member = operation.path.contains("{group}") && operation.path.contains("{user}");
    let standing = Standing {
        permissions: Some(permissions),
        own: own && (operation.path.contains("{user}") || operation.id == "access_check"),
        member: matches!(kind, Kind::Member | Kind::GroupAdmin | Kind::GroupOwner) || (own && about_member),
        group_admin: matches!(kind, Kind::GroupAdmin | Kind::GroupOwner),
        group_owner: kind == Kind::GroupOwner,
        outranked: kind == Kind::HolderOnSuperior,
        stale: kind == Kind::OwnStale,
    };
    Caller { authorization, standing }
}

async fn call(server: &TestServer, operation: &Operation, scene: &Scene, caller: &Caller) -> Answer {
    let mut request = server.request(operation.method.clone(), &scene.path(operation));
    if let Some(authorization) = &caller.authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    if let Some(body) = scene.body(operation) {
        request = request.json(&body);
    }
    Answer::of(request).await
}

/// Number of audit events of a request: done, refused.
async fn trail(server: &TestServer, request_id: &str) -> (i64, i64) {
    let query = "SELECT count(*) FILTER (WHERE result = 'done'), count(*) FILTER (WHERE result = 'refused') \
        FROM audit_events WHERE request_id = $1";
    let row = server.db().await.query_one(query, &[&request_id]).await.unwrap();
    (row.get(0), row.get(1))
}

/// Calls the operations of these tags as every kind of caller. Panics with a list of the unexpected results.
async fn walk(tags: &[&str]) {
    let server = TestServer::builder()
        .config(|config| config.registration.mode = RegistrationMode::Open)
        .start()
        .await;
    let mut wrong = Vec::new();
    let mut number = 0;
    for operation in
        OPERATIONS.iter().filter(|operation| tags.iter().any(|tag| operation.object["tags"][0] == *tag))
    {
        let permit = Permit::of(operation);
        for kind in KINDS {
            number += 1;
            let scene = Scene::set(&server, number).await;
            if operation.path.contains("{group}") && operation.path.contains("{user}") {
                scene.join(&server, scene.target.id, "member").await;
            }
            let caller = caller(&server, &scene, operation, &permit, *kind).await;
            let expected = permit.expected(operation, &caller.standing);
            let before = server.dump().await;
            let answer = call(&server, operation, &scene, &caller).await;
            let got = (answer.code(), answer.error_code());
            let as_expected = match expected {
                None => answer.status.is_success(),
                Some((status, code)) => got == (status, code.to_owned()),
            };
            let place = format!("{} by {kind:?}", operation.id);
            if !as_expected {
                wrong.push(format!("{place}: expected {expected:?}, got {got:?} {}", answer.message()));
            }
            if expected.is_some() && before != server.dump().await {
                wrong.push(format!("{place}: was rejected but changed something"));
            }
            let mutates = operation.writes();
            let trail = trail(&server, answer.header("x-request-id")).await;
            let expected_events = match expected {
                None => (i64::from(mutates), 0),
                Some((403, _)) => (0, 1),
                // Requests without a token are not recorded.
                Some(_) => (0, i64::from(mutates && !matches!(kind, Kind::Anonymous | Kind::NotBearer))),
            };
            if as_expected && trail != expected_events {
                wrong.push(format!(
                    "{place}: left (done, refused) = {trail:?} audit events, not {expected_events:?}"
                ));
            }
        }
    }
    assert!(number > 0, "no operation has one of the tags {tags:?}");
    assert!(wrong.is_empty(), "{} calls had unexpected results:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn access_to_auth_and_system() {
    walk(&["auth", "system"]).await;
}

#[tokio::test]
async fn access_to_users() {
    walk(&["users"]).await;
}

#[tokio::test]
async fn access_to_the_rest() {
    let known = ["auth", "system", "users"];
    let mut rest: Vec<&str> =
        OPERATIONS.iter().filter_map(|operation| operation.object["tags"][0].as_str()).collect();
    rest.retain(|tag| !known.contains(tag));
    rest.dedup();
    walk(&rest).await;
}

#[test]
fn fitted_examples_are_examples_of_operations() {
    for (id, _) in FITTED {
        assert!(Operation::of(id).example().is_some(), "{id} has no example to fit");
    }
}

/// Responses for invisible and for missing resources are equal, byte by byte except for the request id.
#[tokio::test]
async fn hidden_and_missing_look_the_same() {
    let server = TestServer::start().await;
    let scene = Scene::set(&server, 1).await;
    let ada: Person = server.quick_user("ada").await;
    let get = async |path: String| {
        let answer = Answer::of(server.request(http::Method::GET, &path).bearer_auth(ada.token())).await;
        let mut body = answer.json();
        body["request_id"] = "".into();
        let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        (answer.code(), body.to_string(), headers)
    };
    for suffix in ["", "/members"] {
        let hidden = get(format!("/v1/groups/{}{suffix}", scene.group)).await;
        assert_eq!(hidden.0, 404);
        assert_eq!(hidden, get(format!("/v1/groups/@group-1{suffix}")).await);
        assert_eq!(hidden, get(format!("/v1/groups/{}{suffix}", Uuid::now_v7())).await);
        assert_eq!(hidden, get(format!("/v1/groups/@nowhere{suffix}")).await);
    }
    // The same holds for the parameter `group`, even for callers who see all users.
    for permission in ["articles:read", "users:read"] {
        server.grant(ada.id, [permission]).await;
        let mut places = vec!["/v1/users?group=", "/v1/users?not_group=", "/v1/users/me/permissions?group="];
        if permission == "users:read" {
            places.push("/v1/users/@target1/permissions?group=");
        }
        for place in places {
            let hidden = get(format!("{place}{}", scene.group)).await;
            assert_eq!(hidden.0, 404, "{place}");
            for name in ["@group-1", "@nowhere", &Uuid::now_v7().to_string()] {
                assert_eq!(hidden, get(format!("{place}{name}")).await, "{place}{name}");
            }
        }
    }
}

/// A session of another user isn't found under the caller's own path.
#[tokio::test]
async fn a_session_is_found_under_its_user_only() {
    let server = TestServer::start().await;
    let scene = Scene::set(&server, 1).await;
    let admin = server.admin().await;
    let path = format!("/v1/users/me/sessions/{}", scene.session);
    let before = server.dump().await;
    let answer = Answer::of(server.request(http::Method::DELETE, &path).bearer_auth(admin.token())).await;
    assert_eq!((answer.code(), answer.error_code().as_str()), (404, error_code::NOT_FOUND));
    assert_eq!(before, server.dump().await);
}

//! Group roles apply inside their group only: not even a group's owner can change another group, or a fellow member outside of the
//! group. Tries every operation of the document, so that new ones are covered.

use rollcall_client::error_code;

use super::permit::{Permit, Standing};
use super::recipes::Scene;
use crate::support::contract::{OPERATIONS, Operation};
use crate::support::{Answer, Person, TestServer};

/// Group roles with permissions.
const POWERS: &[&str] = &["owner", "admin", "maintainer"];

async fn call(server: &TestServer, operation: &Operation, scene: &Scene, caller: &Person) -> Answer {
    let request =
        server.request(operation.method.clone(), &scene.path(operation)).bearer_auth(caller.token());
    Answer::of(match scene.body(operation) {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

/// Creates two groups: the caller's, with another member, and one with only that other member.
async fn two_groups(server: &TestServer, number: u32, role: &str) -> (Person, Scene, Scene) {
    let caller = server.quick_user(&format!("caller{number}")).await;
    let home = Scene::set(server, 2 * number).await;
    let other = Scene::set(server, 2 * number + 1).await;
    home.join(server, caller.id, role).await;
    for (group, user) in [(&home, &home.target), (&home, &other.target), (&other, &other.target)] {
        group.join(server, user.id, "member").await;
    }
    (caller, home, other)
}

#[tokio::test]
async fn a_group_role_has_no_effect_in_another_group() {
    let server = TestServer::start().await;
    let mut wrong = Vec::new();
    for (number, role) in (1..).zip(POWERS) {
        let (caller, _, other) = two_groups(&server, number, role).await;
        let before = server.dump().await;
        let mut tried = 0;
        for operation in OPERATIONS.iter().filter(|operation| operation.path.contains("{group}")) {
            let answer = call(&server, operation, &other, &caller).await;
            let got = (answer.code(), answer.error_code());
            // Not even the existence of the group may show.
            if got != (404, error_code::NOT_FOUND.to_owned()) {
                wrong.push(format!("{} by {role} of another group: {got:?}", operation.id));
            }
            tried += 1;
        }
        assert!(tried > 0);
        assert_eq!(before, server.dump().await, "a rejected request of {role} changed something");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_group_role_has_no_effect_on_members_outside_of_the_group() {
    let server = TestServer::start().await;
    let mut wrong = Vec::new();
    let stranger = Standing { permissions: Some(vec![]), ..Standing::default() };
    for (number, role) in (1..).zip(POWERS) {
        let (caller, home, _) = two_groups(&server, number, role).await;
        let before = server.dump().await;
        let of_user = |operation: &&Operation| {
            (operation.path.contains("{user}") && !operation.path.contains("{group}"))
                || operation.id == "access_check"
        };
        for operation in OPERATIONS.iter().filter(of_user) {
            let answer = call(&server, operation, &home, &caller).await;
            let got = (answer.code(), answer.error_code());
            let expected = Permit::of(operation).expected(operation, &stranger);
            let as_expected = match expected {
                None => operation.method == http::Method::GET && answer.json()["view"] == "card",
                Some((status, code)) => got == (status, code.to_owned()),
            };
            if !as_expected {
                wrong.push(format!("{} upon a fellow member by {role}: {got:?}", operation.id));
            }
        }
        assert_eq!(before, server.dump().await, "a rejected request of {role} changed something");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

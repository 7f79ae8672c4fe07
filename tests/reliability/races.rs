//! Exclusive operations: exactly one of 64 concurrent requests wins.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use http::Method;
use rollcall_client::error_code;
use serde_json::json;

use crate::support::{Answer, PASSWORD, Person, TestServer};

/// Number of concurrent requests.
const CROWD: usize = 64;

/// Number of responses of each kind.
fn tally(responses: &[Answer]) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for response in responses {
        *tally
            .entry(format!("{} {}", response.code(), response.error_code()).trim().to_owned())
            .or_default() += 1;
    }
    tally
}

fn expected<const N: usize>(entries: [(&str, usize); N]) -> BTreeMap<String, usize> {
    entries.into_iter().map(|(response, count)| (response.to_owned(), count)).collect()
}

/// Sends one request for each body, concurrently.
async fn post(
    server: &TestServer,
    person: &Person,
    path: &str,
    bodies: Vec<serde_json::Value>,
) -> Vec<Answer> {
    let token = person.token();
    let call = |body| Answer::of(server.request(Method::POST, path).bearer_auth(&token).json(body));
    join_all(bodies.iter().map(call)).await
}

#[tokio::test]
async fn user_create_gives_a_username_to_one_user() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for round in 0..3 {
        let name = |number: usize| {
            if number.is_multiple_of(2) { format!("ada{round}") } else { format!("ADA{round}") }
        };
        let bodies = (0..CROWD).map(|number| json!({ "username": name(number) })).collect();
        let responses = post(&server, &admin, "/v1/users", bodies).await;
        assert_eq!(tally(&responses), expected([("201", 1), ("409 username_taken", CROWD - 1)]));
        let users = format!("SELECT count(*) FROM users WHERE username_folded = 'ada{round}'");
        assert_eq!(server.count(&users).await, 1);
    }
    assert_eq!(
        server
            .count("SELECT count(*) FROM audit_events WHERE operation = 'user_create' AND result = 'done'")
            .await,
        3
    );
    assert_eq!(server.count("SELECT count(*) FROM group_members").await, 4, "three and the administrator");
}

#[tokio::test]
async fn user_create_gives_an_address_to_one_user() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for round in 0..3 {
        let address = |number: usize| {
            let local = if number.is_multiple_of(2) { "Grace" } else { "gRACE" };
            format!("{local}{round}@{}", if number.is_multiple_of(3) { "EXAMPLE.org" } else { "example.org" })
        };
        let bodies = (0..CROWD)
            .map(|number| json!({ "email": address(number), "username": format!("u{round}-{number}") }));
        let responses = post(&server, &admin, "/v1/users", bodies.collect()).await;
        assert_eq!(tally(&responses), expected([("201", 1), ("409 email_taken", CROWD - 1)]));
    }
}

#[tokio::test]
async fn user_create_runs_once_for_an_idempotency_key() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for round in 0..3 {
        let call = |_| {
            let request = server.request(Method::POST, "/v1/users").bearer_auth(admin.token());
            Answer::of(
                request
                    .header("idempotency-key", format!("key-{round}"))
                    .json(&json!({ "username": format!("once{round}") })),
            )
        };
        let responses = join_all((0..CROWD).map(call)).await;
        let mut ids = BTreeSet::new();
        let mut fresh = 0;
        for response in &responses {
            match (response.code(), response.error_code().as_str()) {
                (201, _) => {
                    ids.insert(response.json()["id"].to_string());
                    fresh += usize::from(response.header("idempotency-replayed").is_empty());
                }
                (409, error_code::IDEMPOTENCY_IN_PROGRESS) => {
                    assert!(!response.header("retry-after").is_empty());
                }
                other => panic!("{other:?}: {}", response.message()),
            }
        }
        assert_eq!((ids.len(), fresh), (1, 1), "{:?}", tally(&responses));
        let late = call(0).await;
        assert_eq!((late.code(), late.header("idempotency-replayed")), (201, "true"));
        assert!(ids.contains(&late.json()["id"].to_string()));
    }
    assert_eq!(server.count("SELECT count(*) FROM users").await, 4);
}

#[tokio::test]
async fn user_delete_keeps_an_administrator_when_two_delete_each_other() {
    let server = TestServer::start().await;
    server.sql("DELETE FROM user_roles").await;
    for round in 0..8 {
        let (ada, eve) = (
            server.quick_user(&format!("ada{round}")).await,
            server.quick_user(&format!("eve{round}")).await,
        );
        server.make_administrator(ada.id).await;
        server.make_administrator(eve.id).await;
        // Each other in even rounds, themselves in odd ones.
        let pairs = if round % 2 == 0 { [(&ada, &eve), (&eve, &ada)] } else { [(&ada, &ada), (&eve, &eve)] };
        let calls = (0..CROWD / 2).flat_map(|_| pairs).map(|(who, whom)| {
            Answer::of(
                server.request(Method::DELETE, &format!("/v1/users/{}", whom.id)).bearer_auth(who.token()),
            )
        });
        let responses = join_all(calls).await;
        let administrators = "SELECT count(*) FROM user_roles";
        assert_eq!(server.count(administrators).await, 1, "{:?}", tally(&responses));
        assert_eq!(
            responses.iter().filter(|response| response.code() == 204).count(),
            1,
            "{:?}",
            tally(&responses)
        );
        for response in &responses {
            assert!(matches!(response.code(), 204 | 401 | 404 | 409), "{:?}", tally(&responses));
        }
        server.sql("DELETE FROM user_roles").await;
    }
}

#[tokio::test]
async fn user_update_with_one_tag_succeeds_once() {
    let server = TestServer::start().await;
    let ada = server.quick_user("ada").await;
    for _ in 0..3 {
        let seen = Answer::of(server.request(Method::GET, "/v1/users/me").bearer_auth(ada.token())).await;
        let tag = seen.header("etag").to_owned();
        let call = |number| {
            let request = server
                .request(Method::PATCH, "/v1/users/me")
                .bearer_auth(ada.token())
                .header("if-match", &tag);
            Answer::of(request.json(&json!({ "name": format!("Ada {number}") })))
        };
        let responses = join_all((0..CROWD).map(call)).await;
        assert_eq!(tally(&responses), expected([("200", 1), ("412 precondition_failed", CROWD - 1)]));
        let winner = responses.iter().find(|response| response.code() == 200).unwrap();
        for loser in responses.iter().filter(|response| response.code() == 412) {
            assert_eq!(loser.header("etag"), winner.header("etag"), "a 412 has the current tag");
        }
        let now = Answer::of(server.request(Method::GET, "/v1/users/me").bearer_auth(ada.token())).await;
        assert_eq!(
            (now.header("etag"), &now.json()["name"]),
            (winner.header("etag"), &winner.json()["name"])
        );
    }
}

#[tokio::test]
async fn login_counts_parallel_guesses() {
    let limit = 10;
    let server =
        TestServer::builder().config(|config| config.throttle.account_attempts = limit).start().await;
    let admin = server.admin().await;
    let body = json!({ "username": "ada", "email": "ada@example.org", "phone": "+442079460123", "password": PASSWORD });
    assert_eq!(post(&server, &admin, "/v1/users", vec![body]).await[0].code(), 201);
    let names = ["ada", "ADA", "ada@example.org", "Ada@Example.ORG", "+442079460123"];
    let guess = |number: usize| json!({ "identifier": names[number % names.len()], "password": format!("guess {number}") });
    let responses = post(&server, &admin, "/v1/login", (0..CROWD).map(guess).collect()).await;
    let limit = limit as usize;
    assert_eq!(
        tally(&responses),
        expected([("401 invalid_credentials", limit), ("429 too_many_attempts", CROWD - limit)])
    );
    let right = vec![json!({ "identifier": "ada", "password": PASSWORD })];
    let response = &post(&server, &admin, "/v1/login", right).await[0];
    assert_eq!(response.code(), 429, "and now the right one isn't looked at either");
    let seconds: u64 = response.header("retry-after").parse().unwrap();
    assert!((1..=900).contains(&seconds));
    assert_eq!(server.sign_in("administrator").await.username, "administrator", "others are not held up");
}

/// Guesses of a user's own password, with a stolen token, count together with failed logins.
#[tokio::test]
async fn session_reauthenticate_counts_parallel_guesses() {
    let server = TestServer::builder().config(|config| config.throttle.account_attempts = 10).start().await;
    let ada = server.quick_user("ada").await;
    let guess = |number: usize| json!({ "password": format!("guess {number}") });
    let responses = post(&server, &ada, "/v1/session/reauthenticate", (0..CROWD).map(guess).collect()).await;
    assert_eq!(
        tally(&responses),
        expected([("422 password_mismatch", 10), ("429 too_many_attempts", CROWD - 10)])
    );
    let change =
        vec![json!({ "current_password": PASSWORD, "new_password": "seven copper kettles sing at dawn" })];
    assert_eq!(post(&server, &ada, "/v1/users/me/password/change", change).await[0].code(), 429);
}

#[tokio::test]
async fn user_password_change_succeeds_once() {
    let server = TestServer::start().await;
    for round in 0..3 {
        let ada = server.quick_user(&format!("ada{round}")).await;
        let body = |number| json!({ "current_password": PASSWORD, "new_password": format!("seven copper kettles sing {number}") });
        let responses =
            post(&server, &ada, "/v1/users/me/password/change", (0..CROWD).map(body).collect()).await;
        let won = responses.iter().position(|response| response.code() == 200).unwrap();
        assert_eq!(
            responses.iter().filter(|response| response.code() == 200).count(),
            1,
            "{:?}",
            tally(&responses)
        );
        for response in &responses {
            assert!(matches!(response.code(), 200 | 401 | 409 | 422), "{:?}", tally(&responses));
        }
        let sign_in = |number| json!({ "identifier": ada.username, "password": format!("seven copper kettles sing {number}") });
        let tries = post(&server, &ada, "/v1/login", (0..CROWD).map(sign_in).collect()).await;
        for (number, response) in tries.iter().enumerate() {
            assert_eq!(response.code() == 200, number == won, "only the winner's password holds");
        }
    }
}

#[tokio::test]
async fn login_never_exceeds_the_session_limit() {
    let server = TestServer::builder().config(|config| config.session.max_per_user = 5).start().await;
    let ada = server.quick_user("ada").await;
    let bodies = (0..CROWD).map(|_| json!({ "identifier": "ada", "password": PASSWORD })).collect();
    let responses = post(&server, &ada, "/v1/login", bodies).await;
    assert_eq!(tally(&responses), expected([("200", CROWD)]));
    let sessions = format!("SELECT count(*) FROM sessions WHERE user_id = '{}'", ada.id);
    assert_eq!(server.count(&sessions).await, 5);
}

//! The number of database round trips of operations, each of which costs half a millisecond if Postgres is on
//! another machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rollcall_server::config::Config;
use serde_json::{Value, json};

use crate::support::cluster::Database;
use crate::support::{Answer, PASSWORD, Person, TestServer, turns};

/// A request by the administrator, and its maximum number of round trips. `{n}` is a different number each
/// time.
const REQUESTS: &[(&str, &str, &str, usize)] = &[
    ("GET", "/v1/users/@target", "", 1),
    ("GET", "/v1/session", "", 1),
    ("GET", "/v1/groups/@crew", "", 2),
    ("GET", "/v1/roles/@helper", "", 1),
    ("PATCH", "/v1/users/@target", r#"{"name":"Ada {n}"}"#, 5),
    ("PATCH", "/v1/users/me", r#"{"name":"Ada {n}"}"#, 5),
    ("PATCH", "/v1/users/@target/custom-data", r#"{"n":{n}}"#, 5),
    ("POST", "/v1/users", r#"{"username":"new{n}"}"#, 6),
    ("POST", "/v1/users/@target/suspend", r#"{"reason":"{n}"}"#, 6),
    ("POST", "/v1/users/@target/reactivate", "", 5),
    ("PATCH", "/v1/groups/@crew", r#"{"name":"Crew {n}"}"#, 7),
    ("PATCH", "/v1/roles/@helper", r#"{"description":"{n}"}"#, 8),
    ("POST", "/v1/groups/@crew/invitations", r#"{"roles":["@member"]}"#, 12),
    ("POST", "/v1/login", "", 13),
];

async fn send(server: &TestServer, who: &Person, method: &str, path: &str, body: &str) -> Answer {
    let mut request = server.request(method.parse().unwrap(), path).bearer_auth(who.token());
    if path == "/v1/login" {
        request = server.request(method.parse().unwrap(), path);
        request = request.json(&json!({ "identifier": "target", "password": PASSWORD }));
    } else if !body.is_empty() {
        request = request.json(&serde_json::from_str::<Value>(body).unwrap());
    }
    Answer::of(request).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_update_and_others_take_few_round_trips() {
    let (database, turns) = (Database::migrated(), Arc::new(AtomicUsize::new(0)));
    let url = turns::relay(&database, Arc::clone(&turns)).await;
    let one_connection = |config: &mut Config| {
        config.database.shared_connections = 1;
        config.database.changes_per_caller = 1;
    };
    let server = TestServer::builder().config(one_connection).database(&url).start().await;
    let admin = server.admin().await;
    server.quick_user("target").await;
    for (path, body) in [
        ("/v1/groups", json!({ "slug": "crew", "name": "Crew" })),
        ("/v1/roles", json!({ "name": "helper", "scope": "global", "permissions": [] })),
    ] {
        let made = send(&server, &admin, "POST", path, &body.to_string()).await;
        assert_eq!(made.code(), 201, "{}", made.message());
    }
    let mut wrong = Vec::new();
    for (method, path, body, most) in REQUESTS {
        // The first few requests prepare the statements.
        let mut taken = 0;
        for number in 0..4 {
            let before = turns.load(Ordering::SeqCst);
            let response =
                send(&server, &admin, method, path, &body.replace("{n}", &number.to_string())).await;
            assert!(response.code() < 300, "{method} {path}: {}", response.message());
            taken = turns.load(Ordering::SeqCst) - before;
        }
        println!("{taken:2} {method} {path}");
        if taken > *most {
            wrong.push(format!("{method} {path} took {taken} round trips, more than {most}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    drop(server);
    database.drop_now();
}

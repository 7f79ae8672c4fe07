//! `kill -9` of the server and of Postgres during writes: acknowledged writes are kept, and stored data is
//! complete.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use super::program::Program;
use crate::support::Answer;
use crate::support::cluster::temporary_folder;
use crate::support::server::eventually;

/// Acknowledgements received by the writers.
#[derive(Debug, Default)]
struct Ledger {
    users: Mutex<Vec<String>>,
    /// The highest acknowledged count in a document that one writer keeps changing.
    count: AtomicUsize,
    unavailable: AtomicUsize,
    stop: AtomicBool,
}

/// Writes until told to stop; `patient` writers continue after a 503, others end at the first failure.
async fn write(
    url: String,
    token: String,
    http: reqwest::Client,
    writer: usize,
    patient: bool,
    ledger: Arc<Ledger>,
) {
    for number in 1.. {
        if ledger.stop.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("w{writer}-{number}");
        let request = if writer == 0 {
            http.patch(format!("{url}/v1/users/me/custom-data")).json(&json!({ "count": number }))
        } else {
            http.post(format!("{url}/v1/users")).json(&json!({ "username": name }))
        };
        match request.bearer_auth(&token).send().await {
            Ok(response) if response.status().is_success() && writer == 0 => {
                ledger.count.store(number, Ordering::Relaxed);
            }
            Ok(response) if response.status().is_success() => ledger.users.lock().unwrap().push(name),
            Ok(response) if patient && response.status().as_u16() == 503 => {
                assert!(response.headers().contains_key("retry-after"));
                ledger.unavailable.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok(response) => panic!("{}: {}", response.status(), response.text().await.unwrap_or_default()),
            Err(error) if patient => panic!("the server must respond: {error:?}"),
            Err(_) => return,
        }
    }
}

fn start_writers(
    program: &Program,
    token: &str,
    patient: bool,
) -> (Arc<Ledger>, Vec<tokio::task::JoinHandle<()>>) {
    let ledger = Arc::new(Ledger::default());
    let writer = |number| {
        let (url, token, http) = (program.url.clone(), token.to_owned(), program.http.clone());
        tokio::spawn(write(url, token, http, number, patient, Arc::clone(&ledger)))
    };
    let writers = (0..8).map(writer).collect();
    (ledger, writers)
}

/// Asserts that every acknowledged write is stored, and that all stored data is complete.
async fn audit(program: &Program, token: &str, ledger: &Ledger) {
    let db = program.db().await;
    let acknowledged = ledger.users.lock().unwrap().clone();
    assert!(acknowledged.len() > 20, "only {} writes were acknowledged", acknowledged.len());
    let missing =
        "SELECT told FROM unnest($1::text[]) told WHERE NOT EXISTS (SELECT FROM users WHERE username = told)";
    let missing: Vec<String> =
        db.query(missing, &[&acknowledged]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(missing, Vec::<String>::new(), "acknowledged and lost");
    let half_made = "SELECT count(*) FROM users u WHERE created_via = 'admin' AND (\
        NOT EXISTS (SELECT FROM group_members WHERE user_id = u.id) \
        OR (SELECT count(*) FROM audit_events WHERE operation = 'user_create' AND target_id = u.id AND result = 'done') <> 1)";
    assert_eq!(db.query_one(half_made, &[]).await.unwrap().get::<_, i64>(0), 0, "half-made users");
    let ghosts = "SELECT count(*) FROM audit_events e WHERE operation = 'user_create' AND result = 'done' \
        AND NOT EXISTS (SELECT FROM users WHERE id = e.target_id)";
    assert_eq!(db.query_one(ghosts, &[]).await.unwrap().get::<_, i64>(0), 0, "audit rows of what never was");
    let request = program.http.get(format!("{}/v1/users/me/custom-data", program.url)).bearer_auth(token);
    let response = Answer::of(request).await;
    assert_eq!(response.code(), 200, "the session has survived");
    let count = response.json()["count"].as_u64().unwrap() as usize;
    let acknowledged = ledger.count.load(Ordering::Relaxed);
    assert!(count >= acknowledged && acknowledged > 0, "{acknowledged} was acknowledged, {count} is there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_create_survives_a_killed_server() {
    let folder = temporary_folder();
    let mut program = Program::start(folder.path(), &[]);
    let token = program.sign_in(&program.admin_password.clone().unwrap()).await;
    let (ledger, writers) = start_writers(&program, &token, false);
    tokio::time::sleep(Duration::from_secs(2)).await;
    program.kill();
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    assert!(program.postgres().is_some(), "the database outlives its server");
    let again = Program::start(folder.path(), &[]);
    assert_eq!(again.admin_password, None, "no second first administrator");
    audit(&again, &token, &ledger).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_create_survives_a_killed_postgres() {
    let folder = temporary_folder();
    let program = Program::start(folder.path(), &[]);
    let token = program.sign_in(&program.admin_password.clone().unwrap()).await;
    let (ledger, writers) = start_writers(&program, &token, true);
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = ledger.users.lock().unwrap().len();
        program.kill_postgres();
        eventually("writes go on", Duration::from_secs(60), || async {
            (ledger.users.lock().unwrap().len() > before + 20).then_some(())
        })
        .await;
    }
    ledger.stop.store(true, Ordering::Relaxed);
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    assert!(ledger.unavailable.load(Ordering::Relaxed) > 0, "meanwhile it was a 503");
    audit(&program, &token, &ledger).await;
}

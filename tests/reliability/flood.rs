//! Two hundred sign-ins at once, at the price that passwords really have: others are served meanwhile, and whoever is too
//! many learns it at once. Bounds are in seconds; the figures come from `cargo xtask bench`.

use std::time::{Duration, Instant};

use futures::future::join_all;
use http::Method;
use rollcall_server::config::Password;
use serde_json::json;

use crate::support::{Answer, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ins_in_a_flood_hold_nobody_up() {
    let server = TestServer::builder().config(|config| config.password = Password::default()).start().await;
    let ada = server.quick_user("ada").await;
    let begun = Instant::now();
    let guess = async |number: usize| {
        let begun = Instant::now();
        let body = json!({ "identifier": format!("nobody{number}"), "password": "a guess" });
        (Answer::of(server.request(Method::POST, "/v1/login").json(&body)).await, begun.elapsed())
    };
    let flood = join_all((0..200).map(guess));
    let readers = async {
        let mut slowest = Duration::ZERO;
        for _ in 0..100 {
            let begun = Instant::now();
            let answer =
                Answer::of(server.request(Method::GET, "/v1/session").bearer_auth(ada.token())).await;
            assert_eq!(answer.code(), 200);
            slowest = slowest.max(begun.elapsed());
        }
        slowest
    };
    let (flood, slowest) = futures::join!(flood, readers);
    let whole = begun.elapsed();
    println!("flood {whole:?}, slowest read {slowest:?}");
    // On a machine that is busy with other things both take longer.
    let bound = (whole / 3).max(Duration::from_secs(3));
    assert!(slowest < bound, "a read took {slowest:?} during a flood of {whole:?}");
    let mut refused = 0;
    for (answer, took) in &flood {
        match answer.code() {
            401 => {}
            503 => {
                refused += 1;
                assert!(!answer.header("retry-after").is_empty());
                assert!(*took < bound, "to be told that it is too much took {took:?}");
            }
            other => panic!("{other}: {}", answer.message()),
        }
    }
    let queue = 64;
    assert!(refused > 0 && refused <= 200 - queue, "{refused} of 200 were refused; {queue} may wait");
    assert_eq!(server.sign_in("ada").await.username, "ada", "and afterwards all is well");
}

//! Two hundred concurrent logins with the default cost of password hashing: other callers are served
//! meanwhile, and surplus logins are rejected quickly. Bounds are in seconds; the figures come from `cargo
//! xtask bench`.

use std::time::{Duration, Instant};

use futures::future::join_all;
use http::Method;
use rollcall_server::config::Password;
use serde_json::json;

use crate::support::{Answer, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_in_a_flood_does_not_delay_other_callers() {
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
            let response =
                Answer::of(server.request(Method::GET, "/v1/session").bearer_auth(ada.token())).await;
            assert_eq!(response.code(), 200);
            slowest = slowest.max(begun.elapsed());
        }
        slowest
    };
    let (flood, slowest) = futures::join!(flood, readers);
    let whole = begun.elapsed();
    println!("flood {whole:?}, slowest read {slowest:?}");
    // On a busy machine both take longer.
    let bound = (whole / 3).max(Duration::from_secs(3));
    assert!(slowest < bound, "a read took {slowest:?} during a flood of {whole:?}");
    let mut refused = 0;
    for (response, took) in &flood {
        match response.code() {
            401 => {}
            503 => {
                refused += 1;
                assert!(!response.header("retry-after").is_empty());
                assert!(*took < bound, "the rejection took {took:?}");
            }
            other => panic!("{other}: {}", response.message()),
        }
    }
    let queue = 64;
    assert!(refused > 0 && refused <= 200 - queue, "{refused} of 200 were rejected; {queue} may wait");
    assert_eq!(server.sign_in("ada").await.username, "ada", "and afterwards all is well");
}

//! Searches that take too long: a 422 that says so, without effect on other callers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::Method;
use rollcall_client::error_code;

use crate::support::{Answer, Person, TestServer};

/// Statement timeout of searches in milliseconds.
const PATIENCE: u64 = 300;

/// A server with that timeout, and with so many users with long names that reading all of them takes longer.
async fn crowded() -> (TestServer, Person) {
    let server = TestServer::builder()
        .config(|config| {
            config.database.search_timeout_milliseconds = PATIENCE;
            config.database.pool_wait_milliseconds = 250;
        })
        .start()
        .await;
    let admin = server.admin().await;
    server
        .sql(
            "INSERT INTO users (id, username, username_folded, name, name_folded, created_via, created_at, updated_at) \
             SELECT gen_random_uuid(), 'u' || n, 'u' || n, repeat('ab', 64), repeat('ab', 64), 'admin', now(), now() \
             FROM generate_series(1, 20000) n",
        )
        .await;
    server.sweep().await;
    // After what is derived is there, or an estimate would know nothing of it.
    server.sql("ANALYZE users").await;
    (server, admin)
}

/// The maximum number of regular expressions in a filter. None matches any name, so each is tried on all of
/// them.
fn hostile() -> String {
    let terms: Vec<String> =
        (0..8).map(|n| format!(r#"name matches "(a|b|ab)*(ba?){{9,{}}}c$""#, n + 10)).collect();
    terms.join(" or ")
}

async fn ask(server: &TestServer, who: &Person, query: &[(&str, &str)]) -> Answer {
    Answer::of(server.request(Method::GET, "/v1/users").query(query).bearer_auth(who.token())).await
}

#[tokio::test]
async fn user_list_rejects_searches_that_take_too_long() {
    let (server, admin) = crowded().await;
    let (regex, begun) = (hostile(), Instant::now());
    let response = ask(&server, &admin, &[("filter", &regex)]).await;
    assert_eq!((response.code(), response.error_code().as_str()), (422, error_code::QUERY_TOO_COSTLY));
    assert!(response.message().contains("narrow it"), "{}", response.message());
    assert!(begun.elapsed() < Duration::from_secs(5), "took {:?}", begun.elapsed());
    // The first page is fast, and the count is not.
    let others = format!("not ({regex})");
    let page = ask(&server, &admin, &[("filter", &others), ("limit", "1")]).await;
    assert_eq!(page.code(), 200, "{}", page.message());
    let response = ask(&server, &admin, &[("filter", &others), ("limit", "1"), ("total", "exact")]).await;
    assert_eq!((response.code(), response.error_code().as_str()), (422, error_code::QUERY_TOO_COSTLY));
    let response = ask(&server, &admin, &[("filter", &others), ("limit", "1"), ("total", "estimate")]).await;
    assert!(response.json()["total"].as_u64().is_some(), "{}", response.message());
    let estimate = ask(&server, &admin, &[("filter", &regex), ("total", "estimate"), ("limit", "1")]).await;
    assert_eq!(estimate.code(), 422, "the page itself is too costly");
    // The connections still work.
    for _ in 0..10 {
        let response = ask(&server, &admin, &[("q", "administrator")]).await;
        assert_eq!(response.json()["items"].as_array().map(Vec::len), Some(1), "{}", response.message());
    }
    let page = ask(&server, &admin, &[("q", "ababab"), ("limit", "2"), ("total", "estimate")]).await.json();
    assert_eq!(page["items"].as_array().map(Vec::len), Some(2));
    assert!(page["total"].as_u64().is_some_and(|total| total > 1000), "{}", page["total"]);
}

/// Eight searches at once, repeatedly, by a user without permissions: an administrator's searches and all
/// reads work as usual.
#[tokio::test]
async fn user_list_with_slow_expressions_does_not_delay_other_callers() {
    let (server, admin) = crowded().await;
    let mallory = server.quick_user("mallory").await;
    let regex = hostile();
    let (query, done) = ([("filter", regex.as_str())], AtomicBool::new(false));
    let storm = async || {
        let mut responses = Vec::new();
        while !done.load(Ordering::Relaxed) {
            responses.push(ask(&server, &mallory, &query).await);
        }
        responses
    };
    let storm = futures::future::join_all((0..8).map(async |_| storm().await));
    let others = async {
        let mut slowest = Duration::ZERO;
        for number in 0..20 {
            let begun = Instant::now();
            let search = format!("/v1/users?q=u{number}&limit=5");
            for path in [search.as_str(), "/v1/users/me", "/v1/users?limit=1", "/v1/groups"] {
                let response = Answer::of(server.request(Method::GET, path).bearer_auth(admin.token())).await;
                assert_eq!(response.code(), 200, "{path}: {}", response.message());
            }
            slowest = slowest.max(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        done.store(true, Ordering::Relaxed);
        slowest
    };
    let (responses, slowest) = tokio::join!(storm, others);
    let responses: Vec<Answer> = responses.into_iter().flatten().collect();
    let count = |code: u16, name: &str| {
        responses.iter().filter(|response| response.code() == code && response.error_code() == name).count()
    };
    let (slow, many) = (count(422, error_code::QUERY_TOO_COSTLY), count(429, error_code::TOO_MANY_REQUESTS));
    assert!(
        slow >= 2 && many >= 2 && slow + many == responses.len(),
        "{slow} slow, {many} of {}",
        responses.len()
    );
    assert!(slowest < Duration::from_secs(2), "the slowest round took {slowest:?}");
}

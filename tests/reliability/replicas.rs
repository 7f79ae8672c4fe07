//! Two servers on one database: changes by one are in effect on the other with the next request.

use chrono::TimeDelta;
use http::Method;
use rollcall_client::error_code;
use serde_json::json;

use crate::support::{Answer, PASSWORD, Person, TestServer};

async fn get(server: &TestServer, path: &str, person: &Person) -> Answer {
    Answer::of(server.request(Method::GET, path).bearer_auth(person.token())).await
}

#[tokio::test]
async fn user_session_delete_on_one_replica_applies_on_the_other() {
    let one = TestServer::start().await;
    let two = TestServer::builder().beside(&one).start().await;
    let (admin, ada) = (one.admin().await, one.quick_user("ada").await);
    assert_eq!(get(&two, "/v1/session", &ada).await.code(), 200);
    let end =
        one.request(Method::DELETE, &format!("/v1/users/{}/sessions", ada.id)).bearer_auth(admin.token());
    assert_eq!(Answer::of(end).await.code(), 204);
    assert_eq!(get(&two, "/v1/session", &ada).await.code(), 401);

    let reader = one.quick_user("reader").await;
    one.grant(reader.id, ["users:read"]).await;
    assert_eq!(get(&two, "/v1/users/@ada", &reader).await.json()["view"], "full");
    one.sql("DELETE FROM user_roles WHERE role_id IN (SELECT id FROM roles WHERE NOT built_in)").await;
    assert_eq!(get(&two, "/v1/users/@ada", &reader).await.json()["view"], "card");
    one.suspend(reader.id).await;
    assert_eq!(get(&two, "/v1/session", &reader).await.code(), 401);
}

#[tokio::test]
async fn user_list_retries_and_limits_continue_on_the_other_replica() {
    let limit = |config: &mut rollcall_server::config::Config| config.throttle.account_attempts = 3;
    let one = TestServer::builder().config(limit).start().await;
    let two = TestServer::builder().config(limit).beside(&one).start().await;
    let admin = one.admin().await;
    one.quick_user("ada").await;
    let first = get(&one, "/v1/users?limit=1", &admin).await.json();
    let token = first["next_page"].as_str().unwrap();
    let second = get(&two, &format!("/v1/users?limit=1&page_token={token}"), &admin).await;
    assert_eq!(second.code(), 200, "page tokens are one server's as much as the other's");
    assert_ne!(second.json()["items"], first["items"]);

    let create = async |server: &TestServer| {
        let request = server.request(Method::POST, "/v1/users").bearer_auth(admin.token());
        Answer::of(request.header("idempotency-key", "k").json(&json!({ "username": "once" }))).await
    };
    let (first, again) = (create(&one).await, create(&two).await);
    assert_eq!((first.body, again.header("idempotency-replayed")), (again.body.clone(), "true"));

    let login = async |server: &TestServer, password: &str| {
        let body = json!({ "identifier": "ada", "password": password });
        Answer::of(server.request(Method::POST, "/v1/login").json(&body)).await
    };
    for server in [&one, &two, &one] {
        assert_eq!(login(server, "wrong").await.code(), 401);
    }
    assert_eq!(login(&two, PASSWORD).await.error_code(), error_code::TOO_MANY_ATTEMPTS);
    one.advance(TimeDelta::seconds(901));
    assert_eq!(login(&two, PASSWORD).await.code(), 200);
}

//! Query strings of operations that have no query parameters.

use http::Method;
use rollcall_client::error_code;

use crate::support::contract::OPERATIONS;
use crate::support::{Answer, TestServer};

/// A parameter that an operation doesn't have gets a 400 that names it, even if the operation has no parameters at all.
#[tokio::test]
async fn every_operation_without_parameters_rejects_a_query_string() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let before = server.dump().await;
    let mut tried = 0;
    for operation in OPERATIONS.iter() {
        let parameters = operation.object["parameters"].as_array().into_iter().flatten();
        if parameters.clone().any(|parameter| parameter["in"] == "query") {
            continue;
        }
        let id = admin.id.to_string();
        let path = operation
            .path
            .replace("{user}", "me")
            .replace("{group}", "@public")
            .replace("{role}", "@administrator")
            .replace("{session}", &id)
            .replace("{invitation}", &id);
        let method: Method = operation.method.clone();
        let ask = async |query: &str| {
            let request = server.request(method.clone(), &format!("{path}{query}"));
            let request = request.bearer_auth(admin.token());
            let body = operation.object["requestBody"]["content"]["application/json"]["example"].clone();
            Answer::of(if operation.object["requestBody"].is_object() {
                request.json(&body)
            } else {
                request
            })
            .await
        };
        if operation.object["tags"][0] == "system" {
            assert_eq!(ask("?x=1").await.code(), 200, "{}: for probes and caches", operation.id);
            continue;
        }
        for query in ["?color=red", "?color", "?%63olor=red&limit=1"] {
            let answer = ask(query).await;
            let got = (answer.code(), answer.error_code());
            assert_eq!(got, (400, error_code::INVALID_REQUEST.to_owned()), "{}{query}", operation.id);
            if !operation.object["requestBody"].is_object() {
                assert!(answer.message().starts_with("color: "), "{}: {}", operation.id, answer.message());
            }
        }
        tried += 1;
    }
    assert!(tried > 25, "{tried}");
    assert_eq!(server.dump().await, before);
    let empty = Answer::of(server.request(Method::GET, "/v1/users/me?").bearer_auth(admin.token())).await;
    assert_eq!(empty.code(), 200);
    let nobody = Answer::of(server.request(Method::GET, "/v1/users/me?x=1")).await;
    assert_eq!(nobody.code(), 401);
}

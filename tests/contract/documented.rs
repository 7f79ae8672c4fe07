//! Every operation is documented and routed, and the served document equals the checked-in one.

use std::collections::BTreeSet;

use http::Method;
use rollcall_api::rollcall_api_mod;

use crate::support::contract::{OPERATIONS, TEXT};
use crate::support::{Answer, TestServer};

/// Method, path and id of every operation according to Dropshot.
fn routed() -> BTreeSet<(String, String, String)> {
    let description = rollcall_api_mod::stub_api_description().unwrap();
    let raw = description.openapi("Rollcall", semver::Version::new(1, 0, 0)).json().unwrap();
    let mut routed = BTreeSet::new();
    for (path, item) in raw["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            routed.insert((method.to_uppercase(), path.clone(), id.to_owned()));
        }
    }
    routed
}

#[test]
fn routes_and_documented_operations_are_the_same() {
    let documented =
        OPERATIONS.iter().map(|op| (op.method.to_string(), op.path.clone(), op.id.clone())).collect();
    assert_eq!(routed(), documented);
}

#[tokio::test]
async fn document_view_returns_the_checked_in_bytes() {
    let server = TestServer::start().await;
    let answer = Answer::of(server.request(Method::GET, "/openapi.json")).await;
    assert_eq!(answer.code(), 200);
    assert!(answer.body == TEXT.as_bytes(), "what is served differs from openapi/rollcall.json");
}

#[tokio::test]
async fn documented_methods_exist_and_others_do_not() {
    let server = TestServer::start().await;
    let methods = [Method::GET, Method::PUT, Method::POST, Method::PATCH, Method::DELETE, Method::TRACE];
    let paths: BTreeSet<&str> = OPERATIONS.iter().map(|operation| operation.path.as_str()).collect();
    for path in paths {
        let concrete = path.replace("{user}", "me").replace("{group}", "@public");
        let concrete = concrete.replace("{session}", "01941f29-7c00-7000-8000-000000000001");
        for method in &methods {
            let documented = OPERATIONS.iter().any(|op| op.path == path && op.method == *method);
            let answer = Answer::of(server.request(method.clone(), &concrete)).await;
            // Responses of the router itself have no error code.
            let routed = !(matches!(answer.code(), 404 | 405) && answer.error_code().is_empty());
            assert_eq!(routed, documented, "{method} {path}: {} {}", answer.code(), answer.message());
        }
    }
    let nowhere = Answer::of(server.request(Method::GET, "/v2/users")).await;
    assert_eq!(nowhere.code(), 404);
}

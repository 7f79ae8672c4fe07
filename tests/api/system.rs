//! What the server says of itself.

use http::Method;
use serde_json::Value;

use crate::support::contract::TEXT;
use crate::support::{Answer, TestServer};

#[tokio::test]
async fn anybody_may_ask_how_the_server_is() {
    let server = TestServer::start().await;
    let client = server.client();
    assert_eq!(client.system_health().send().await.unwrap().status, "ok");
    assert_eq!(client.system_ready().send().await.unwrap().status, "ready");
}

#[tokio::test]
async fn the_versions_are_those_of_the_build_and_of_the_document() {
    let server = TestServer::start().await;
    let seen = server.client().system_version().send().await.unwrap();
    semver::Version::parse(&seen.version).unwrap();
    let document: Value = serde_json::from_str(TEXT).unwrap();
    assert_eq!(document["info"]["version"], seen.document_version.as_str());
    assert_eq!(seen.version, env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn the_document_is_the_one_that_is_checked_in() {
    let server = TestServer::start().await;
    let served = Answer::of(server.request(Method::GET, "/openapi.json")).await;
    assert_eq!(served.body, TEXT.as_bytes(), "to the byte");
    let read = server.client().document_view().send().await.unwrap();
    assert_eq!(Value::Object(read.into_inner().0), serde_json::from_str::<Value>(TEXT).unwrap());
}

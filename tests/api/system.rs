//! The system operations: health, version and the document.

use http::Method;
use serde_json::Value;

use crate::support::contract::TEXT;
use crate::support::{Answer, TestServer};

#[tokio::test]
async fn system_health_and_system_ready_need_no_credential() {
    let server = TestServer::start().await;
    let client = server.client();
    assert_eq!(client.system_health().send().await.unwrap().status, "ok");
    assert_eq!(client.system_ready().send().await.unwrap().status, "ready");
}

#[tokio::test]
async fn system_version_matches_the_build_and_the_document() {
    let server = TestServer::start().await;
    let seen = server.client().system_version().send().await.unwrap();
    semver::Version::parse(&seen.version).unwrap();
    let document: Value = serde_json::from_str(TEXT).unwrap();
    assert_eq!(document["info"]["version"], seen.document_version.as_str());
    assert_eq!(seen.version, env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn document_view_returns_the_checked_in_document() {
    let server = TestServer::start().await;
    let served = Answer::of(server.request(Method::GET, "/openapi.json")).await;
    assert_eq!(served.body, TEXT.as_bytes(), "to the byte");
    let read = server.client().document_view().send().await.unwrap();
    assert_eq!(Value::Object(read.into_inner().0), serde_json::from_str::<Value>(TEXT).unwrap());
}

/// Load balancers and caches use HEAD. Not through the proxy, whose client would itself discard a body.
#[tokio::test]
async fn system_health_and_other_probes_accept_head() {
    let server = TestServer::start().await;
    for path in ["/healthz", "/readyz", "/v1/version", "/openapi.json"] {
        let url = format!("http://{}{path}", server.direct);
        let get = Answer::of(server.http().get(&url)).await;
        let head = Answer::of(server.http().head(&url)).await;
        assert_eq!((get.code(), head.code(), head.body.len()), (200, 200, 0), "{path}");
        for header in ["content-type", "content-length", "cache-control"] {
            assert_eq!(get.header(header), head.header(header), "{path}: {header}");
        }
        assert_eq!(head.header("content-length"), get.body.len().to_string(), "{path}");
        assert!(!head.header("x-request-id").is_empty(), "{path}");
    }
    // Raw bytes: the next response starts where the headers of this one end.
    let mut stream = std::net::TcpStream::connect(server.direct).unwrap();
    let asks = "HEAD /readyz HTTP/1.1\r\nhost: x\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let text = tokio::task::spawn_blocking(move || {
        use std::io::{Read, Write};
        stream.write_all(asks.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    });
    let text = text.await.unwrap();
    let (head, rest) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200") && rest.starts_with("HTTP/1.1 200"), "{text}");
}

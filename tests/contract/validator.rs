//! Tests of the validating proxy: it detects every kind of response that violates the document, with the right reason.

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::contract::{Operation, Seen, check};
use crate::support::proxy::{self, Shared};

/// A valid response to `user_view`, from the document's example.
struct Sample {
    target: &'static str,
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Value,
}

fn good() -> Sample {
    let response =
        &Operation::of("user_view").object["responses"]["200"]["content"]["application/json"]["example"];
    Sample {
        target: "/v1/users/me",
        status: 200,
        headers: vec![
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("x-request-id", "r-1"),
            ("etag", "\"3-own\""),
        ],
        body: response.clone(),
    }
}

fn error(status: u16, code: &str) -> Sample {
    let body = json!({ "request_id": "r-1", "error_code": code, "message": "no" });
    let mut sample = Sample { status, body, ..good() };
    sample.headers.pop();
    if status == 401 {
        sample.headers.push(("www-authenticate", "Bearer"));
    }
    sample
}

fn violations(sample: &Sample) -> String {
    let mut headers = HeaderMap::new();
    for (name, value) in &sample.headers {
        headers.insert(*name, value.parse().unwrap());
    }
    let body = if sample.body.is_null() { Vec::new() } else { sample.body.to_string().into_bytes() };
    let status = StatusCode::from_u16(sample.status).unwrap();
    check(&Seen { method: &Method::GET, target: sample.target, status, headers: &headers, body: &body })
        .1
        .join("\n")
}

#[test]
fn valid_responses_pass() {
    let mut known = Sample { status: 304, body: Value::Null, ..good() };
    known.headers.remove(0);
    for sample in
        [good(), error(404, "not_found"), error(401, "unauthenticated"), error(500, "internal"), known]
    {
        assert_eq!(violations(&sample), "");
    }
}

#[test]
fn invalid_responses_are_detected() {
    let with = |change: fn(&mut Sample)| {
        let mut sample = good();
        change(&mut sample);
        sample
    };
    for (sample, complaint) in [
        (with(|sample| sample.status = 202), "not documented"),
        (error(409, "conflict"), "not documented"),
        (with(|sample| sample.headers.retain(|(name, _)| *name != "etag")), "ETag is missing"),
        (
            with(|sample| sample.headers.retain(|(name, _)| *name != "x-request-id")),
            "x-request-id is missing",
        ),
        (with(|sample| sample.headers.retain(|(name, _)| *name != "cache-control")), "cache-control"),
        (with(|sample| sample.headers[0].1 = "text/plain"), "content-type"),
        (with(|sample| sample.headers.push(("location", "/v1/users/1"))), "location is not documented"),
        (with(|sample| sample.body["id"] = "7".into()), "uuid"),
        (with(|sample| sample.body["id"] = Value::Null), "type"),
        (with(|sample| sample.body["password_hash"] = "x".into()), "password_hash"),
        (with(|sample| sample.body["profile"]["shoe_size"] = 42.into()), "shoe_size"),
        (with(|sample| sample.body["created_at"] = "yesterday".into()), "date-time"),
        (with(|sample| drop(sample.body.as_object_mut().unwrap().remove("view"))), "required"),
        (with(|sample| sample.body = Value::Null), "not JSON"),
        (with(|sample| sample.status = 304), "there is a body"),
        (error(404, "forbidden"), "belongs to 403"),
        (error(404, "made_up"), "not in the registry"),
        (error(401, "invalid_credentials"), "not among the operation's codes"),
        (Sample { body: json!({ "request_id": "r-1", "message": "no" }), ..error(404, "") }, "no code"),
        (
            Sample {
                body: json!({ "request_id": "r-2", "error_code": "not_found", "message": "" }),
                ..error(404, "")
            },
            "request_id",
        ),
        (Sample { target: "/v2/users", ..good() }, "no operation"),
    ] {
        let found = violations(&sample);
        assert!(found.contains(complaint), "expected a complaint about `{complaint}`, got `{found}`");
    }
}

/// The proxy validates what it forwards, even if the server closes the connection.
#[tokio::test]
async fn the_proxy_reports_invalid_responses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for answer in ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}", ""] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _length = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let notes = Shared::default();
    let address = proxy::start(server, notes.clone()).await;
    let http = reqwest::Client::new();
    for (status, complaint) in
        [(200, "GET /v1/session (session_view) returned 200: "), (502, "closed the connection")]
    {
        let answer = http.get(format!("http://{address}/v1/session")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        let found = std::mem::take(&mut notes.lock().unwrap().violations).join("\n");
        assert!(found.contains(complaint), "{found}");
    }
}

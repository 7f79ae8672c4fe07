//! Invalid requests: every one gets a 4xx that names the error, quickly, and nothing changes.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::RequestBuilder;
use rollcall_client::error_code;
use rollcall_server::config::RegistrationMode;
use serde_json::Value;

use super::recipes::Scene;
use super::shapes::{bad_values, fields, set};
use crate::support::contract::{OPERATIONS, Operation, resolve};
use crate::support::{Answer, Person, TestServer};

/// Maximum time of a response to an invalid request.
const SOON: Duration = Duration::from_secs(10);

/// A server, a caller with all permissions, and the unexpected results so far.
struct Bench {
    server: TestServer,
    root: Person,
    scene: Scene,
    wrong: Vec<String>,
}

impl Bench {
    async fn new() -> Self {
        let open =
            |config: &mut rollcall_server::config::Config| config.registration.mode = RegistrationMode::Open;
        let server = TestServer::builder().config(open).start().await;
        let root = server.admin().await;
        let scene = Scene { target: root.clone(), ..Scene::set(&server, 1).await };
        Self { server, root, scene, wrong: Vec::new() }
    }

    /// Builds a valid request without its body.
    fn call(&self, operation: &Operation) -> RequestBuilder {
        self.at(operation, &self.scene.path(operation))
    }

    fn at(&self, operation: &Operation, path: &str) -> RequestBuilder {
        let request = self.server.request(operation.method.clone(), path).timeout(SOON);
        if operation.needs_credential() { request.bearer_auth(self.root.token()) } else { request }
    }

    /// Sends a request, which must be rejected with this code and a message that contains one of `named`.
    async fn rejected(&mut self, place: &str, request: RequestBuilder, code: &str, named: &[&str]) {
        let answer = Answer::of(request).await;
        let message = answer.message();
        let names = named.is_empty() || named.iter().any(|name| message.contains(name));
        if answer.error_code() != code || !names {
            let status = answer.code();
            self.wrong.push(format!(
                "{place}: expected {code} naming {named:?}, got {status} {} `{message}`",
                answer.error_code()
            ));
        }
    }

    /// Sends a body, which must get a 400 whose message contains one of `named`.
    async fn body(&mut self, operation: &Operation, what: &str, body: impl Into<Vec<u8>>, named: &[&str]) {
        let request = self.call(operation).header(CONTENT_TYPE, "application/json").body(body.into());
        self.rejected(&format!("{}: {what}", operation.id), request, error_code::INVALID_REQUEST, named)
            .await;
    }

    /// Asserts that there were no unexpected results and no changes.
    async fn finish(self, before: &[(String, String)]) {
        assert!(self.wrong.is_empty(), "{} answers:\n{}", self.wrong.len(), self.wrong.join("\n"));
        assert_eq!(before, self.server.dump().await, "a rejected request changed something");
    }
}

fn with_bodies() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(|operation| !operation.object["requestBody"].is_null())
}

#[tokio::test]
async fn bodies_that_are_no_json_objects() {
    let mut bench = Bench::new().await;
    let before = bench.server.dump().await;
    for operation in with_bodies() {
        let good = bench.scene.body(operation).unwrap().to_string();
        let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("an array", b"[]".to_vec()),
            ("an array of a good body", format!("[{good}]").into_bytes()),
            ("a string", b"\"text\"".to_vec()),
            ("null", b"null".to_vec()),
            ("a number", b"7".to_vec()),
            ("nothing", Vec::new()),
            ("blanks", b" \n ".to_vec()),
            ("truncated", good.as_bytes()[..good.len() - 1].to_vec()),
            ("followed by more", format!("{good}x").into_bytes()),
            ("twice", format!("{good}{good}").into_bytes()),
            ("invalid UTF-8", b"{\"a\": \"\xff\xfe\"}".to_vec()),
            ("a lone surrogate", br#"{"a": "\ud800"}"#.to_vec()),
            ("deep", deep("{\"a\":", "}").into_bytes()),
            ("deep arrays in an object", format!("{{\"a\":{}}}", deep("[", "]")).into_bytes()),
            ("a number without end", format!("{{\"a\": 1{}}}", "0".repeat(50_000)).into_bytes()),
            ("a comment", b"{/* no */}".to_vec()),
        ];
        for (what, body) in cases {
            // An empty body is valid if the body is optional: see `an_absent_body_is_accepted_where_it_is_optional`.
            if what == "nothing" && operation.object["requestBody"]["required"] == false {
                continue;
            }
            bench
                .body(
                    operation,
                    what,
                    body,
                    &["body", "a: ", "unknown field `a`", "missing field", "JSON", "a "],
                )
                .await;
        }
    }
    bench.finish(&before).await;
}

#[tokio::test]
async fn fields_of_the_wrong_shape() {
    let mut bench = Bench::new().await;
    let before = bench.server.dump().await;
    for operation in with_bodies() {
        let good = bench.scene.body(operation).unwrap();
        let schema = operation.body_schema();
        if schema["additionalProperties"] == true {
            bench.body(operation, "NUL", br#"{"k": {"l": ["\u0000"]}}"#.to_vec(), &["k.l.0: "]).await;
            bench.body(operation, "NUL in a name", br#"{"k\u0000": 1}"#.to_vec(), &["NUL"]).await;
            continue;
        }
        let mut unknown = good.clone();
        unknown["zzz"] = 1.into();
        bench.body(operation, "unknown field", unknown.to_string(), &["zzz"]).await;
        let fields = fields(&schema, "");
        for field in &fields {
            for (what, value) in bad_values(field) {
                let mut body = good.clone();
                set(&mut body, &field.path, value);
                let name = field.path.rsplit('.').next().unwrap();
                bench.body(operation, &format!("{} {what}", field.path), body.to_string(), &[name]).await;
            }
            if field.required && !field.path.contains('.') {
                let mut body = good.clone();
                body.as_object_mut().unwrap().remove(&field.path);
                bench
                    .body(operation, &format!("without {}", field.path), body.to_string(), &[&field.path])
                    .await;
            }
        }
        if let Some(first) = good.as_object().unwrap().keys().next() {
            let twice = format!("{{\"{first}\": {0}, \"{first}\": {0}}}", good[first]);
            bench.body(operation, "a field twice", twice, &[first]).await;
        }
    }
    bench.finish(&before).await;
}

#[tokio::test]
async fn bodies_that_are_too_large_or_not_json() {
    let mut bench = Bench::new().await;
    let before = bench.server.dump().await;
    for operation in with_bodies() {
        let good = bench.scene.body(operation).unwrap().to_string();
        let typed = |request: RequestBuilder, kind: &str| request.header(CONTENT_TYPE, kind);
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/jsonx",
            "",
        ] {
            let request = typed(bench.call(operation), kind).body(good.clone());
            let place = format!("{}: {kind:?}", operation.id);
            bench.rejected(&place, request, error_code::UNSUPPORTED_MEDIA_TYPE, &["application/json"]).await;
        }
        let request = bench.call(operation).body(good.clone());
        bench
            .rejected(&operation.id, request, error_code::UNSUPPORTED_MEDIA_TYPE, &["application/json"])
            .await;
        for size in [64 * 1024 + 1, 65 * 1024, 1024 * 1024] {
            let padded = format!("{}{}", " ".repeat(size - good.len()), good);
            let request = typed(bench.call(operation), "application/json").body(padded);
            let place = format!("{}: {size} bytes", operation.id);
            bench.rejected(&place, request, error_code::BODY_TOO_LARGE, &["65536"]).await;
        }
    }
    bench.finish(&before).await;
}

/// An absent body is accepted exactly for operations with `required: false` in the document.
#[tokio::test]
async fn an_absent_body_is_accepted_where_it_is_optional() {
    let mut bench = Bench::new().await;
    let mut optional = Vec::new();
    for (number, operation) in (2..).zip(with_bodies()) {
        if operation.object["requestBody"]["required"] == true {
            let place = format!("{} without a body", operation.id);
            let request = bench.call(operation);
            bench.rejected(&place, request, error_code::UNSUPPORTED_MEDIA_TYPE, &["application/json"]).await;
            continue;
        }
        optional.push(operation.id.as_str());
        // Content types that client libraries send with an empty body.
        for (part, kind) in ["", "application/json", "application/x-www-form-urlencoded"].iter().enumerate() {
            let scene = Scene::set(&bench.server, number * 10 + part as u32).await;
            let caller = if operation.id == "logout" { &scene.target } else { &bench.root };
            let request =
                bench.server.request(operation.method.clone(), &scene.path(operation)).timeout(SOON);
            let request = request.bearer_auth(caller.token());
            let request =
                if kind.is_empty() { request } else { request.header(CONTENT_TYPE, *kind).body("") };
            let answer = Answer::of(request).await;
            let place = format!("{} with {kind:?}", operation.id);
            assert!(answer.status.is_success(), "{place}: {} {}", answer.code(), answer.message());
        }
    }
    optional.sort_unstable();
    assert_eq!(optional, ["group_invitation_create", "logout", "user_suspend"]);
    assert!(bench.wrong.is_empty(), "{}", bench.wrong.join("\n"));
}

#[tokio::test]
async fn headers_that_are_malformed_or_sent_twice() {
    let mut bench = Bench::new().await;
    let before = bench.server.dump().await;
    for operation in OPERATIONS.iter() {
        let place = |what: &str| format!("{}: {what}", operation.id);
        let body = bench.scene.body(operation);
        let good = |bench: &Bench| {
            let request = bench.call(operation);
            match &body {
                Some(body) => request.json(body),
                None => request,
            }
        };
        if operation.needs_credential() {
            let twice = good(&bench).header(AUTHORIZATION, format!("Bearer {}", bench.root.token()));
            bench
                .rejected(
                    &place("two credentials"),
                    twice,
                    error_code::AMBIGUOUS_CREDENTIALS,
                    &["uthorization"],
                )
                .await;
            let plain =
                bench.server.request(operation.method.clone(), &bench.scene.path(operation)).timeout(SOON);
            let both = plain.header(AUTHORIZATION, format!("Bearer {0}, Bearer {0}", bench.root.token()));
            let both = match &body {
                Some(body) => both.json(body),
                None => both,
            };
            bench
                .rejected(&place("two in one"), both, error_code::AMBIGUOUS_CREDENTIALS, &["uthorization"])
                .await;
        }
        for header in ["if-match", "if-none-match", "idempotency-key"] {
            if !operation.takes(header) {
                continue;
            }
            let bad: &[&str] = if header == "idempotency-key" {
                &["", "a b", "k\u{e9}"]
            } else {
                &["", "3", "\"3", "3\"", "\"a b\"", "W/3", "\"3\" \"4\"", "*, \"3\"", "\"\u{e9}\""]
            };
            for value in bad {
                let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
                let request = good(&bench).header(header, value.clone());
                bench
                    .rejected(
                        &place(&format!("{header} {value:?}")),
                        request,
                        error_code::INVALID_REQUEST,
                        &[header],
                    )
                    .await;
            }
            let long = format!("\"{}\"", "x".repeat(300));
            bench
                .rejected(
                    &place("too long"),
                    good(&bench).header(header, long),
                    error_code::INVALID_REQUEST,
                    &[header],
                )
                .await;
            let twice = good(&bench).header(header, "\"1\"").header(header, "\"1\"");
            bench.rejected(&place("twice"), twice, error_code::INVALID_REQUEST, &[header]).await;
            if header != "idempotency-key" {
                let many = ["\"1\""; 11].join(", ");
                bench
                    .rejected(
                        &place("eleven"),
                        good(&bench).header(header, many),
                        error_code::INVALID_REQUEST,
                        &[header],
                    )
                    .await;
            }
        }
    }
    bench.finish(&before).await;
}

#[tokio::test]
async fn paths_and_queries_that_name_nothing() {
    let mut bench = Bench::new().await;
    let before = bench.server.dump().await;
    let bad = [
        "nobody",
        "ME",
        "0",
        "-1",
        "%40",
        "%40a%20b",
        "%00",
        "..%2f..",
        "00000000000000000000000000000001",
        "%7Bid%7D",
        "01941f29-7c00-7000-8000-00000000000",
        "01941f29-7c00-7000-8000-0000000000011",
        "01941f29-7c00-7000-8000-00000000000g",
        "%F0%9F%92%A9",
        "@%00",
        "'%20OR%201=1--",
        "{01941f29-7c00-7000-8000-000000000001}",
    ];
    for operation in OPERATIONS.iter() {
        let body = bench.scene.body(operation);
        let names: Vec<Value> =
            operation.parameters().into_iter().filter(|parameter| parameter["in"] == "path").collect();
        for parameter in &names {
            let name = parameter["name"].as_str().unwrap();
            for value in bad {
                let path = bench.scene.path(&Operation {
                    path: operation.path.replace(&format!("{{{name}}}"), value),
                    ..operation.bare()
                });
                let request = bench.at(operation, &path);
                let request = match &body {
                    Some(body) => request.json(body),
                    None => request,
                };
                bench
                    .rejected(
                        &format!("{} {path}", operation.id),
                        request,
                        error_code::INVALID_REQUEST,
                        &[name],
                    )
                    .await;
            }
        }
        if !operation.takes("limit") {
            continue;
        }
        let path = bench.scene.path(operation);
        for (query, named) in [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=abc", "limit"),
            ("limit=-1", "limit"),
            ("limit=1.5", "limit"),
            ("limit=", "limit"),
            ("limit=99999999999999999999", "limit"),
            ("limit=1&limit=2", "limit"),
            ("zzz=1", "zzz"),
            ("Limit=1", "Limit"),
            ("page_token=", "page_token"),
            ("page_token=%00", "page_token"),
            ("page_token=a+b", "page_token"),
        ] {
            let request = bench.at(operation, &format!("{path}?{query}"));
            bench
                .rejected(
                    &format!("{}?{query}", operation.id),
                    request,
                    error_code::INVALID_REQUEST,
                    &[named],
                )
                .await;
        }
        let long = bench.at(operation, &format!("{path}?page_token={}", "a".repeat(4097)));
        bench.rejected(&operation.id, long, error_code::INVALID_REQUEST, &["page_token"]).await;
    }
    bench.finish(&before).await;
}

/// These tests derive from the bodies' schemas; one that they couldn't read would appear to have no fields.
#[test]
fn the_fields_of_bodies_are_found() {
    let create =
        resolve(&Operation::of("user_create").object["requestBody"]["content"]["application/json"]["schema"]);
    let found: Vec<String> = fields(create, "").into_iter().map(|field| field.path).collect();
    for expected in [
        "username",
        "password",
        "profile",
        "profile.birthdate",
        "profile.address.country",
        "must_change_password",
    ] {
        assert!(found.iter().any(|path| path == expected), "{expected} in {found:?}");
    }
}

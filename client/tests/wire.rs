//! Requests that the client sends, and its handling of responses, against a server with a script: one response per request.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rollcall_client::{Clear, Client, Paged, error_code, etag, types};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

const USER: &str = include_str!("../../openapi/examples/user_create.response.json");

/// Requests that the server got, in order: the head and the body.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

/// Starts a server that sends these responses, one per connection. `None` closes the connection without a response.
async fn play(script: Vec<Option<String>>) -> (Client, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    let notes = Arc::clone(&seen);
    tokio::spawn(async move {
        for response in script {
            let (stream, _) = listener.accept().await.unwrap();
            one(stream, response, &notes).await;
        }
    });
    let pauses = (Duration::from_millis(1), Duration::from_millis(20));
    (Client::builder().url(&url).retry_pauses(pauses.0, pauses.1).build().unwrap(), seen)
}

async fn one(stream: TcpStream, response: Option<String>, notes: &Seen) {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    notes.lock().unwrap().push((head, String::from_utf8(body).unwrap()));
    if let Some(response) = response {
        stream.write_all(response.as_bytes()).await.unwrap();
    }
}

fn response(status: &str, headers: &str, body: &str) -> Option<String> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\nx-request-id: r-1\r\n{headers}content-length: {length}"
    );
    Some(format!("{head}\r\n\r\n{body}"))
}

fn error(status: &str, code: &str, headers: &str) -> Option<String> {
    let body = format!(r#"{{"request_id":"r-1","error_code":"{code}","message":"no: {code}"}}"#);
    response(status, &format!("content-type: application/json\r\n{headers}"), &body)
}

fn requests(seen: &Seen) -> Vec<(String, String)> {
    seen.lock().unwrap().clone()
}

fn header(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}

fn new_user() -> types::builder::UserCreate {
    types::UserCreate::builder().username("ada")
}

#[tokio::test]
async fn a_session_sends_its_credential_and_after_session_reauthenticate_the_new_one() {
    let created = include_str!("../../openapi/examples/login.response.json");
    let again = include_str!("../../openapi/examples/session_reauthenticate.response.json");
    let script = vec![
        response("200 OK", "", created),
        response("200 OK", "", again),
        response("200 OK", "etag: \"7\"\r\n", USER),
    ];
    let (client, seen) = play(script).await;
    let session = client.login("ada", "plum lantern").await.unwrap();
    let clone = session.clone();
    session.reauthenticate("plum lantern").await.unwrap();
    let user = clone.user_view().user("me").send().await.unwrap();
    assert_eq!(etag(&user), Some("\"7\""));
    let seen = requests(&seen);
    assert_eq!(seen[0].1, r#"{"identifier":"ada","password":"plum lantern"}"#);
    assert_eq!(header(&seen[0].0, "authorization"), None);
    assert!(header(&seen[1].0, "authorization").unwrap().starts_with("Bearer rcs_example1"));
    assert!(header(&seen[2].0, "authorization").unwrap().starts_with("Bearer rcs_example3"));
    assert_eq!(clone.token(), session.token());
}

#[tokio::test]
async fn errors_carry_code_status_headers_and_message() {
    let script = vec![
        error("429 Too Many Requests", "too_many_attempts", "retry-after: 17\r\n"),
        error("412 Precondition Failed", "a_code_of_tomorrow", "etag: \"8\"\r\n"),
        response("405 Method Not Allowed", "", ""),
        response("304 Not Modified", "etag: \"9\"\r\n", ""),
        response("200 OK", "", "not JSON"),
    ];
    let (client, _) = play(script).await;
    let limited = client.login("ada", "wrong").await.unwrap_err();
    assert_eq!(limited.code(), Some(error_code::TOO_MANY_ATTEMPTS));
    assert_eq!(limited.status().unwrap().as_u16(), 429);
    assert_eq!(limited.retry_after(), Some(Duration::from_secs(17)));
    assert_eq!(limited.request_id(), Some("r-1"));
    assert_eq!(limited.to_string(), "no: too_many_attempts (too_many_attempts, 429)");

    let session = client.with_token("rcs_example");
    let update = types::UserUpdate::builder();
    let stale = session.user_update().user("me").if_match("\"7\"").body(update).send().await.unwrap_err();
    assert_eq!((stale.code(), stale.etag()), (Some("a_code_of_tomorrow"), Some("\"8\"")));
    let strange = session.user_delete().user("me").send().await.unwrap_err();
    assert_eq!((strange.code(), strange.status().unwrap().as_u16()), (None, 405));
    let known = session.user_view().user("me").if_none_match("\"9\"").send().await.unwrap_err();
    assert!(known.is_not_modified());
    let invalid_body = session.user_view().user("me").send().await.unwrap_err();
    assert_eq!(invalid_body.status(), None);
    let invalid = session.user_view().user("@a b").send().await.unwrap_err();
    assert_eq!(invalid.to_string(), "user: \"@a b\" must be an id, `@username` or `me`");
    let gone = Client::new("http://127.0.0.1:1").unwrap();
    let gone = gone.system_health().send().await.unwrap_err();
    assert_eq!(gone.to_string(), "the server can't be reached");
    assert!(Client::new("ftp://example.org").is_err() && Client::new("nonsense").is_err());
}

#[tokio::test]
async fn a_conditional_request_needs_the_entity_tag_of_an_earlier_response() {
    let script = vec![
        response("200 OK", "etag: \"7-own\"\r\n", USER),
        error("412 Precondition Failed", "precondition_failed", "etag: \"8-own\"\r\n"),
        response("304 Not Modified", "etag: \"7-own\"\r\n", ""),
        response("200 OK", "", USER),
    ];
    let (client, seen) = play(script).await;
    let session = client.with_token("rcs_example");
    let before = session.user_view().user("me").send().await.unwrap();
    let clear = || types::UserUpdate::builder().phone(Clear);
    let stale = session.user_update().user(before.id).if_unchanged(&before).body(clear()).send().await;
    assert_eq!(stale.unwrap_err().code(), Some(error_code::PRECONDITION_FAILED));
    let known = session.user_view().user(before.id).if_changed(&before).send().await.unwrap_err();
    assert!(known.is_not_modified());
    // A response without a tag must not lead to a write without a condition, such as with `*`.
    let untagged = session.user_view().user("me").send().await.unwrap();
    let unsent =
        session.user_update().user("me").if_unchanged(&untagged).body(clear()).send().await.unwrap_err();
    assert!(unsent.is_invalid() && unsent.to_string().contains("no entity tag"), "{unsent}");
    let seen = requests(&seen);
    assert_eq!(seen.len(), 4);
    let path = format!("PATCH /v1/users/{} HTTP/1.1", before.id);
    assert_eq!((seen[1].0.lines().next(), seen[1].1.as_str()), (Some(path.as_str()), r#"{"phone":null}"#));
    assert_eq!(header(&seen[1].0, "if-match").as_deref(), Some("\"7-own\""));
    assert_eq!(header(&seen[2].0, "if-none-match").as_deref(), Some("\"7-own\""));
}

#[tokio::test]
async fn reads_are_retried_after_503_and_broken_connections_and_short_waits() {
    let script = vec![
        error("503 Service Unavailable", "unavailable", "retry-after: 3600\r\n"),
        None,
        error("503 Service Unavailable", "unavailable", ""),
        response("200 OK", "", USER),
    ];
    let (client, seen) = play(script).await;
    client.with_token("rcs_example").user_view().user("me").send().await.unwrap();
    assert_eq!(requests(&seen).len(), 4, "three retries, none of them an hour later");

    let script = vec![
        error("429 Too Many Requests", "too_many_requests", "retry-after: 0\r\n"),
        error("429 Too Many Requests", "too_many_attempts", "retry-after: 900\r\n"),
    ];
    let (client, seen) = play(script).await;
    let session = client.with_token("rcs_example");
    let limited = session.user_view().user("me").send().await.unwrap_err();
    assert_eq!((limited.code(), requests(&seen).len()), (Some(error_code::TOO_MANY_ATTEMPTS), 2));

    let unavailable = || error("503 Service Unavailable", "unavailable", "");
    let (client, seen) = play((0..5).map(|_| unavailable()).collect()).await;
    let failed = client.with_token("rcs_example").user_view().user("me").send().await.unwrap_err();
    assert_eq!(failed.code(), Some(error_code::UNAVAILABLE));
    assert_eq!(requests(&seen).len(), 4, "the number of retries is limited");
}

#[tokio::test]
async fn user_create_is_retried_with_one_key_and_other_writes_are_not_retried() {
    let script = vec![
        None,
        error("409 Conflict", "idempotency_in_progress", "retry-after: 1\r\n"),
        response("201 Created", "location: /v1/users/1\r\n", USER),
        error("409 Conflict", "username_taken", ""),
        error("503 Service Unavailable", "unavailable", ""),
        error("429 Too Many Requests", "too_many_attempts", "retry-after: 1\r\n"),
    ];
    let (client, seen) = play(script).await;
    let session = client.with_token("rcs_example");
    session.user_create().body(new_user()).send().await.unwrap();
    let keys: Vec<_> =
        requests(&seen).iter().map(|(head, _)| header(head, "idempotency-key").unwrap()).collect();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");

    let taken = session.user_create().idempotency_key("mine").body(new_user()).send().await.unwrap_err();
    assert_eq!(taken.code(), Some(error_code::USERNAME_TAKEN));
    let body = types::UserUpdate::builder();
    session.user_update().user("me").body(body).send().await.unwrap_err();
    client.login("ada", "plum lantern").await.unwrap_err();
    let seen = requests(&seen);
    assert_eq!(seen.len(), 6);
    assert_eq!(header(&seen[3].0, "idempotency-key").as_deref(), Some("mine"));
    assert_eq!(header(&seen[4].0, "idempotency-key"), None);
}

#[tokio::test]
async fn user_list_stream_sends_its_parameters_with_every_token_and_ends() {
    let page = |names: &[&str], next: &str| {
        let items: Vec<_> = names
            .iter()
            .map(|name| {
                format!(
                    r#"{{"id":"01941f29-7c00-7000-8000-000000000001","view":"card","username":"{name}"}}"#
                )
            })
            .collect();
        response("200 OK", "", &format!(r#"{{"items":[{}],"next_page":{next}}}"#, items.join(",")))
    };
    let script = vec![
        page(&["ada", "grace"], "\"one\""),
        page(&[], "\"two\""),
        page(&["edsger"], "null"),
        page(&["ada"], "\"one\""),
        error("403 Forbidden", "forbidden", ""),
    ];
    let (client, seen) = play(script).await;
    let session = client.with_token("rcs_example");
    let all = session.user_list().limit(2u32).stream().collect().await.unwrap();
    let names: Vec<_> = all.iter().filter_map(|user| user.username.as_deref()).collect();
    assert_eq!(names, ["ada", "grace", "edsger"]);
    let mut broken = session.user_list().stream();
    assert!(broken.next().await.unwrap().is_ok());
    assert_eq!(broken.next().await.unwrap().unwrap_err().code(), Some(error_code::FORBIDDEN));
    assert!(broken.next().await.is_none());
    let seen = requests(&seen);
    let lines: Vec<_> = seen.iter().map(|(head, _)| head.lines().next().unwrap()).collect();
    assert_eq!(lines[0], "GET /v1/users?limit=2 HTTP/1.1");
    assert_eq!(lines[1], "GET /v1/users?limit=2&page_token=one HTTP/1.1");
    assert_eq!(lines[2], "GET /v1/users?limit=2&page_token=two HTTP/1.1");
}

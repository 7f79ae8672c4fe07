//! Malformed HTTP sent directly to the server: it returns a 4xx or closes the connection, quickly, and continues to serve.

use std::net::SocketAddr;
use std::time::Duration;

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Answer, TestServer};

/// Timeout, longer than the server waits for a body.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends bytes, closes the sending side and returns the response as text.
async fn send(server: SocketAddr, bytes: &[u8]) -> String {
    let talk = async {
        let mut stream = TcpStream::connect(server).await.unwrap();
        // The server may close the connection before everything is sent.
        let _sent = stream.write_all(bytes).await;
        let _ended = stream.shutdown().await;
        let mut answer = Vec::new();
        let _read = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(PATIENCE, talk).await.expect("the server does not wait forever")
}

fn request(line: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("{line}\r\nhost: x\r\nconnection: close\r\n{headers}\r\n{body}").into_bytes()
}

#[tokio::test]
async fn malformed_http_gets_a_4xx_and_the_server_keeps_serving() {
    let server = TestServer::start().await;
    let before = server.dump().await;
    let json = "content-type: application/json\r\n";
    let login = "POST /v1/login HTTP/1.1";
    let many: String = (0..500).map(|number| format!("x-{number}: y\r\n")).collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("noise", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("nothing", Vec::new()),
        ("no host", b"GET /v1/users HTTP/1.1\r\n\r\n".to_vec()),
        ("a strange method", request("BREW /v1/users HTTP/1.1", "", "")),
        ("a strange version", request("GET /v1/users HTTP/7.3", "", "")),
        ("HTTP/2 without asking", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("a header without a colon", request("GET /v1/users HTTP/1.1", "nonsense\r\n", "")),
        ("a header with NUL", request("GET /v1/users HTTP/1.1", "x: a\0b\r\n", "")),
        ("five hundred headers", request("GET /v1/users HTTP/1.1", &many, "")),
        ("a huge header", request("GET /v1/users HTTP/1.1", &format!("x: {}\r\n", "y".repeat(1 << 20)), "")),
        (
            "a huge token",
            request(
                "GET /v1/users HTTP/1.1",
                &format!("authorization: Bearer {}\r\n", "y".repeat(60_000)),
                "",
            ),
        ),
        ("a huge path", request(&format!("GET /v1/users/{} HTTP/1.1", "y".repeat(60_000)), "", "")),
        ("a negative length", request(login, &format!("{json}content-length: -1\r\n"), "{}")),
        ("two lengths", request(login, &format!("{json}content-length: 2\r\ncontent-length: 3\r\n"), "{}x")),
        (
            "a length too large for the machine",
            request(login, &format!("{json}content-length: 99999999999999999999\r\n"), "{}"),
        ),
        ("a length that is more than comes", request(login, &format!("{json}content-length: 100\r\n"), "{")),
        (
            "broken chunks",
            request(login, &format!("{json}transfer-encoding: chunked\r\n"), "zz\r\n{}\r\n0\r\n\r\n"),
        ),
        (
            "chunks that end early",
            request(login, &format!("{json}transfer-encoding: chunked\r\n"), "5\r\n{}"),
        ),
        (
            "a compressed body",
            request(login, &format!("{json}content-encoding: gzip\r\ncontent-length: 2\r\n"), "\x1f{"),
        ),
    ];
    for (what, bytes) in cases {
        let answer = send(server.direct, &bytes).await;
        // The response to an HTTP/2 client is a frame.
        let frame = what.starts_with("HTTP/2") && answer.starts_with('\0');
        let expected = frame
            || answer.is_empty()
            || answer.starts_with("HTTP/1.1 4")
            || answer.starts_with("HTTP/1.0 4");
        assert!(expected, "{what}: {answer}");
    }
    let chunks = format!("{:x}\r\n{}\r\n", 40_000, " ".repeat(40_000)).repeat(2) + "0\r\n\r\n";
    let answer =
        send(server.direct, &request(login, &format!("{json}transfer-encoding: chunked\r\n"), &chunks)).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "chunks are counted too: {answer}");
    assert_eq!(Answer::of(server.request(Method::GET, "/readyz")).await.code(), 200);
    assert_eq!(before, server.dump().await);
}

//! The client address of a request: the peer's, or if the peer is a trusted proxy the last address in
//! `X-Forwarded-For` that is not a trusted proxy. Everything before that can be forged.

use std::net::{IpAddr, SocketAddr};

use http::HeaderValue;
use serde_json::json;

use crate::support::{Answer, PASSWORD, TestServer, people::ADMINISTRATOR};

/// A server that trusts these addresses, and an address to connect to.
async fn server(trusted: &[&str], listen: &str) -> TestServer {
    let trusted: Vec<IpAddr> = trusted.iter().map(|address| address.parse().unwrap()).collect();
    let listen: SocketAddr = listen.parse().unwrap();
    TestServer::builder()
        .config(move |config| {
            config.http.trusted_proxies = trusted;
            config.http.address = listen;
        })
        .start()
        .await
}

/// Logs in with these headers, directly from a local address, and returns the address of the session.
async fn seen(server: &TestServer, from: &str, headers: &[&[u8]]) -> String {
    let from: IpAddr = from.parse().unwrap();
    let client = reqwest::Client::builder().local_address(from).build().unwrap();
    let target = if from.is_ipv4() { "127.0.0.1" } else { "[::1]" };
    let mut request = client.post(format!("http://{target}:{}/v1/login", server.direct.port()));
    for value in headers {
        request = request.header("x-forwarded-for", HeaderValue::from_bytes(value).unwrap());
    }
    let body = json!({ "identifier": ADMINISTRATOR, "password": PASSWORD });
    let response = Answer::of(request.json(&body)).await;
    assert_eq!(response.code(), 200, "{}", response.message());
    response.json()["session"]["address"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn login_counts_by_the_last_hop_that_is_no_trusted_proxy() {
    let server = server(&["127.0.0.1", "10.0.0.1", "2001:db8::1"], "127.0.0.1:0").await;
    for (headers, expected) in [
        (&[b"198.51.100.7".as_slice()][..], "198.51.100.7"),
        // The client wrote the first one.
        (&[b"203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        (&[b"203.0.113.9,198.51.100.7,10.0.0.1"], "198.51.100.7"),
        (&[b"10.0.0.1, 198.51.100.7, 2001:DB8:0::1, 10.0.0.1"], "198.51.100.7"),
        // Several headers are one list.
        (&[b"203.0.113.9", b"198.51.100.7"], "198.51.100.7"),
        (&[b"203.0.113.9", b"198.51.100.7", b"10.0.0.1"], "198.51.100.7"),
        // In any notation.
        (&[b"203.0.113.9, 2001:DB8:0:0::77"], "2001:db8::77"),
        (&[b"203.0.113.9, ::ffff:198.51.100.7"], "198.51.100.7"),
        (&[b"198.51.100.7, ::ffff:10.0.0.1"], "198.51.100.7"),
        (&[b"203.0.113.9 ,\t 198.51.100.7 "], "198.51.100.7"),
        // Only proxies, or nothing at all.
        (&[b"10.0.0.1, 127.0.0.1"], "127.0.0.1"),
        (&[], "127.0.0.1"),
    ] {
        let shown: Vec<_> = headers.iter().map(|value| String::from_utf8_lossy(value)).collect();
        assert_eq!(seen(&server, "127.0.0.1", headers).await, expected, "{shown:?}");
    }
}

#[tokio::test]
async fn login_counts_by_the_proxy_where_the_last_hop_is_unreadable() {
    let server = server(&["127.0.0.1", "10.0.0.1"], "127.0.0.1:0").await;
    for headers in [
        &[b"203.0.113.9, unknown".as_slice()][..],
        &[b"203.0.113.9, 198.51.100.7:4711"],
        &[b"203.0.113.9, [2001:db8::77]"],
        &[b"203.0.113.9, 198.51.100.7/24"],
        &[b"203.0.113.9, 198.051.100.007"],
        &[b"203.0.113.9, unknown, 10.0.0.1"],
        &[b"203.0.113.9,"],
        &[b""],
        &[b"203.0.113.9, \xff"],
        // An unreadable entry does not expose the client's entries before it.
        &[b"203.0.113.9", b"\xff"],
        &[b"203.0.113.9", b"\xff", b"10.0.0.1"],
        &[b"203.0.113.9", b""],
    ] {
        let shown: Vec<_> = headers.iter().map(|value| String::from_utf8_lossy(value)).collect();
        assert_eq!(seen(&server, "127.0.0.1", headers).await, "127.0.0.1", "{shown:?}");
    }
    // A non-UTF-8 byte before the last hop has no effect.
    assert_eq!(seen(&server, "127.0.0.1", &[b"\xff, 198.51.100.7"]).await, "198.51.100.7");
}

#[tokio::test]
async fn login_from_an_untrusted_peer_counts_by_the_peer() {
    let server = server(&["127.0.0.1"], "127.0.0.1:0").await;
    for headers in [&[b"203.0.113.9".as_slice()][..], &[b"203.0.113.9", b"127.0.0.1"], &[b"127.0.0.1"], &[]] {
        assert_eq!(seen(&server, "127.0.0.2", headers).await, "127.0.0.2");
    }
}

#[tokio::test]
async fn login_from_a_proxy_counts_in_every_notation_of_its_address() {
    let server = server(&["::ffff:127.0.0.1", "::1"], "[::]:0").await;
    // The server sees this peer as ::ffff:127.0.0.1.
    assert_eq!(seen(&server, "127.0.0.1", &[b"203.0.113.9, 198.51.100.7"]).await, "198.51.100.7");
    assert_eq!(seen(&server, "127.0.0.1", &[b"198.51.100.7, 127.0.0.1"]).await, "198.51.100.7");
    assert_eq!(seen(&server, "::1", &[b"203.0.113.9, 2001:db8::77, ::1"]).await, "2001:db8::77");
    assert_eq!(seen(&server, "127.0.0.2", &[b"203.0.113.9"]).await, "127.0.0.2");
}

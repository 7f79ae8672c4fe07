//! Limits on each connection: idle time, number of connections, and requests that never reach Dropshot. The
//! tests send raw bytes directly to the server.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use futures::future::join_all;
use http::Method;
use rollcall_server::config::Http;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{Answer, TestServer};

/// Time limit for events that take about a second.
const PATIENCE: Duration = Duration::from_secs(20);
const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
/// A request that is incomplete until its body arrives.
const HALF: &[u8] =
    b"POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";

async fn server(change: impl FnOnce(&mut Http)) -> TestServer {
    TestServer::builder().config(|config| change(&mut config.http)).start().await
}

/// A connection that has sent these bytes.
async fn sent(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// A connection from one of the loopback addresses.
async fn connect_from(source: &str, address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(source.parse::<IpAddr>().unwrap(), 0)).unwrap();
    socket.connect(address).await.unwrap()
}

/// Everything received until the server closes the connection, which it must do.
async fn to_the_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // A reset counts as closing.
    let _length = read.expect("the server closes the connection");
    bytes
}

/// Reads one complete response.
async fn response(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        let read = tokio::time::timeout(PATIENCE, stream.read_buf(&mut bytes)).await;
        assert!(read.expect("a response comes").unwrap() > 0, "the connection ended: {text}");
    }
}

#[tokio::test]
async fn system_health_connections_that_send_no_request_are_closed() {
    let server = server(|http| http.idle_timeout_seconds = 1).await;
    let begun = Instant::now();
    let silent = sent(server.direct, b"");
    let half = sent(server.direct, b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-long");
    let line_breaks = sent(server.direct, b"\r\n\r\n\r\n\r\n");
    let (silent, half, line_breaks) = futures::join!(silent, half, line_breaks);
    // A client that continues to send, but never a complete head.
    let dribbling = async {
        let mut stream = sent(server.direct, b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-long: ").await;
        while stream.write_all(b"x").await.is_ok() {
            assert!(begun.elapsed() < PATIENCE, "the server closes the connection");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    // A connection that has been served and stays open.
    let idle = async {
        let mut stream = sent(server.direct, HEALTH).await;
        assert!(response(&mut stream).await.starts_with("HTTP/1.1 200"));
        assert_eq!(to_the_end(&mut stream).await, b"");
    };
    // A connection that has been served and sends half of another request.
    let idle_half = async {
        let mut stream = sent(server.direct, HEALTH).await;
        assert!(response(&mut stream).await.starts_with("HTTP/1.1 200"));
        stream.write_all(&HEALTH[..20]).await.unwrap();
        assert_eq!(to_the_end(&mut stream).await, b"");
    };
    let unread = async |mut stream: TcpStream| assert_eq!(to_the_end(&mut stream).await, b"");
    // A connection in continuous use.
    let used = async {
        let mut stream = sent(server.direct, b"").await;
        for _ in 0..12 {
            stream.write_all(HEALTH).await.unwrap();
            assert!(response(&mut stream).await.starts_with("HTTP/1.1 200"));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    futures::join!(unread(silent), unread(half), unread(line_breaks), dribbling, idle, idle_half, used);
}

#[tokio::test]
async fn system_health_is_served_while_idle_connections_fill_the_server() {
    let server = server(|http| http.max_connections = 8).await;
    let mut silent = join_all((0..20).map(|_| sent(server.direct, b""))).await;
    crate::support::server::eventually("room", PATIENCE, async || {
        response(&mut sent(server.direct, HEALTH).await).await.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;
    // The connections closed to make room; without the limit there are none.
    let ends = silent.iter_mut().map(|stream| async {
        let read = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut [0])).await;
        usize::from(read.is_ok())
    });
    let closed: usize = join_all(ends).await.into_iter().sum();
    assert!((13..=20).contains(&closed), "{closed} of 20 were closed, 8 may be open");
}

#[tokio::test]
async fn system_health_is_rejected_while_every_connection_is_in_use() {
    let server = server(|http| http.max_connections = 8).await;
    let ask = async || response(&mut sent(server.direct, HEALTH).await).await;
    // One after the other, until all connections are in use.
    let mut busy = Vec::new();
    let text = loop {
        busy.push(sent(server.direct, HALF).await);
        let text = ask().await;
        if text.starts_with("HTTP/1.1 503") {
            break text;
        }
        assert!(busy.len() < 50, "{text}");
    };
    assert!(
        text.contains("\r\nretry-after: 1\r\n") && text.contains(r#""error_code":"unavailable""#),
        "{text}"
    );
    assert!(server.log.text().contains("http.max_connections"), "the log says why");
    drop(busy);
    crate::support::server::eventually("room", PATIENCE, async || {
        ask().await.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;
}

#[tokio::test]
async fn system_health_is_rejected_for_a_source_with_too_many_connections() {
    let server = server(|http| {
        http.max_connections_per_source = 3;
        http.trusted_proxies = vec!["127.0.0.9".parse().unwrap()];
    })
    .await;
    let ask = async |source: &str| {
        let mut stream = connect_from(source, server.direct).await;
        stream.write_all(HEALTH).await.unwrap();
        (response(&mut stream).await, stream)
    };
    let held = join_all((0..3).map(|_| ask("127.0.0.2"))).await;
    assert!(held.iter().all(|(text, _)| text.starts_with("HTTP/1.1 200")));
    assert!(ask("127.0.0.2").await.0.starts_with("HTTP/1.1 503"), "its share is used up");
    assert!(ask("127.0.0.3").await.0.starts_with("HTTP/1.1 200"), "others have theirs");
    let proxied = join_all((0..5).map(|_| ask("127.0.0.9"))).await;
    assert!(proxied.iter().all(|(text, _)| text.starts_with("HTTP/1.1 200")), "a proxy has many clients");
    drop(held);
    crate::support::server::eventually("room", PATIENCE, async || {
        ask("127.0.0.2").await.0.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;
}

#[tokio::test]
async fn document_view_over_http2_is_rejected() {
    let server = server(|_| {}).await;
    let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0];
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &settings].concat();
    let whole = to_the_end(&mut sent(server.direct, &preface).await).await;
    let text = String::from_utf8(whole).expect("HTTP/1.1, not frames");
    assert!(text.starts_with("HTTP/1.1 400") && text.contains("HTTP/1.1; HTTP/2 needs a proxy"), "{text}");
    // In pieces, and on a connection that has used another protocol before.
    let mut slow = sent(server.direct, &preface[..5]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    slow.write_all(&preface[5..]).await.unwrap();
    assert!(to_the_end(&mut slow).await.starts_with(b"HTTP/1.1 400"));
    let mut later = sent(server.direct, HEALTH).await;
    response(&mut later).await;
    later.write_all(&preface).await.unwrap();
    assert!(!to_the_end(&mut later).await.contains(&0), "no frame");
}

#[tokio::test]
async fn document_view_to_a_client_that_does_not_read_is_cut() {
    let server = server(|http| http.idle_timeout_seconds = 1).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.direct).await.unwrap();
    const REQUESTS: usize = 50;
    let requests = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(REQUESTS);
    stream.write_all(&requests).await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    // The buffers on both ends can still be read; they hold far less than everything.
    let got = to_the_end(&mut stream).await.len();
    let all = REQUESTS * crate::support::contract::TEXT.len();
    assert!(got < all / 2, "{got} of {all} bytes");
}

#[tokio::test]
async fn login_with_a_body_that_is_too_large_reads_the_rejection() {
    let server = server(|_| {}).await;
    // More than the server reads; the client reads only after sending everything.
    let body = "x".repeat(3_000_000);
    let head = format!(
        "POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = sent(server.direct, head.as_bytes()).await;
    // The server may have closed the connection before everything was sent.
    let _cut = stream.write_all(body.as_bytes()).await;
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn system_health_with_too_many_headers_is_rejected() {
    let server = server(|_| {}).await;
    let large = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(33_000));
    let fits = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(32_000));
    let mut stream = sent(server.direct, fits.as_bytes()).await;
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 200"));
    stream.write_all(large.as_bytes()).await.unwrap();
    let later = to_the_end(&mut stream).await;
    let first = to_the_end(&mut sent(server.direct, large.as_bytes()).await).await;
    for text in [first, later] {
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("HTTP/1.1 400") && text.contains("32768 bytes"), "{text}");
    }
}

#[tokio::test]
async fn login_waits_for_a_body_after_100_continue() {
    let server = server(|http| http.idle_timeout_seconds = 1).await;
    let body = r#"{"identifier":"nobody","password":"a guess that is wrong"}"#;
    let head = format!(
        "POST /v1/login HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = sent(server.direct, head.as_bytes()).await;
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 100"));
    // Longer than the idle timeout of connections, which does not apply here.
    tokio::time::sleep(Duration::from_secs(2)).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 401"));
}

#[tokio::test]
async fn session_view_responds_to_pipelined_requests_in_order() {
    let server = server(|_| {}).await;
    let requests = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n\
        GET /v1/session HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let text = String::from_utf8(to_the_end(&mut sent(server.direct, requests).await).await).unwrap();
    let statuses: Vec<&str> = text.split("HTTP/1.1 ").skip(1).map(|part| &part[..3]).collect();
    assert_eq!(statuses, ["200", "404", "401"], "{text}");
}

/// Dropshot's own port accepts only connections from the server's listener.
#[tokio::test]
async fn system_health_is_forbidden_past_the_listener() {
    let server = server(|_| {}).await;
    let response = Answer::of(server.request(Method::GET, "/healthz")).await;
    assert_eq!(response.code(), 200);
    let listening = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let mine = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let inodes: Vec<String> = mine
        .filter_map(|fd| std::fs::read_link(fd.path()).ok()?.to_str().map(str::to_owned))
        .filter_map(|link| link.strip_prefix("socket:[")?.strip_suffix(']').map(str::to_owned))
        .collect();
    // local_address is the third word: 0100007F:1F90; 0A is LISTEN.
    let ports = listening.lines().skip(1).filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let port = words[1].strip_prefix("0100007F:")?;
        (words[3] == "0A" && inodes.iter().any(|inode| inode == words[9]))
            .then(|| u16::from_str_radix(port, 16).unwrap())
    });
    let mut forbidden = 0;
    for port in ports.filter(|port| ![server.direct.port(), server.address.port()].contains(port)) {
        // Other tests listen in this process as well, some of them on ports that send nothing.
        let asked = async {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
            stream.write_all(HEALTH).await.ok()?;
            let mut bytes = vec![0; 4096];
            let length = stream.read(&mut bytes).await.ok()?;
            Some(String::from_utf8_lossy(&bytes[..length]).into_owned())
        };
        let text =
            tokio::time::timeout(Duration::from_secs(2), asked).await.ok().flatten().unwrap_or_default();
        forbidden += usize::from(text.starts_with("HTTP/1.1 403") && text.contains("own address"));
    }
    assert!(forbidden >= 1, "Dropshot's own port was found");
}

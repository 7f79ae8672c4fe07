//! Shutdown and startup of the program: SIGTERM is visible to load balancers before any request fails,
//! requests finish, and a second signal ends the process; a stuck client does not delay it, and a data folder
//! has one server.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::program::{Program, command};
use crate::support::Answer;
use crate::support::cluster::temporary_folder;
use crate::support::server::eventually;

/// Time limit for events that should take a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection that stays open, byte by byte.
struct Wire(TcpStream);

impl Wire {
    async fn open(program: &Program) -> Self {
        Self(TcpStream::connect(program.url.trim_start_matches("http://")).await.unwrap())
    }

    /// Requests `/healthz`; returns the head of the response in lower case, or `None` if the connection has
    /// ended.
    async fn ask(&mut self) -> Option<String> {
        self.0.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.ok()?;
        let mut bytes = Vec::new();
        // The body is one line without a line break in it.
        while !bytes.ends_with(b"}") {
            let read = tokio::time::timeout(PATIENCE, self.0.read_buf(&mut bytes)).await;
            if read.expect("a response comes").ok()? == 0 {
                return None;
            }
        }
        Some(String::from_utf8_lossy(&bytes).to_lowercase())
    }

    async fn ended(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.0.read(&mut [0])).await;
        matches!(read, Ok(Ok(0) | Err(_)))
    }
}

async fn readiness(program: &Program) -> Answer {
    Answer::of(program.http.get(format!("{}/readyz", program.url))).await
}

async fn not_ready(program: &Program) {
    eventually("not ready", PATIENCE, async || (readiness(program).await.code() == 503).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn system_ready_is_503_for_a_while_after_sigterm_and_everything_else_is_served() {
    let folder = temporary_folder();
    let drain = Duration::from_secs(4);
    let mut program = Program::start(folder.path(), &[("ROLLCALL_HTTP__DRAIN_SECONDS", "4")]);
    let (mut used, mut idle) = (Wire::open(&program).await, Wire::open(&program).await);
    for wire in [&mut used, &mut idle] {
        let head = wire.ask().await.expect("before SIGTERM");
        assert!(head.starts_with("http/1.1 200") && !head.contains("connection: close"), "{head}");
    }
    let begun = Instant::now();
    program.terminate();
    not_ready(&program).await;
    let response = readiness(&program).await;
    assert_eq!((response.code(), response.header("connection")), (503, "close"));
    assert!(!response.header("retry-after").is_empty());
    // An existing connection is told to close, and is served until then.
    let head = used.ask().await.expect("the connection is still there");
    assert!(head.starts_with("http/1.1 200") && head.contains("connection: close"), "{head}");
    assert!(used.ended().await, "and is closed after the response");
    // For most of the delay nothing fails, on new and existing connections; then the listener closes.
    let mut served = 0;
    while begun.elapsed() < drain.mul_f64(0.6) {
        let head = Wire::open(&program).await.ask().await.expect("new connections are served");
        assert!(head.starts_with("http/1.1 200") && head.contains("connection: close"), "{head}");
        served += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(served > 0 && program.runs());
    assert!(idle.ask().await.is_some(), "an idle one is kept until then");
    assert_eq!(program.wait(PATIENCE).code(), Some(0));
    assert!(begun.elapsed() >= drain, "the whole delay was used");
    println!("{served} served while draining, ended after {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_in_progress_is_cut_by_a_second_signal() {
    let folder = temporary_folder();
    // Waiting for one of these takes too long.
    let slow = [
        ("ROLLCALL_HTTP__DRAIN_SECONDS", "600"),
        ("ROLLCALL_HTTP__REQUEST_TIMEOUT_SECONDS", "300"),
        ("ROLLCALL_HTTP__SHUTDOWN_GRACE_SECONDS", "600"),
    ];
    for second in [Program::terminate, Program::interrupt] {
        let mut program = Program::start(folder.path(), &slow);
        let mut stuck = Wire::open(&program).await;
        let head = "POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
        stuck.0.write_all(head.as_bytes()).await.unwrap();
        program.terminate();
        not_ready(&program).await;
        assert!(program.runs());
        second(&program);
        assert_eq!(program.wait(PATIENCE).code(), Some(0), "in order all the same");
        assert!(stuck.ended().await);
        assert!(program.postgres().is_none(), "the database stops with its server");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn system_ready_does_not_wait_for_anybody_after_sigint() {
    let folder = temporary_folder();
    let mut program = Program::start(folder.path(), &[("ROLLCALL_HTTP__DRAIN_SECONDS", "600")]);
    assert_eq!(readiness(&program).await.code(), 200);
    program.interrupt();
    assert_eq!(program.wait(PATIENCE).code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_in_progress_is_finished_after_sigterm() {
    let folder = temporary_folder();
    // Passwords that take about a second.
    let slow = [("ROLLCALL_PASSWORD__MEMORY_KIB", "131072"), ("ROLLCALL_PASSWORD__ITERATIONS", "12")];
    let mut program = Program::start(folder.path(), &slow);
    let body = json!({ "identifier": "admin", "password": program.admin_password });
    let login = tokio::spawn(Answer::of(program.http.post(format!("{}/v1/login", program.url)).json(&body)));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!login.is_finished(), "the request is a slow one");
    program.terminate();
    let response = login.await.unwrap();
    assert_eq!(response.code(), 200, "{}", response.message());
    assert_eq!(program.wait(Duration::from_secs(20)).code(), Some(0));
    assert!(program.postgres().is_none(), "the database stops with its server");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_is_not_delayed_by_stuck_clients() {
    let folder = temporary_folder();
    let mut program = Program::start(folder.path(), &[("ROLLCALL_HTTP__SHUTDOWN_GRACE_SECONDS", "2")]);
    let address = program.url.trim_start_matches("http://").to_owned();
    // One that never sends its body, one that sends nothing, one that has been served and stays open.
    let mut half = TcpStream::connect(&address).await.unwrap();
    let head = "POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    half.write_all(head.as_bytes()).await.unwrap();
    let _silent = TcpStream::connect(&address).await.unwrap();
    let mut idle = TcpStream::connect(&address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut byte = [0];
    idle.read_exact(&mut byte).await.unwrap();
    let begun = Instant::now();
    program.terminate();
    assert_eq!(program.wait(Duration::from_secs(20)).code(), Some(0));
    println!("stopped after {:?}", begun.elapsed());
    assert!(program.postgres().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_without_its_body_is_a_408() {
    let folder = temporary_folder();
    let program = Program::start(folder.path(), &[]);
    let mut half = TcpStream::connect(program.url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    half.write_all(head.as_bytes()).await.unwrap();
    let mut response = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(30), half.read(&mut response)).await;
    let length = read.expect("the server does not wait for ever").unwrap();
    let response = String::from_utf8_lossy(&response[..length]).into_owned();
    assert!(response.starts_with("HTTP/1.1 408") && response.contains("request_timeout"), "{response}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_rejects_a_data_folder_in_use() {
    let folder = temporary_folder();
    let program = Program::start(folder.path(), &[]);
    let second = command(folder.path(), &[]).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("in use by another Rollcall"), "{said}");
    let response = Answer::of(program.http.get(format!("{}/readyz", program.url))).await;
    assert_eq!(response.code(), 200, "the first one is not disturbed");
}

//! The ends and the beginnings of the program: SIGTERM lets requests finish, a stuck client stops nobody, a data folder has
//! one server.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::program::{Program, command};
use crate::support::Answer;
use crate::support::cluster::temporary_folder;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_under_way_is_finished_after_sigterm() {
    let folder = temporary_folder();
    // Passwords that take about a second.
    let slow = [("ROLLCALL_PASSWORD__MEMORY_KIB", "131072"), ("ROLLCALL_PASSWORD__ITERATIONS", "12")];
    let mut program = Program::start(folder.path(), &slow);
    let body = json!({ "identifier": "admin", "password": program.admin_password });
    let login = tokio::spawn(Answer::of(program.http.post(format!("{}/v1/login", program.url)).json(&body)));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!login.is_finished(), "the request is a slow one");
    program.terminate();
    let answer = login.await.unwrap();
    assert_eq!(answer.code(), 200, "{}", answer.message());
    assert_eq!(program.wait(Duration::from_secs(20)).code(), Some(0));
    assert!(program.postgres().is_none(), "the database stops with its server");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_client_does_not_keep_the_server() {
    let folder = temporary_folder();
    let mut program = Program::start(folder.path(), &[("ROLLCALL_HTTP__SHUTDOWN_GRACE_SECONDS", "2")]);
    let address = program.url.trim_start_matches("http://").to_owned();
    // One that never sends its body, one that sends nothing, one that has been served and stays.
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
async fn a_body_that_never_comes_is_a_408() {
    let folder = temporary_folder();
    let program = Program::start(folder.path(), &[]);
    let mut half = TcpStream::connect(program.url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    half.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(30), half.read(&mut answer)).await;
    let length = read.expect("the server does not wait for ever").unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request_timeout"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_folder_has_one_server() {
    let folder = temporary_folder();
    let program = Program::start(folder.path(), &[]);
    let second = command(folder.path(), &[]).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("in use by another Rollcall"), "{said}");
    let answer = Answer::of(program.http.get(format!("{}/readyz", program.url))).await;
    assert_eq!(answer.code(), 200, "the first one is not disturbed");
}

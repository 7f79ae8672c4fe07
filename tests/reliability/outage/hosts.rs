//! Several hosts in the database URL: one that drops packets, or is not a primary, delays nothing.

use std::net::{SocketAddr, TcpListener as Blocking, TcpStream as Stream};
use std::time::{Duration, Instant};

use http::Method;
use serde_json::json;

use super::super::program::Program;
use crate::support::cluster::{Database, temporary_folder, through};
use crate::support::own_postgres::OwnPostgres;
use crate::support::relay::Relay;
use crate::support::server::eventually;
use crate::support::{Answer, TestServer};

/// A port that accepts no connection: clients get no reply at all, as from a host that drops packets.
#[derive(Debug)]
struct Hole {
    port: u16,
    _listener: Blocking,
    _queue: Vec<Stream>,
}

impl Hole {
    fn new() -> Self {
        let socket =
            rustix::net::socket(rustix::net::AddressFamily::INET, rustix::net::SocketType::STREAM, None);
        let socket = socket.unwrap();
        rustix::net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        rustix::net::listen(&socket, 1).unwrap();
        let listener = Blocking::from(socket);
        let address = listener.local_addr().unwrap();
        // Nothing accepts: once the queue is full, the system drops further connections.
        let connect = || Stream::connect_timeout(&address, Duration::from_millis(300)).ok();
        let queue: Vec<Stream> = std::iter::from_fn(connect).take(64).collect();
        assert!(queue.len() < 64, "the queue can be filled");
        Self { port: address.port(), _listener: listener, _queue: queue }
    }
}

async fn works(server: &TestServer) -> bool {
    let admin = server.admin().await;
    let read = Answer::of(server.request(Method::GET, "/v1/session").bearer_auth(admin.token())).await;
    let write = server.request(Method::PATCH, "/v1/users/me").bearer_auth(admin.token());
    let write = Answer::of(write.json(&json!({ "name": "Ada" }))).await;
    (read.code(), write.code()) == (200, 200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_works_where_the_first_host_drops_packets() {
    let database = Database::migrated();
    let (hole, relay) = (Hole::new(), Relay::to(&database.url).await);
    let begun = Instant::now();
    let builder = TestServer::builder().on(database).through([hole.port, relay.port]);
    let server = builder.impatient().start().await;
    assert!(works(&server).await);
    println!("in service after {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(12), "in service after {:?}", begun.elapsed());
    // All connections end at once, and the first host is still unreachable.
    relay.end_connections();
    let ended = Instant::now();
    eventually("all works again", Duration::from_secs(12), || async {
        let ready = Answer::of(server.request(Method::GET, "/readyz")).await;
        (ready.code() == 200).then_some(())
    })
    .await;
    assert!(works(&server).await);
    println!("in service again after {:?}", ended.elapsed());
}

/// The first host accepts connections and never sends anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn system_ready_after_a_start_of_the_program_whose_first_host_is_silent() {
    let database = Database::migrated();
    let (hole, silent, relay) = (Hole::new(), Relay::to(&database.url).await, Relay::to(&database.url).await);
    silent.freeze();
    let folder = temporary_folder();
    let ports = [hole.port, silent.port, relay.port];
    let settings = [
        ("ROLLCALL_DATABASE_URL", through(&database.server_url(), &ports)),
        ("ROLLCALL_DATABASE_MIGRATION_URL", through(&database.url, &ports)),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let begun = Instant::now();
    let program = tokio::task::block_in_place(|| Program::start(folder.path(), &settings));
    println!("the program listened after {:?}", begun.elapsed());
    let response = Answer::of(program.http.get(format!("{}/readyz", program.url))).await;
    assert_eq!(response.code(), 200, "{}", response.message());
    drop(program);
    database.drop_now();
}

/// A host that rejects writes, such as a standby, is not used, even if the URL does not say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_update_passes_a_first_host_that_takes_no_writes() {
    let (standby, primary) = (OwnPostgres::prepared().await, OwnPostgres::prepared().await);
    standby.configure("default_transaction_read_only = on").await;
    let (first, second) = (Relay::to(&standby.url()).await, Relay::to(&primary.url()).await);
    let builder = TestServer::builder().database(&primary.url()).through([first.port, second.port]);
    let server = builder.impatient().start().await;
    assert!(works(&server).await);
    assert!(first.opened() > 0, "it was tried");
    // The hosts swap roles.
    standby.configure("default_transaction_read_only = off").await;
    primary.configure("default_transaction_read_only = on").await;
    second.end_connections();
    let count = second.opened();
    eventually("the other one is used", Duration::from_secs(10), || async {
        let ready = Answer::of(server.request(Method::GET, "/readyz")).await;
        (ready.code() == 200).then_some(())
    })
    .await;
    assert!(works(&server).await);
    assert!(second.opened() > count, "the one that served before was tried first");
}

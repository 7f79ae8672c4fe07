//! A relay between a server and its database that counts round trips.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_postgres::config::Host;

use super::cluster::Database;

/// Starts a relay between a server and its Postgres; returns its URL. Bytes that the server sends within 30 ms are
/// forwarded together and count as one round trip: a statement that waits for the result of another counts as a second
/// one.
pub async fn relay(database: &Database, turns: Arc<AtomicUsize>) -> String {
    let config: tokio_postgres::Config = database.url.parse().unwrap();
    let socket = match &config.get_hosts()[0] {
        Host::Unix(folder) => folder.join(".s.PGSQL.5432"),
        Host::Tcp(host) => panic!("the tests' Postgres listens on {host}"),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((server, _)) = listener.accept().await {
            let postgres = UnixStream::connect(&socket).await.unwrap();
            tokio::spawn(forward(server, postgres, Arc::clone(&turns)));
        }
    });
    format!("postgres://rollcall@127.0.0.1:{port}/{}?sslmode=disable", database.name)
}

async fn forward(server: TcpStream, postgres: UnixStream, turns: Arc<AtomicUsize>) {
    let (mut from_server, mut to_server) = server.into_split();
    let (mut from_postgres, mut to_postgres) = postgres.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_postgres, &mut to_server).await });
    let mut buffer = vec![0; 64 * 1024];
    while from_server.readable().await.is_ok() {
        tokio::time::sleep(Duration::from_millis(30)).await;
        let length = from_server.read(&mut buffer).await.unwrap_or(0);
        if length == 0 || to_postgres.write_all(&buffer[..length]).await.is_err() {
            break;
        }
        turns.fetch_add(1, Ordering::SeqCst);
    }
}

//! The listener for clients. Dropshot accepts every connection, speaks HTTP/2 and never closes a silent connection,
//! and has no settings for these. So Dropshot listens on the loopback only, and clients connect here: this listener
//! limits the number of connections and their idle time, and copies bytes between clients and Dropshot.
//!
//! The bytes are parsed only to find the end of a request's head ([`head`]). Each client has its own connection to
//! Dropshot, so that nothing that a client sends can become part of another client's request.

mod head;
mod peers;
mod registry;
mod relay;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rollcall_api::error::ErrorCode;
use rustix::process::{Resource, getrlimit, setrlimit};
use slog::{Logger, warn};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::config::Http;
use crate::context::App;
pub use peers::Peers;
use registry::{Full, Registry};

/// Number of connections that the system queues until they are accepted.
const BACKLOG: u32 = 1024;
/// Size of a connection's kernel buffer in either direction; it takes twice as much memory.
const BUFFER: u32 = 64 * 1024;
/// The same for bytes from Dropshot that were not passed on yet.
const LOOPBACK_BUFFER: u32 = 32 * 1024;
/// Size of Dropshot's segments. The system derives from it how far Dropshot may send ahead of a client that does not
/// read: on the loopback megabytes by default.
const LOOPBACK_SEGMENT: u32 = 7500;
/// Number of connections opened to Dropshot at a time, of its backlog of 128, and the longest time until it accepts
/// them. With more, the system would retransmit after a second.
const CONNECTING: usize = 64;
const ACCEPTED_AFTER: Duration = Duration::from_millis(5);
/// Time for a request's body and a margin, on top of the operation's own limit.
const BODY_AND_MARGIN: Duration = Duration::from_secs(15);
/// Number of rejected connections that may be read to their end, so that their clients can read the response.
const LISTENED_TO: usize = 64;
/// Time that a connection just accepted has to send its request when the server closes.
const LAST_CALL: Duration = Duration::from_millis(500);
/// Open files other than client connections: the database's, the log, the listeners.
const OTHER_FILES: u64 = 128;
/// Files per connection: the client's, the one to Dropshot, and its other end.
const FILES_EACH: u64 = 3;

/// The listener.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    registry: Arc<Registry>,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

/// State shared by all connections.
#[derive(Debug)]
struct Shared {
    app: Arc<App>,
    peers: Arc<Peers>,
    dropshot: SocketAddr,
    connecting: Arc<Semaphore>,
    idle: Duration,
    respond: Duration,
}

impl Shared {
    fn draining(&self) -> bool {
        self.app.is_draining()
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let permit = Arc::clone(&self.connecting).acquire_owned().await.map_err(io::Error::other)?;
        let socket = if self.dropshot.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        SockRef::from(&socket).set_tcp_mss(LOOPBACK_SEGMENT)?;
        socket.set_recv_buffer_size(LOOPBACK_BUFFER)?;
        let stream = socket.connect(self.dropshot).await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            sleep(ACCEPTED_AFTER).await;
            drop(permit);
        });
        Ok(stream)
    }
}

/// Binds the address for clients; nobody can connect before [`Listener::start`].
pub fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    // Accepted connections inherit these.
    socket.set_recv_buffer_size(BUFFER)?;
    socket.set_send_buffer_size(BUFFER)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Listener {
    /// Serves clients through a Dropshot that listens on the loopback.
    pub fn start(socket: TcpSocket, dropshot: SocketAddr, app: &Arc<App>) -> io::Result<Self> {
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let http = &app.config.http;
        let idle = Duration::from_secs(http.idle_timeout_seconds);
        // The system drops bytes that the client doesn't acknowledge, also once the connection is closed here.
        #[cfg(target_os = "linux")]
        SockRef::from(&listener).set_tcp_user_timeout(Some(idle))?;
        let most = allowed_connections(http, &app.log);
        let registry = Arc::new(Registry::new(most, http.clone()));
        let shared = Arc::new(Shared {
            app: Arc::clone(app),
            peers: Arc::clone(&app.peers),
            dropshot,
            connecting: Arc::new(Semaphore::new(CONNECTING)),
            idle,
            respond: Duration::from_secs(http.request_timeout_seconds) + BODY_AND_MARGIN,
        });
        let (stop, stopped) = oneshot::channel();
        let accepting = tokio::spawn(accept(listener, Arc::clone(&registry), shared, stopped));
        Ok(Self { address, registry, stop, accepting })
    }

    /// The address for clients.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts the connections in the queue, then no more. Running requests go on; connections without a request are
    /// closed.
    pub async fn close(self) -> Closed {
        let _gone = self.stop.send(());
        let _ended = self.accepting.await;
        if self.registry.any_fresh() {
            sleep(LAST_CALL).await;
        }
        self.registry.cut_fresh();
        Closed(self.registry)
    }
}

/// A listener that accepts no more connections.
#[derive(Debug)]
pub struct Closed(Arc<Registry>);

impl Closed {
    /// Waits until every connection has ended.
    pub async fn ended(&self) {
        self.0.emptied().await;
    }
}

/// Number of connections that the system's limit of open files allows.
fn allowed_connections(http: &Http, log: &Logger) -> usize {
    let wanted = u64::from(http.max_connections);
    let needed = wanted * FILES_EACH + OTHER_FILES;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        let raised = limit.maximum.map_or(needed, |maximum| maximum.min(needed));
        limit.current = Some(raised);
        if setrlimit(Resource::Nofile, limit).is_err() {
            limit = getrlimit(Resource::Nofile);
        }
    }
    let most = match limit.current {
        Some(files) if files < needed => (files.saturating_sub(OTHER_FILES) / FILES_EACH).max(8),
        _ => wanted,
    };
    if most < wanted {
        warn!(log, "the limit of open files leaves fewer connections than http.max_connections: raise it (ulimit -n)";
            "needed" => needed, "files" => limit.current, "connections" => most);
    }
    usize::try_from(most).unwrap_or(usize::MAX)
}

async fn accept(
    listener: TcpListener,
    registry: Arc<Registry>,
    shared: Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    let rejections = Arc::new(Rejections::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
        };
        match accepted {
            Ok((client, peer)) => serve(client, peer, &registry, &shared, &rejections),
            Err(error) if of_one_connection(&error) => {}
            Err(error) => {
                warn!(shared.app.log, "connections can't be accepted"; "reason" => %error);
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    // Their clients have sent requests that would otherwise be lost.
    while let Some(Ok((client, peer))) = futures::FutureExt::now_or_never(listener.accept()) {
        serve(client, peer, &registry, &shared, &rejections);
    }
}

fn of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn serve(
    client: TcpStream,
    peer: SocketAddr,
    registry: &Arc<Registry>,
    shared: &Arc<Shared>,
    rejections: &Arc<Rejections>,
) {
    let _unchanged = client.set_nodelay(true);
    match registry.register(peer.ip(), Instant::now()) {
        Ok(held) => {
            let shared = Arc::clone(shared);
            tokio::spawn(async move { relay::run(client, peer, held, &shared).await });
        }
        Err(full) => rejections.reject(client, peer.ip(), full, &shared.app.log),
    }
}

/// The connections over the limit.
#[derive(Debug)]
struct Rejections {
    begun: Instant,
    /// The second, counted from the start, of the last log record; plus one.
    logged: AtomicU64,
    unlogged: AtomicU64,
    listened_to: Arc<Semaphore>,
}

impl Default for Rejections {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            logged: AtomicU64::new(0),
            unlogged: AtomicU64::new(0),
            listened_to: Arc::new(Semaphore::new(LISTENED_TO)),
        }
    }
}

impl Rejections {
    fn reject(&self, client: TcpStream, source: IpAddr, full: Full, log: &Logger) {
        self.note(source, full, log);
        let response = canned(rollcall_api::error::UNAVAILABLE, "too many connections", Some(1));
        if let Ok(permit) = Arc::clone(&self.listened_to).try_acquire_owned() {
            tokio::spawn(async move {
                relay::reject(client, &response).await;
                drop(permit);
            });
        } else {
            // The first bytes always fit.
            let _unsent = client.try_write(response.as_slice());
        }
    }

    /// Logs a rejection, at most once a minute.
    fn note(&self, source: IpAddr, full: Full, log: &Logger) {
        let now = self.begun.elapsed().as_secs() + 1;
        let logged = self.logged.load(Ordering::Relaxed);
        if logged != 0 && now < logged + 60 {
            self.unlogged.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.logged.store(now, Ordering::Relaxed);
        let limit = match full {
            Full::All => "http.max_connections",
            Full::Source => "http.max_connections_per_source",
        };
        warn!(log, "too many connections: new ones are rejected";
            "limit" => limit, "source" => %source, "rejected_before" => self.unlogged.swap(0, Ordering::Relaxed));
    }
}

/// A response that is built without Dropshot, the last one of its connection.
fn canned(code: ErrorCode, message: &str, retry_after: Option<u64>) -> Vec<u8> {
    let status = http::StatusCode::from_u16(code.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let id = Uuid::new_v4();
    let body =
        serde_json::json!({ "request_id": id, "error_code": code.code, "message": message }).to_string();
    let retry = retry_after.map(|seconds| format!("retry-after: {seconds}\r\n")).unwrap_or_default();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         x-request-id: {id}\r\n{retry}connection: close\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

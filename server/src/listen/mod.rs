//! Where clients connect. Dropshot accepts whatever comes, speaks HTTP/2 to whoever wants it and never closes a connection
//! that is silent; none of that can be set. So it listens on the loopback only, and clients connect here: this limits how
//! many connections there are and how long one may be of no use, and copies the bytes of those that are.
//!
//! What is copied is looked at only so far as to find where the head of a request ends ([`head`]). Each client has a
//! connection to Dropshot of its own, so that nothing that a client sends can become part of another's request.

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

/// How many connections the system holds until they are accepted.
const BACKLOG: u32 = 1024;
/// What the system may hold of a connection's bytes in either direction; it takes twice as much memory.
const BUFFER: u32 = 64 * 1024;
/// The same for what Dropshot has sent and was not passed on yet.
const LOOPBACK_BUFFER: u32 = 32 * 1024;
/// The size of Dropshot's segments. From it the system works out how much Dropshot may send ahead of a client that does not
/// read: on the loopback megabytes unless told otherwise.
const LOOPBACK_SEGMENT: u32 = 7500;
/// How many connections Dropshot is given at a time, of the 128 that may wait for it, and how long it takes to accept them
/// at the most. More would have to be sent again by the system, after a second.
const CONNECTING: usize = 64;
const ACCEPTED_AFTER: Duration = Duration::from_millis(5);
/// How long a request's body may take and a little more, on top of the operation's own limit.
const BODY_AND_MARGIN: Duration = Duration::from_secs(15);
/// How many rejected connections may be read to their end, so that their clients can read why.
const LISTENED_TO: usize = 64;
/// How long a connection that has just been accepted may take to send its request, when the server closes.
const LAST_CALL: Duration = Duration::from_millis(500);
/// Open files that are no connections of clients: the database's, the log, the listeners.
const OTHER_FILES: u64 = 128;
/// A connection, the one to Dropshot, and its other end.
const FILES_EACH: u64 = 3;

/// The listener.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    registry: Arc<Registry>,
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

/// What all connections share.
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

/// Takes the address for clients; nobody can connect before [`Listener::start`].
pub fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    // Each connection inherits these.
    socket.set_recv_buffer_size(BUFFER)?;
    socket.set_send_buffer_size(BUFFER)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Listener {
    /// Serves clients by a Dropshot that listens on the loopback.
    pub fn start(socket: TcpSocket, dropshot: SocketAddr, app: &Arc<App>) -> io::Result<Self> {
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        let http = &app.config.http;
        let idle = Duration::from_secs(http.idle_timeout_seconds);
        // The system gives up what its client doesn't acknowledge, also once the connection is closed here.
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

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts what waits to be, then nothing more. Requests that have begun go on; connections that send none are closed.
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

/// A listener that accepts nothing more.
#[derive(Debug)]
pub struct Closed(Arc<Registry>);

impl Closed {
    /// Waits until every connection has ended.
    pub async fn ended(&self) {
        self.0.emptied().await;
    }
}

/// How many connections the system's limit of open files leaves room for.
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
    // Their clients have sent requests that nobody else would see.
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
    match registry.admit(peer.ip(), Instant::now()) {
        Ok(held) => {
            let shared = Arc::clone(shared);
            tokio::spawn(async move { relay::run(client, peer, held, &shared).await });
        }
        Err(full) => rejections.reject(client, peer.ip(), full, &shared.app.log),
    }
}

/// The connections that were one too many.
#[derive(Debug)]
struct Rejections {
    begun: Instant,
    /// The second, counted from the beginning, of which the log heard last; and one more.
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

    /// Tells the log, once a minute.
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

/// A response that is made without Dropshot, the last one of its connection.
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

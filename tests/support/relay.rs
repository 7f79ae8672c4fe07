//! A relay between a server and its database that simulates network failures: it stops delivering, loses connections
//! silently, closes a connection between a request and its response.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_postgres::config::Host;

/// Maximum number of bytes forwarded at once.
const BUFFER: usize = 64 * 1024;

/// Fate of a connection after a trapped request was forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The connection is closed instead of the response.
    End,
    /// The connection stays open without a response.
    Silence,
}

/// A relay; it runs as long as the runtime that it was started on.
#[derive(Debug)]
pub struct Relay {
    pub port: u16,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    frozen: watch::Sender<bool>,
    /// Connections with a lower number never deliver anything again.
    alive_from: watch::Sender<usize>,
    /// Connections with a lower number are closed.
    open_from: watch::Sender<usize>,
    opened: AtomicUsize,
    trap: Mutex<Option<Trap>>,
    sprung: AtomicUsize,
}

#[derive(Debug)]
struct Trap {
    text: &'static str,
    /// Number of matching requests that pass before.
    passes: usize,
    then: Then,
}

impl Relay {
    /// Starts a relay to the Postgres of a URL with a Unix socket.
    pub async fn to(url: &str) -> Self {
        let config: tokio_postgres::Config = url.parse().unwrap();
        let [Host::Unix(folder)] = config.get_hosts() else { panic!("not behind a socket: {url}") };
        let socket = folder.join(format!(".s.PGSQL.{}", config.get_ports().first().unwrap_or(&5432)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            frozen: watch::Sender::new(false),
            alive_from: watch::Sender::new(0),
            open_from: watch::Sender::new(0),
            opened: AtomicUsize::new(0),
            trap: Mutex::default(),
            sprung: AtomicUsize::new(0),
        });
        tokio::spawn(accept(listener, socket, Arc::clone(&state)));
        Self { port, state }
    }

    /// Stops delivery; bytes sent meanwhile arrive after [`Relay::thaw`].
    pub fn freeze(&self) {
        self.state.frozen.send_replace(true);
    }

    /// Resumes delivery.
    pub fn thaw(&self) {
        self.state.frozen.send_replace(false);
    }

    /// Stops delivery for good on the connections that are open now, without closing them.
    pub fn lose_connections(&self) {
        self.state.alive_from.send_replace(self.opened());
    }

    /// Closes the connections that are open now.
    pub fn end_connections(&self) {
        self.state.open_from.send_replace(self.opened());
    }

    /// Forwards the next request that contains this text, but not its response.
    pub fn trap(&self, text: &'static str, then: Then) {
        self.trap_nth(text, 1, then);
    }

    /// Forwards the `number`-th request that contains this text, but not its response.
    pub fn trap_nth(&self, text: &'static str, number: usize, then: Then) {
        *self.state.trap.lock().unwrap() = Some(Trap { text, passes: number - 1, then });
    }

    /// Removes the trap.
    pub fn untrap(&self) {
        *self.state.trap.lock().unwrap() = None;
    }

    /// Number of requests trapped so far.
    pub fn sprung(&self) -> usize {
        self.state.sprung.load(Ordering::Relaxed)
    }

    /// Number of connections opened so far.
    pub fn opened(&self) -> usize {
        self.state.opened.load(Ordering::Relaxed)
    }
}

impl State {
    /// The fate of the connection, where these bytes spring the trap.
    fn catches(&self, bytes: &[u8]) -> Option<Then> {
        let mut trap = self.trap.lock().unwrap();
        let set = trap.as_mut()?;
        let has =
            set.text.is_empty() || bytes.windows(set.text.len()).any(|part| part == set.text.as_bytes());
        if !has {
            return None;
        }
        if set.passes > 0 {
            set.passes -= 1;
            return None;
        }
        let then = set.then;
        *trap = None;
        self.sprung.fetch_add(1, Ordering::Relaxed);
        Some(then)
    }
}

async fn accept(listener: TcpListener, socket: PathBuf, state: Arc<State>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let _at_once = client.set_nodelay(true);
        let number = state.opened.fetch_add(1, Ordering::Relaxed);
        let (socket, state) = (socket.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            tokio::select! {
                () = relay(client, socket, number, &state) => {}
                () = until(&state.open_from, |from| number < *from) => {}
            }
        });
    }
}

async fn relay(client: TcpStream, socket: PathBuf, number: usize, state: &State) {
    delivering(number, state).await;
    // Without a database, the connection is closed at once.
    let Ok(database) = UnixStream::connect(socket).await else { return };
    let ((mut from_client, mut to_client), (mut from_database, mut to_database)) =
        (client.into_split(), database.into_split());
    let caught = Mutex::new(None);
    let up = async {
        let mut buffer = vec![0; BUFFER];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            delivering(number, state).await;
            if let Some(then) = state.catches(&buffer[..read]) {
                *caught.lock().unwrap() = Some(then);
            }
            if to_database.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    };
    let down = async {
        let mut buffer = vec![0; BUFFER];
        while let Ok(read @ 1..) = from_database.read(&mut buffer).await {
            delivering(number, state).await;
            let caught = *caught.lock().unwrap();
            match caught {
                None => {}
                Some(Then::End) => return,
                Some(Then::Silence) => std::future::pending().await,
            }
            if to_client.write_all(&buffer[..read]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

/// Waits until bytes of this connection may be delivered.
async fn delivering(number: usize, state: &State) {
    tokio::select! {
        biased;
        () = until(&state.alive_from, |from| number < *from) => std::future::pending().await,
        () = until(&state.frozen, |frozen| !frozen) => {}
    }
}

async fn until<T>(state: &watch::Sender<T>, reached: impl FnMut(&T) -> bool) {
    // The sender outlives this call.
    let _reached = state.subscribe().wait_for(reached).await.is_ok();
}

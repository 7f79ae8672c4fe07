//! A relay between a server and its database, which does what networks do: it stops delivering, loses connections that
//! nobody notices, ends one between a request and its response.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_postgres::config::Host;

/// How much is carried at once.
const BUFFER: usize = 64 * 1024;

/// What becomes of a connection whose request was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It ends instead of the response.
    End,
    /// Nothing comes any more, and it stays open.
    Silence,
}

/// A relay; it works as long as the runtime that it was started on.
#[derive(Debug)]
pub struct Relay {
    pub port: u16,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    frozen: watch::Sender<bool>,
    /// Connections with a lower number are dead: nothing is delivered on them, ever.
    alive_from: watch::Sender<usize>,
    /// Connections with a lower number are ended.
    open_from: watch::Sender<usize>,
    opened: AtomicUsize,
    trap: Mutex<Option<Trap>>,
    sprung: AtomicUsize,
}

#[derive(Debug)]
struct Trap {
    text: &'static str,
    /// How many that it would catch pass before.
    passes: usize,
    then: Then,
}

impl Relay {
    /// A relay to the Postgres of a URL, which listens on a socket in the file system.
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

    /// Delivers nothing; what is sent meanwhile arrives after [`Relay::thaw`].
    pub fn freeze(&self) {
        self.state.frozen.send_replace(true);
    }

    /// Delivers again.
    pub fn thaw(&self) {
        self.state.frozen.send_replace(false);
    }

    /// Delivers nothing on the connections that are open now, ever, and ends none of them.
    pub fn lose_connections(&self) {
        self.state.alive_from.send_replace(self.opened());
    }

    /// Ends the connections that are open now.
    pub fn end_connections(&self) {
        self.state.open_from.send_replace(self.opened());
    }

    /// Lets the next request with this text in it through, and nothing of its response.
    pub fn trap(&self, text: &'static str, then: Then) {
        self.trap_nth(text, 1, then);
    }

    /// The same with the second one, or a later one.
    pub fn trap_nth(&self, text: &'static str, number: usize, then: Then) {
        *self.state.trap.lock().unwrap() = Some(Trap { text, passes: number - 1, then });
    }

    /// Catches nothing any more.
    pub fn untrap(&self) {
        *self.state.trap.lock().unwrap() = None;
    }

    /// How many requests were caught so far.
    pub fn sprung(&self) -> usize {
        self.state.sprung.load(Ordering::Relaxed)
    }

    /// How many connections were opened so far.
    pub fn opened(&self) -> usize {
        self.state.opened.load(Ordering::Relaxed)
    }
}

impl State {
    /// What is to become of the connection, where these bytes are what is waited for.
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
    // Where there is no database, the connection ends as if refused.
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

/// Returns while bytes of this connection are delivered.
async fn delivering(number: usize, state: &State) {
    tokio::select! {
        biased;
        () = until(&state.alive_from, |from| number < *from) => std::future::pending().await,
        () = until(&state.frozen, |frozen| !frozen) => {}
    }
}

async fn until<T>(state: &watch::Sender<T>, reached: impl FnMut(&T) -> bool) {
    // The sender lives as long as this.
    let _reached = state.subscribe().wait_for(reached).await.is_ok();
}

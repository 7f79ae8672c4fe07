//! One connection: waits for the head of its first request, connects to Dropshot, and copies bytes both ways until
//! either side ends or a limit is exceeded. A request is passed on when its head is complete, so that Dropshot never
//! waits for one.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rollcall_api::error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::head::{Found, HEAD_MAX, Head};
use super::registry::Held;
use super::{Shared, canned};

/// Number of bytes copied at a time.
const CHUNK: usize = 16 * 1024;
/// Time to keep reading after the last response, so that a client that is still sending can read it.
const LINGER: Duration = Duration::from_secs(1);
/// Time that Dropshot has to notice that a client has gone.
const FAREWELL: Duration = Duration::from_secs(5);
/// Header field added to requests while the server is stopping.
const CLOSE: &[u8] = b"connection: close\r\n";

/// The end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// All was sent: the connection is closed in order.
    Sent,
    /// The client disconnected or was too slow, or the connection is closed for another.
    Cut,
    /// The head of a further request is too large.
    TooLarge,
}

/// Serves a connection until it is closed.
pub(super) async fn run(mut client: TcpStream, peer: SocketAddr, held: Held, shared: &Shared) {
    let first = tokio::select! {
        biased;
        () = held.cut() => return,
        first = timeout_at(Instant::now() + shared.idle, first_head(&mut client)) => first,
    };
    let first = match first {
        Ok(Some(first)) if held.busy() => first,
        _ => return,
    };
    let first = match first {
        Ok(bytes) => bytes,
        Err(rejection) => return reject(client, &rejection).await,
    };
    let Ok(inner) = shared.connect().await else {
        let rejection = canned(error::UNAVAILABLE, "the server is shutting down", Some(1));
        return reject(client, &rejection).await;
    };
    // In the table before Dropshot sees a request, and until it has closed the connection: the address may then be
    // another client's.
    let Ok(loopback) = inner.local_addr() else { return };
    let entry = shared.peers.enter(loopback, peer);
    let mut exchange = Exchange {
        client,
        inner,
        shared,
        held: &held,
        head: Head::default(),
        to_inner: Unsent::default(),
        to_client: Unsent::default(),
        responding: false,
        client_open: true,
        inner_open: true,
        last: Instant::now(),
        too_large: None,
    };
    exchange.to_inner.set(shared.prepared(first));
    let end = exchange.run().await;
    let Exchange { client, mut inner, to_client, .. } = exchange;
    match end {
        End::Sent => close(client).await,
        End::TooLarge => reject(client, &too_large()).await,
        End::Cut => {
            if !to_client.is_empty() {
                // Bytes that were not read are discarded.
                let _unchanged = client.set_zero_linger();
            }
            drop(client);
        }
    }
    drop(held);
    // Dropshot cancels a connection that has ended.
    let _ended = timeout(FAREWELL, async {
        inner.shutdown().await?;
        tokio::io::copy(&mut inner, &mut tokio::io::sink()).await
    })
    .await;
    drop((inner, entry));
}

/// Reads until the head of a request is complete, or returns the response that rejects it. `None` if the client
/// disconnected.
async fn first_head(client: &mut TcpStream) -> Option<Result<Prepared, Vec<u8>>> {
    let mut head = Head::default();
    loop {
        let found = poll_fn(|cx| read(client, cx, |bytes, _| head.push(bytes))).await.ok()??;
        match found {
            Found::Part => {}
            Found::Whole { fields } => return Some(Ok(Prepared { bytes: head.take(), fields })),
            Found::TooLarge => return Some(Err(too_large())),
            Found::Http2 => {
                let message = "this server speaks HTTP/1.1; HTTP/2 needs a proxy in front of it";
                return Some(Err(canned(error::INVALID_REQUEST, message, None)));
            }
        }
    }
}

/// A complete head and the bytes after it.
struct Prepared {
    bytes: Vec<u8>,
    /// Offset for inserting further header fields.
    fields: usize,
}

fn too_large() -> Vec<u8> {
    let message = format!("the request's line and headers must not be larger than {HEAD_MAX} bytes");
    canned(error::INVALID_REQUEST, &message, None)
}

impl Shared {
    /// The bytes to pass on. While the server is draining, each response is the last of its connection.
    fn prepared(&self, head: Prepared) -> Vec<u8> {
        let Prepared { mut bytes, fields } = head;
        if self.draining() {
            bytes.splice(fields..fields, CLOSE.iter().copied());
        }
        bytes
    }
}

pub(super) async fn reject(mut client: TcpStream, response: &[u8]) {
    if let Ok(Ok(())) = timeout(LINGER, client.write_all(response)).await {
        close(client).await;
    }
}

/// Closes a connection so that sent bytes arrive, also if the client is still sending: closing at once would reset
/// the connection.
async fn close(mut client: TcpStream) {
    let _late = timeout(LINGER, async {
        client.shutdown().await?;
        let mut nothing = [0; 512];
        while client.read(&mut nothing).await? > 0 {}
        Ok::<(), io::Error>(())
    })
    .await;
}

/// Bytes that the other side has not accepted yet.
#[derive(Debug, Default)]
struct Unsent {
    bytes: Vec<u8>,
    sent: usize,
}

impl Unsent {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn set(&mut self, bytes: Vec<u8>) {
        *self = Self { bytes, sent: 0 };
    }

    /// Sends the buffered bytes; ready once none are left.
    fn send(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            self.sent += ready!(Pin::new(&mut *stream).poll_write(cx, &self.bytes[self.sent..]))?;
            if self.sent == self.bytes.len() {
                // Frees the memory too: most connections are idle.
                *self = Self::default();
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Sends these bytes and buffers the rest. The buffer must be empty.
    fn send_new(&mut self, bytes: &[u8], stream: &mut TcpStream, cx: &mut Context<'_>) -> io::Result<()> {
        let mut sent = 0;
        while sent < bytes.len() {
            match Pin::new(&mut *stream).poll_write(cx, &bytes[sent..]) {
                Poll::Ready(written) => sent += written?,
                Poll::Pending => {
                    self.set(bytes[sent..].to_vec());
                    break;
                }
            }
        }
        Ok(())
    }
}

/// Reads some bytes and passes them to `take`; `None` at the end.
fn read<T>(
    stream: &mut TcpStream,
    cx: &mut Context<'_>,
    take: impl FnOnce(&[u8], &mut Context<'_>) -> T,
) -> Poll<io::Result<Option<T>>> {
    // On the stack, so that an idle connection holds no buffer.
    let mut space = [const { MaybeUninit::<u8>::uninit() }; CHUNK];
    let mut buffer = ReadBuf::uninit(&mut space);
    ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
    Poll::Ready(Ok((!buffer.filled().is_empty()).then(|| take(buffer.filled(), cx))))
}

/// The copying, both ways.
struct Exchange<'a> {
    client: TcpStream,
    inner: TcpStream,
    shared: &'a Shared,
    held: &'a Held,
    /// The bytes received of the next request's head.
    head: Head,
    to_inner: Unsent,
    to_client: Unsent,
    /// True once the response to the last request has begun. Its end is not parsed: more bytes of it may follow.
    responding: bool,
    client_open: bool,
    inner_open: bool,
    /// Time of the last request or of the last bytes of a response.
    last: Instant,
    /// Time at which a further request was found to have too large a head. It may be the rest of a body that Dropshot
    /// rejects, which then closes the connection.
    too_large: Option<Instant>,
}

impl Exchange<'_> {
    async fn run(&mut self) -> End {
        let held = self.held;
        let (mut cut, mut sleep) = (pin!(held.cut()), pin!(sleep_until(self.deadline())));
        poll_fn(|cx| {
            if cut.as_mut().poll(cx).is_ready() {
                return Poll::Ready(End::Cut);
            }
            if let Poll::Ready(end) = self.copy(cx) {
                return Poll::Ready(end);
            }
            // The deadline has usually moved by the time the timer fires, so the timer is reset only then.
            let deadline = self.deadline();
            if deadline < sleep.deadline() {
                sleep.as_mut().reset(deadline);
            }
            while sleep.as_mut().poll(cx).is_ready() {
                if deadline <= Instant::now() {
                    return Poll::Ready(if self.too_large.is_some() { End::TooLarge } else { End::Cut });
                }
                sleep.as_mut().reset(deadline);
            }
            Poll::Pending
        })
        .await
    }

    /// Time at which the connection is closed.
    fn deadline(&self) -> Instant {
        match self.too_large {
            Some(at) => at.max(self.last) + LINGER,
            None if self.responding => self.last + self.shared.idle,
            None => self.last + self.shared.respond,
        }
    }

    /// Copies the bytes that are available.
    fn copy(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            if let Poll::Ready(Err(_)) = self.to_client.send(&mut self.client, cx) {
                return Poll::Ready(End::Cut);
            }
            if let Poll::Ready(Err(_)) = self.to_inner.send(&mut self.inner, cx) {
                // Dropshot reads no more; its response so far is still passed on.
                self.to_inner = Unsent::default();
            }
            let mut moved = false;
            if self.inner_open && self.to_client.is_empty() {
                match self.take_response(cx) {
                    Poll::Ready(Err(end)) => return Poll::Ready(end),
                    Poll::Ready(Ok(())) => moved = true,
                    Poll::Pending => {}
                }
            }
            if !self.inner_open && self.to_client.is_empty() {
                return Poll::Ready(End::Sent);
            }
            if self.client_open && self.to_inner.is_empty() && self.too_large.is_none() {
                match self.take_request(cx) {
                    Poll::Ready(Err(end)) => return Poll::Ready(end),
                    Poll::Ready(Ok(())) => moved = true,
                    Poll::Pending => {}
                }
            }
            if !moved {
                return Poll::Pending;
            }
        }
    }

    /// Passes on Dropshot's response.
    fn take_response(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        let Self { client, inner, to_client, responding, .. } = self;
        let came = ready!(read(inner, cx, |bytes, cx| {
            // After 100 (Continue) the response is still to come.
            *responding |= !bytes.starts_with(b"HTTP/1.1 1");
            to_client.send_new(bytes, client, cx)
        }));
        match came {
            Ok(Some(sent)) => sent.map_err(|_| End::Cut)?,
            Ok(None) | Err(_) => self.inner_open = false,
        }
        self.last = Instant::now();
        if self.responding {
            self.held.idle(self.last);
        }
        Poll::Ready(Ok(()))
    }

    /// Passes on the client's bytes: the rest of a request as it arrives, the head of the next one when it is
    /// complete.
    fn take_request(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        let Self { client, inner, head, to_inner, responding, .. } = self;
        let came = ready!(read(client, cx, |bytes, cx| {
            if *responding {
                return Some(head.push(bytes));
            }
            if to_inner.send_new(bytes, inner, cx).is_err() {
                *to_inner = Unsent::default();
            }
            None
        }));
        match came {
            Ok(Some(None | Some(Found::Part))) => {}
            Ok(Some(Some(Found::Whole { fields }))) => return Poll::Ready(self.request(fields, cx)),
            Ok(Some(Some(Found::TooLarge))) => self.too_large = Some(Instant::now()),
            Ok(Some(Some(Found::Http2))) | Err(_) => return Poll::Ready(Err(End::Cut)),
            Ok(None) => {
                self.client_open = false;
                // On TCP this completes at once. Dropshot then ends the connection.
                let _told = Pin::new(&mut self.inner).poll_shutdown(cx);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Passes on a further request.
    fn request(&mut self, fields: usize, cx: &mut Context<'_>) -> Result<(), End> {
        if !self.held.busy() {
            return Err(End::Cut);
        }
        let bytes = self.shared.prepared(Prepared { bytes: self.head.take(), fields });
        if self.to_inner.send_new(&bytes, &mut self.inner, cx).is_err() {
            self.to_inner = Unsent::default();
        }
        self.responding = false;
        self.last = Instant::now();
        Ok(())
    }
}

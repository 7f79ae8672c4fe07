//! Traffic of one connection: the number of requests that the database has not completed, and the time since
//! it last sent data. A connection that is silent for longer than its limit with a request in progress is
//! abandoned.
//!
//! Requests are counted in the protocol messages, which stay correct if a request is cancelled on the client
//! side: each `Query` or `Sync` is completed by one `ReadyForQuery`.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// Final delay before a connection is abandoned: a process that was itself suspended has buffered responses
/// to read first.
const LAST_LOOK: Duration = Duration::from_millis(50);

/// The state of a connection's traffic.
#[derive(Debug)]
pub(crate) struct Traffic {
    opened: Instant,
    /// Numbers of requests sent and completed.
    sent: AtomicU64,
    done: AtomicU64,
    /// Time of the last received bytes, or of the first request after a pause, in milliseconds since
    /// `opened`.
    moved: AtomicU64,
    /// Longest permitted silence of the database in milliseconds; 0 for no limit.
    limit: AtomicU64,
    /// Set after the startup message, the only message without a type byte.
    started: AtomicBool,
    closed: AtomicBool,
}

impl Traffic {
    pub(crate) fn new(limit: Option<Duration>) -> Arc<Self> {
        let traffic = Self {
            opened: Instant::now(),
            sent: AtomicU64::new(0),
            done: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            limit: AtomicU64::new(0),
            started: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        };
        traffic.set_limit(limit);
        Arc::new(traffic)
    }

    /// Starts to count: the startup is complete, and no request is in progress.
    pub(crate) fn start(&self) {
        self.sent.store(self.done.load(Ordering::Relaxed), Ordering::Relaxed);
        self.started.store(true, Ordering::Relaxed);
    }

    /// Changes the longest permitted silence of the database.
    pub(crate) fn set_limit(&self, limit: Option<Duration>) {
        self.limit.store(limit.map_or(0, milliseconds), Ordering::Relaxed);
    }

    pub(crate) fn opened(&self) -> Instant {
        self.opened
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Takes the connection out of use: no new request is sent on it.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    fn wrote(&self, kind: u8) {
        if !matches!(kind, b'Q' | b'S') {
            return;
        }
        if self.sent.load(Ordering::Relaxed) == self.done.load(Ordering::Relaxed) {
            self.moved.store(milliseconds(self.opened.elapsed()), Ordering::Relaxed);
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self, kind: u8) {
        if kind == b'Z' {
            self.done.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The time at which the connection is abandoned if no data arrives before.
    fn due(&self) -> Option<Instant> {
        let limit = self.limit.load(Ordering::Relaxed);
        let waits = self.sent.load(Ordering::Relaxed) > self.done.load(Ordering::Relaxed);
        let moved = Duration::from_millis(self.moved.load(Ordering::Relaxed));
        (waits && limit > 0).then(|| self.opened + moved + Duration::from_millis(limit))
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The reason why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// One side closed the connection, or it broke.
    Closed,
    /// The database was silent for too long.
    Silent,
}

/// Drives a connection until it ends. Requests in progress are notified after this returns, once `closed` is
/// set.
pub(crate) async fn drive<D: Future>(driver: D, traffic: &Traffic) -> End {
    let mut driver = pin!(driver);
    let mut alarm = pin!(sleep(Duration::ZERO));
    let (mut armed, mut looked) = (false, None);
    let end = std::future::poll_fn(|cx| {
        if driver.as_mut().poll(cx).is_ready() {
            return Poll::Ready(End::Closed);
        }
        loop {
            let Some(due) = traffic.due() else {
                armed = false;
                return Poll::Pending;
            };
            if !armed || due < alarm.deadline() && looked != Some(due) {
                alarm.as_mut().reset(due);
                armed = true;
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if due > Instant::now() {
                alarm.as_mut().reset(due);
            } else if looked == Some(due) {
                return Poll::Ready(End::Silent);
            } else {
                looked = Some(due);
                alarm.as_mut().reset(Instant::now() + LAST_LOOK);
            }
        }
    })
    .await;
    traffic.close();
    end
}

/// Extracts message types from a byte stream of messages: one byte of type, four bytes of length, the body.
#[derive(Debug, Default)]
struct Messages {
    header: [u8; 5],
    have: usize,
    rest: usize,
}

impl Messages {
    fn feed(&mut self, mut bytes: &[u8], mut found: impl FnMut(u8)) {
        while !bytes.is_empty() {
            if self.rest > 0 {
                let skipped = self.rest.min(bytes.len());
                self.rest -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            let taken = (self.header.len() - self.have).min(bytes.len());
            self.header[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
            self.have += taken;
            bytes = &bytes[taken..];
            if self.have == self.header.len() {
                let [kind, length @ ..] = self.header;
                // The length includes its own four bytes.
                self.rest = (u32::from_be_bytes(length) as usize).saturating_sub(length.len());
                self.have = 0;
                found(kind);
            }
        }
    }
}

/// A stream that counts the messages it carries.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    stream: S,
    traffic: Arc<Traffic>,
    incoming: Messages,
    outgoing: Messages,
}

impl<S> Counted<S> {
    pub(crate) fn new(stream: S, traffic: Arc<Traffic>) -> Self {
        Self { stream, traffic, incoming: Messages::default(), outgoing: Messages::default() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buf);
        let new = &buf.filled()[before..];
        if !new.is_empty() {
            let traffic = &this.traffic;
            traffic.moved.store(milliseconds(traffic.opened.elapsed()), Ordering::Relaxed);
            this.incoming.feed(new, |kind| traffic.read(kind));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let polled = Pin::new(&mut this.stream).poll_write(cx, buf);
        if let Poll::Ready(Ok(written)) = &polled
            && this.traffic.started.load(Ordering::Relaxed)
        {
            let traffic = &this.traffic;
            this.outgoing.feed(&buf[..*written], |kind| traffic.wrote(kind));
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Counted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

/// A TLS connector that counts the messages inside the encrypted stream.
pub(crate) struct CountedTls<T> {
    pub(crate) tls: T,
    pub(crate) traffic: Arc<Traffic>,
}

impl<S, T> TlsConnect<S> for CountedTls<T>
where
    T: TlsConnect<S>,
    T::Future: Send + 'static,
{
    type Stream = Counted<T::Stream>;
    type Error = T::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, Self::Error>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let (encrypting, traffic) = (self.tls.connect(stream), self.traffic);
        Box::pin(async move { Ok(Counted::new(encrypting.await?, traffic)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_wherever_they_are_cut() {
        let mut stream = Vec::new();
        for (kind, body) in [(b'P', &b"SSSS"[..]), (b'S', b""), (b'Q', b"ZZZZZZZZZ"), (b'Z', b"I")] {
            stream.push(kind);
            stream.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
            stream.extend(body);
        }
        for size in 1..=stream.len() {
            let (mut messages, mut found) = (Messages::default(), Vec::new());
            for part in stream.chunks(size) {
                messages.feed(part, |kind| found.push(kind));
            }
            assert_eq!(found, b"PSQZ", "in parts of {size}");
        }
    }
}

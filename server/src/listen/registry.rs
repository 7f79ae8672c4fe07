//! The open connections: their limits, in total and per source, and the choice of the connection that is closed for a
//! new one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::config::Http;
use crate::share::Source;

/// Minimum idle time before a connection may be closed for another: a connection that seems idle may still be sending
/// a long response.
const IDLE_AT_LEAST: Duration = Duration::from_secs(1);
/// Time that a connection has to send its first request before it may be closed for another.
const FRESH_AT_LEAST: Duration = Duration::from_millis(250);

/// No request is complete yet.
const FRESH: u8 = 0;
/// A request is in progress.
const BUSY: u8 = 1;
/// At least the beginning of a response was sent.
const IDLE: u8 = 2;
/// The connection is closed for another.
const CUT: u8 = 3;

/// The open connections.
#[derive(Debug)]
pub(super) struct Registry {
    most: usize,
    http: Http,
    begun: Instant,
    open: Mutex<Open>,
    empty: Notify,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    places: HashMap<u64, Arc<Place>>,
    sources: HashMap<Source, usize>,
}

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Place {
    phase: AtomicU8,
    /// Time of the last activity, in milliseconds since the registry was created.
    last: AtomicU64,
    cut: Notify,
}

/// An open connection's entry, removed when dropped.
#[derive(Debug)]
pub(super) struct Held {
    registry: Arc<Registry>,
    id: u64,
    source: Source,
    place: Arc<Place>,
}

/// The limit that a connection would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The server's limit.
    All,
    /// The source's limit.
    Source,
}

impl Registry {
    /// `most` is the limit in total; the one per source is in the configuration.
    pub fn new(most: usize, http: Http) -> Self {
        Self { most, http, begun: Instant::now(), open: Mutex::default(), empty: Notify::new() }
    }

    /// Waits until no connection is open.
    pub async fn emptied(&self) {
        loop {
            // Before the check, so that the last one can't end in between.
            let emptied = self.empty.notified();
            if self.lock().places.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    /// Returns true if a connection has not sent a request yet.
    pub fn any_fresh(&self) -> bool {
        self.lock().places.values().any(|place| place.phase.load(Ordering::Acquire) == FRESH)
    }

    /// Registers a new connection; at the limit, closes another one for it.
    pub fn register(self: &Arc<Self>, peer: IpAddr, now: Instant) -> Result<Held, Full> {
        let mut open = self.lock();
        let source = Source::of(peer);
        let from_there = open.sources.get(&source).copied().unwrap_or_default();
        if from_there >= self.http.max_connections_per_source as usize && !self.http.trusts(peer) {
            return Err(Full::Source);
        }
        if open.places.len() >= self.most && !self.make_room(&open, now) {
            return Err(Full::All);
        }
        let id = open.next;
        open.next += 1;
        let place = Arc::new(Place {
            phase: AtomicU8::new(FRESH),
            last: AtomicU64::new(self.since_begun(now)),
            cut: Notify::new(),
        });
        open.places.insert(id, Arc::clone(&place));
        *open.sources.entry(source).or_default() += 1;
        Ok(Held { registry: Arc::clone(self), id, source, place })
    }

    /// Closes the connection that has been unused for longest: one without any request before an idle one.
    fn make_room(&self, open: &Open, now: Instant) -> bool {
        let now = self.since_begun(now);
        let useless = open.places.values().filter_map(|place| {
            let idle = now.saturating_sub(place.last.load(Ordering::Relaxed));
            let phase = place.phase.load(Ordering::Acquire);
            let patience = match phase {
                FRESH => FRESH_AT_LEAST,
                IDLE => IDLE_AT_LEAST,
                _ => return None,
            };
            (u128::from(idle) >= patience.as_millis()).then_some(((phase, std::cmp::Reverse(idle)), place))
        });
        useless.min_by_key(|(rank, _)| *rank).is_some_and(|(_, place)| place.cut())
    }

    /// Closes every connection without a request.
    pub fn cut_fresh(&self) {
        for place in self.lock().places.values() {
            if place.phase.load(Ordering::Acquire) == FRESH {
                place.cut();
            }
        }
    }

    fn since_begun(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.begun).as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Marks the connection to be closed; returns false if a request arrived first.
    fn cut(&self) -> bool {
        let was = self.phase.load(Ordering::Acquire);
        let free = matches!(was, FRESH | IDLE)
            && self.phase.compare_exchange(was, CUT, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if free {
            self.cut.notify_one();
        }
        free
    }
}

impl Held {
    /// Waits until the connection is closed for another.
    pub async fn cut(&self) {
        self.place.cut.notified().await;
    }

    /// Marks a complete request; returns false if the connection has to close.
    pub fn busy(&self) -> bool {
        self.enter(BUSY)
    }

    /// Marks that a response is being sent, or was.
    pub fn idle(&self, now: Instant) {
        self.place.last.store(self.registry.since_begun(now), Ordering::Relaxed);
        self.enter(IDLE);
    }

    fn enter(&self, phase: u8) -> bool {
        self.place
            .phase
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |was| (was != CUT).then_some(phase))
            .is_ok()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = self.registry.lock();
        open.places.remove(&self.id);
        if let Some(count) = open.sources.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                open.sources.remove(&self.source);
            }
        }
        if open.places.is_empty() {
            self.registry.empty.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(most: usize, max_connections_per_source: u32) -> Arc<Registry> {
        let trusted_proxies = vec!["10.0.0.1".parse().unwrap()];
        Arc::new(Registry::new(most, Http { max_connections_per_source, trusted_proxies, ..Http::default() }))
    }

    fn from(registry: &Arc<Registry>, address: &str) -> Result<Held, Full> {
        registry.register(address.parse().unwrap(), Instant::now())
    }

    #[test]
    fn a_source_has_its_share_and_a_proxy_has_more() {
        let registry = registry(100, 2);
        let held = [from(&registry, "192.0.2.1").unwrap(), from(&registry, "::ffff:192.0.2.1").unwrap()];
        assert_eq!(from(&registry, "192.0.2.1").unwrap_err(), Full::Source);
        let _other = from(&registry, "192.0.2.2").unwrap();
        let _network = ["2001:db8::1", "2001:db8::2"].map(|address| from(&registry, address).unwrap());
        assert_eq!(from(&registry, "2001:db8::3").unwrap_err(), Full::Source);
        assert!(from(&registry, "2001:db8:0:1::3").is_ok());
        let _proxy: Vec<Held> = (0..5).map(|_| from(&registry, "10.0.0.1").unwrap()).collect();
        drop(held);
        assert!(from(&registry, "192.0.2.1").is_ok());
    }

    #[tokio::test]
    async fn the_most_useless_connection_makes_room() {
        let registry = registry(3, 100);
        let begun = Instant::now();
        let from = |address: &str, seconds| {
            registry.register(address.parse().unwrap(), begun + Duration::from_secs(seconds))
        };
        let busy = from("192.0.2.1", 0).unwrap();
        assert!(busy.busy());
        let idle = from("192.0.2.2", 0).unwrap();
        idle.busy();
        idle.idle(begun + Duration::from_secs(1));
        let fresh = from("192.0.2.3", 1).unwrap();
        assert_eq!(from("192.0.2.4", 1).unwrap_err(), Full::All, "its request may be on the way");
        let second = from("192.0.2.4", 2).expect("the one that sent nothing is cut");
        fresh.cut().await;
        assert!(!fresh.busy(), "too late");
        drop(fresh);
        assert!(second.busy());
        let third = from("192.0.2.5", 2).expect("the idle one is cut");
        idle.cut().await;
        drop(idle);
        assert!(third.busy());
        assert_eq!(from("192.0.2.6", 9).unwrap_err(), Full::All, "all are busy");
        third.idle(begun + Duration::from_secs(9));
        assert_eq!(from("192.0.2.6", 9).unwrap_err(), Full::All, "it may still be sending");
        assert!(from("192.0.2.6", 11).is_ok());
    }
}

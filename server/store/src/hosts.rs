//! The hosts of a database URL and the state of each. Connection attempts start staggered and run in
//! parallel, so that a host that drops packets delays nothing.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{StreamExt, TryFutureExt};
use tokio::time::{Instant, sleep};
use tokio_postgres::Config;
use tokio_postgres::config::Host as UrlHost;

use crate::error::{StoreError, StoreResult};

/// Delay before the next host is tried while the previous attempt is still in progress.
const STAGGER: Duration = Duration::from_millis(100);

/// Default port.
const PORT: u16 = 5432;

/// The address of a database server.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    #[cfg(unix)]
    Unix(PathBuf),
    /// A host name or IP address. TLS checks the certificate against the name.
    Tcp { name: String, address: Option<IpAddr>, port: u16 },
}

impl Place {
    /// The form shown in error messages.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Unix(path) => path.display().to_string(),
            Self::Tcp { name, port, .. } => format!("{name}:{port}"),
        }
    }

    /// Resolves the name to addresses.
    pub(crate) async fn addresses(
        name: &str,
        address: Option<IpAddr>,
        port: u16,
    ) -> StoreResult<Vec<SocketAddr>> {
        if let Some(address) = address {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let found = tokio::net::lookup_host((name, port)).await;
        let found: Vec<SocketAddr> =
            found.map_err(|error| StoreError::Unavailable(error.to_string()))?.collect();
        if found.is_empty() {
            return Err(StoreError::Unavailable("the name has no address".to_owned()));
        }
        Ok(found)
    }
}

#[derive(Debug)]
struct Host {
    place: Place,
    /// Times of the last connection and of the last abandoned connection, in milliseconds, never 0.
    served: AtomicU64,
    doubted: AtomicU64,
}

/// All hosts of a URL.
#[derive(Debug)]
pub(crate) struct Hosts {
    since: Instant,
    hosts: Vec<Host>,
}

impl Hosts {
    /// Takes the hosts from a configuration.
    pub(crate) fn of(config: &Config) -> StoreResult<Self> {
        let (names, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
        let count = names.len().max(addresses.len());
        let fits = |given: usize| given == 0 || given == count;
        if count == 0
            || !fits(names.len())
            || !fits(addresses.len())
            || !(ports.len() < 2 || fits(ports.len()))
        {
            return Err(StoreError::Defect(
                "the database URL needs a host, and as many host addresses or ports as hosts where there are several"
                    .to_owned(),
            ));
        }
        let place = |index: usize| {
            let port = ports.get(index).or(ports.first()).copied().unwrap_or(PORT);
            let address = addresses.get(index).copied();
            match (names.get(index), address) {
                #[cfg(unix)]
                (Some(UrlHost::Unix(folder)), _) => Place::Unix(folder.join(format!(".s.PGSQL.{port}"))),
                (Some(UrlHost::Tcp(name)), _) => Place::Tcp { name: name.clone(), address, port },
                (None, _) => {
                    let name = address.map(|address| address.to_string()).unwrap_or_default();
                    Place::Tcp { name, address, port }
                }
            }
        };
        let host = |place| Host { place, served: AtomicU64::new(0), doubted: AtomicU64::new(0) };
        Ok(Self { since: Instant::now(), hosts: (0..count).map(place).map(host).collect() })
    }

    fn at(&self, instant: Instant) -> u64 {
        u64::try_from(instant.saturating_duration_since(self.since).as_millis()).unwrap_or(u64::MAX).max(1)
    }

    /// All hosts in the form shown in error messages.
    pub(crate) fn shown(&self) -> String {
        self.hosts.iter().map(|host| host.place.shown()).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn place(&self, host: usize) -> &Place {
        &self.hosts[host].place
    }

    /// Records that a connection was opened.
    pub(crate) fn served(&self, host: usize) {
        self.hosts[host].served.store(self.at(Instant::now()), Ordering::Relaxed);
    }

    /// Records that a host is silent or rejects writes: older connections to it are not used again.
    pub(crate) fn doubt(&self, host: usize) {
        self.hosts[host].doubted.store(self.at(Instant::now()), Ordering::Relaxed);
    }

    /// True if a connection of this age may lead to a host that has failed.
    pub(crate) fn is_doubted(&self, host: usize, opened: Instant) -> bool {
        self.hosts[host].doubted.load(Ordering::Relaxed) > self.at(opened)
    }

    /// The order in which to try the hosts: the last one connected to first, those in doubt last.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.hosts.len()).collect();
        order.sort_by_key(|&index| {
            let host = &self.hosts[index];
            let (served, doubted) =
                (host.served.load(Ordering::Relaxed), host.doubted.load(Ordering::Relaxed));
            (doubted > served, std::cmp::Reverse(served))
        });
        order
    }

    /// Opens a connection to the first host with which it succeeds.
    pub(crate) async fn first<T, F>(&self, open: impl Fn(usize) -> F) -> StoreResult<T>
    where
        F: Future<Output = StoreResult<T>>,
    {
        let several = self.hosts.len() > 1;
        race(self.order(), |host| {
            open(host).map_err(move |error| match error {
                StoreError::Unavailable(why) if several => {
                    StoreError::Unavailable(format!("{}: {why}", self.place(host).shown()))
                }
                error => error,
            })
        })
        .await
    }
}

/// Returns the first success. The next candidate starts when the previous one has failed or is slow;
/// unfinished attempts are cancelled after a success.
pub(crate) async fn race<C, T, F>(candidates: Vec<C>, open: impl Fn(C) -> F) -> StoreResult<T>
where
    F: Future<Output = StoreResult<T>>,
{
    let mut waiting = candidates.into_iter();
    let mut running = FuturesUnordered::new();
    let mut errors = Vec::new();
    loop {
        match waiting.next() {
            Some(candidate) => running.push(open(candidate)),
            None if running.is_empty() => return Err(StoreError::Unavailable(errors.join("; "))),
            None => {}
        }
        tokio::select! {
            Some(outcome) = running.next() => match outcome {
                Ok(opened) => return Ok(opened),
                Err(StoreError::Unavailable(why)) => errors.push(why),
                Err(error) => return Err(error),
            },
            () = sleep(STAGGER), if waiting.len() > 0 => {}
        }
    }
}

//! Readiness of the database, as load balancers query it: often, from many sources, and without a credential.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use deadpool::managed::{PoolError, TimeoutType, Timeouts};
use diesel::sql_types::Bool;
use diesel_async::RunQueryDsl;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::error::{StoreError, StoreResult};
use crate::{Conn, Store};

/// Time limit of a check.
const PATIENCE: Duration = Duration::from_millis(900);

/// Lifetime of a check's result, positive or negative.
const GOOD_FOR: Duration = Duration::from_secs(1);
const BAD_FOR: Duration = Duration::from_millis(200);

/// Longest time that a check waits for a connection while all are in use.
const WAIT: Duration = Duration::from_millis(250);

/// The last result. Locked during a check; other callers wait for its result.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    seen: Mutex<Option<(Instant, Result<(), String>)>>,
    /// Times of the last read and the last commit by requests.
    pub(crate) read: Lately,
    pub(crate) wrote: Arc<Lately>,
}

impl Ready {
    pub(crate) async fn look(&self, store: &Store) -> StoreResult<()> {
        if self.shows(store) {
            return Ok(());
        }
        let mut seen = self.seen.lock().await;
        let fresh = seen.as_ref().filter(|(at, outcome)| match outcome {
            // If all connections have ended since, that outweighs the last result.
            Ok(()) => at.elapsed() < GOOD_FOR && store.shared.is_open(),
            Err(_) => at.elapsed() < BAD_FOR,
        });
        let outcome = match fresh {
            Some((_, outcome)) => outcome.clone(),
            None => {
                let outcome = self.look_now(store).await.map_err(|error| error.to_string());
                *seen = Some((Instant::now(), outcome.clone()));
                outcome
            }
        };
        outcome.map_err(StoreError::Unavailable)
    }

    /// True if recent requests show that the database works. A busy server needs no checks and is not taken
    /// out of service because a check would have to wait.
    fn shows(&self, store: &Store) -> bool {
        store.shared.is_open() && self.read.within(GOOD_FOR) && self.wrote.within(GOOD_FOR)
    }

    async fn look_now(&self, store: &Store) -> StoreResult<()> {
        let looks = async { futures::try_join!(reads(store), writes(store)).map(|_| ()) };
        match timeout(PATIENCE, looks).await {
            Ok(seen) => seen,
            Err(_) if self.shows(store) => Ok(()),
            Err(_) => Err(StoreError::Unavailable("the database does not respond in time".to_owned())),
        }
    }
}

/// Time of the last occurrence of something.
#[derive(Debug)]
pub(crate) struct Lately {
    since: Instant,
    /// Milliseconds plus 1; 0 means never.
    last: AtomicU64,
}

impl Default for Lately {
    fn default() -> Self {
        Self { since: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl Lately {
    fn milliseconds(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }

    pub(crate) fn now(&self) {
        self.last.store(self.milliseconds(), Ordering::Relaxed);
    }

    fn within(&self, time: Duration) -> bool {
        // `self.last.load` would resolve to Diesel's method.
        let last = AtomicU64::load(&self.last, Ordering::Relaxed);
        last > 0 && u128::from(self.milliseconds().saturating_sub(last)) < time.as_millis()
    }
}

async fn reads(store: &Store) -> StoreResult<()> {
    store.reading(|conn| async move { truth(&conn, "true").await }).await.map(|_| ())
}

async fn writes(store: &Store) -> StoreResult<()> {
    let timeouts = Timeouts { wait: Some(WAIT), ..store.pool.timeouts() };
    let connection = match store.pool.timeout_get(&timeouts).await {
        Ok(connection) => connection,
        // All connections are in use: being busy is no reason to be taken out of service.
        Err(PoolError::Timeout(TimeoutType::Wait)) if store.ready.wrote.within(GOOD_FOR) => return Ok(()),
        Err(PoolError::Backend(error)) => return Err(error),
        Err(other) => return Err(StoreError::Unavailable(other.to_string())),
    };
    if truth(&connection, "pg_catalog.pg_is_in_recovery()").await? {
        connection.doubt_host();
        return Err(StoreError::Unavailable("the primary has become a standby".to_owned()));
    }
    if truth(&connection, "pg_catalog.current_setting('transaction_read_only')::boolean").await? {
        return Err(StoreError::Unavailable("the database takes no writes".to_owned()));
    }
    Ok(())
}

async fn truth(mut conn: &Conn, what: &str) -> StoreResult<bool> {
    Ok(diesel::select(diesel::dsl::sql::<Bool>(what)).get_result(&mut conn).await?)
}

//! Whether the database can be worked with, as load balancers ask it: often, from everywhere, and without a credential.

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

/// How long a look may take.
const PATIENCE: Duration = Duration::from_millis(900);

/// How long what was seen is good, where it was good and where it wasn't.
const GOOD_FOR: Duration = Duration::from_secs(1);
const BAD_FOR: Duration = Duration::from_millis(200);

/// How long a look waits for a connection while all are in use.
const WAIT: Duration = Duration::from_millis(250);

/// What was seen last. Locked while somebody looks: the others wait for what they see.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    seen: Mutex<Option<(Instant, Result<(), String>)>>,
    /// When requests last read and last committed.
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
            // Where all connections have ended since, that says more than what was seen.
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

    /// Whether requests show that all is well: a busy server needs no looks, and is not taken out of service because one
    /// would have to wait.
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

/// When something happened last.
#[derive(Debug)]
pub(crate) struct Lately {
    since: Instant,
    /// Milliseconds, and 1 more; 0 for never.
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
        // `self.last.load` would be Diesel's.
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
        // All are at work: being busy is no reason to be taken out of service.
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

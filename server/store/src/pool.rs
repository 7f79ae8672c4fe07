//! Two kinds of connection. Reads travel on a few shared ones, pipelined: many requests have statements under way on
//! one connection at once. Transactions take one of their own from a pool, with a bounded wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, RecycleError, RecycleResult, Timeouts};
use tokio::sync::Mutex;

use crate::connect::{ConnectOptions, Connection};
use crate::error::{StoreError, StoreResult};

/// The shared connections for reads.
#[derive(Debug)]
pub struct Shared {
    options: ConnectOptions,
    slots: Vec<Slot>,
    next: AtomicUsize,
}

#[derive(Debug, Default)]
struct Slot {
    current: std::sync::RwLock<Option<Arc<Connection>>>,
    /// Held while the slot reconnects, so that a flood of requests opens one connection and not a thousand.
    reconnecting: Mutex<()>,
}

impl Slot {
    fn live(&self) -> Option<Arc<Connection>> {
        let current = self.current.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        current.as_ref().filter(|connection| !connection.is_closed()).map(Arc::clone)
    }
}

impl Shared {
    pub(crate) fn new(options: ConnectOptions, size: usize) -> Self {
        Self {
            options,
            slots: (0..size.max(1)).map(|_| Slot::default()).collect(),
            next: AtomicUsize::new(0),
        }
    }

    /// A connection that other requests may be using too: only for single statements, never for a transaction.
    pub async fn get(&self) -> StoreResult<Arc<Connection>> {
        let slot = &self.slots[self.next.fetch_add(1, Ordering::Relaxed) % self.slots.len()];
        if let Some(connection) = slot.live() {
            return Ok(connection);
        }
        let _guard = slot.reconnecting.lock().await;
        if let Some(connection) = slot.live() {
            return Ok(connection);
        }
        let connection = Arc::new(self.options.connect().await?);
        *slot.current.write().unwrap_or_else(std::sync::PoisonError::into_inner) =
            Some(Arc::clone(&connection));
        Ok(connection)
    }
}

/// Makes the pool's connections.
#[derive(Debug)]
pub struct Manager {
    options: ConnectOptions,
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = StoreError;

    async fn create(&self) -> StoreResult<Connection> {
        self.options.connect().await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<StoreError> {
        // No statement is sent to find out: a dead connection shows itself, and one round trip more would cost a third
        // of the rate.
        if connection.is_spoilt() { Err(RecycleError::message("spoilt")) } else { Ok(()) }
    }
}

/// The pool for transactions.
pub type Pool = managed::Pool<Manager>;

/// A connection out of the pool.
pub type Pooled = managed::Object<Manager>;

pub(crate) fn pool(options: ConnectOptions, size: usize, wait: Duration) -> StoreResult<Pool> {
    Pool::builder(Manager { options })
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .timeouts(Timeouts { wait: Some(wait), create: Some(Duration::from_secs(3)), recycle: Some(wait) })
        .build()
        .map_err(|error| StoreError::Defect(error.to_string()))
}

pub(crate) async fn checkout(pool: &Pool) -> StoreResult<Pooled> {
    pool.get().await.map_err(|error| match error {
        managed::PoolError::Backend(error) => error,
        other => StoreError::Unavailable(other.to_string()),
    })
}

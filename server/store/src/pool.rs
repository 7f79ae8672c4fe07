//! Two kinds of connection. Reads share a few pipelined connections, each with statements of many requests in
//! progress. Transactions take a dedicated connection from a pool, with a bounded wait.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, RecycleError, RecycleResult, Timeouts};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared as SharedFuture};

use crate::connect::{ConnectOptions, Connection};
use crate::error::{StoreError, StoreResult};

/// The shared connections for reads.
#[derive(Debug)]
pub struct Shared {
    options: ConnectOptions,
    slots: Vec<Mutex<Slot>>,
    next: AtomicUsize,
}

/// A connection being opened: shared by all requests that wait for it, and not cancelled with the first of
/// them.
type Opening = SharedFuture<BoxFuture<'static, Result<Arc<Connection>, String>>>;

#[derive(Debug, Default)]
enum Slot {
    #[default]
    Empty,
    Opening(Opening),
    Open(Arc<Connection>),
}

impl Slot {
    /// The connection, if it is open. Also picks up a connection that has just been opened.
    fn usable(&mut self) -> Option<Arc<Connection>> {
        if let Self::Opening(opening) = self
            && let Some(opened) = opening.clone().now_or_never()
        {
            *self = opened.map_or(Self::Empty, Self::Open);
        }
        match self {
            Self::Open(connection) if connection.is_usable() => Some(Arc::clone(connection)),
            _ => None,
        }
    }
}

/// A shared connection with the index of its slot.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) connection: Arc<Connection>,
    slot: usize,
}

impl Shared {
    pub(crate) fn new(options: ConnectOptions, size: usize) -> Self {
        Self {
            options,
            slots: (0..size.max(1)).map(|_| Mutex::default()).collect(),
            next: AtomicUsize::new(0),
        }
    }

    /// A connection that other requests may share: only for single statements, never for a transaction. A
    /// closed connection is reopened; meanwhile requests get another open one, if there is one.
    pub(crate) async fn get(&self) -> StoreResult<Taken> {
        let count = self.slots.len();
        let first = self.next.fetch_add(1, Ordering::Relaxed) % count;
        let opening = match self.take(first) {
            Ok(connection) => return Ok(Taken { connection, slot: first }),
            Err(opening) => opening,
        };
        for slot in (first + 1..first + count).map(|slot| slot % count) {
            if let Some(connection) = self.slot(slot).usable() {
                return Ok(Taken { connection, slot });
            }
        }
        let connection = opening.await.map_err(StoreError::Unavailable)?;
        Ok(Taken { connection, slot: first })
    }

    /// Opens a connection in place of one that has failed.
    pub(crate) async fn replace(&self, failed: Taken) -> StoreResult<Arc<Connection>> {
        failed.connection.retire();
        match self.take(failed.slot) {
            Ok(connection) => Ok(connection),
            Err(opening) => opening.await.map_err(StoreError::Unavailable),
        }
    }

    /// True if at least one connection is usable.
    pub(crate) fn is_open(&self) -> bool {
        (0..self.slots.len()).any(|slot| self.slot(slot).usable().is_some())
    }

    fn slot(&self, slot: usize) -> std::sync::MutexGuard<'_, Slot> {
        self.slots[slot].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, slot: usize) -> Result<Arc<Connection>, Opening> {
        let mut slot = self.slot(slot);
        if let Some(connection) = slot.usable() {
            return Ok(connection);
        }
        if let Slot::Opening(opening) = &*slot {
            return Err(opening.clone());
        }
        let options = self.options.clone();
        let task = tokio::spawn(async move {
            let opened = options.connect_within(options.opening()).await;
            opened.map(Arc::new).map_err(|error| error.to_string())
        });
        let opening: BoxFuture<'static, _> =
            Box::pin(async move { task.await.unwrap_or_else(|error| Err(error.to_string())) });
        let opening = opening.shared();
        *slot = Slot::Opening(opening.clone());
        Err(opening)
    }
}

/// Creates and checks the pool's connections.
#[derive(Debug)]
pub struct Manager {
    options: ConnectOptions,
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = StoreError;

    async fn create(&self) -> StoreResult<Connection> {
        self.options.connect_within(self.options.opening()).await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<StoreError> {
        // No test statement is sent: a dead connection is detected on use, and another round trip would cost
        // a third of the throughput.
        if connection.is_broken() {
            return Err(RecycleError::message("unusable"));
        }
        Ok(())
    }
}

/// The pool for transactions.
pub type Pool = managed::Pool<Manager>;

/// A connection from the pool.
pub type Pooled = managed::Object<Manager>;

pub(crate) fn pool(options: ConnectOptions, size: usize, wait: Duration) -> StoreResult<Pool> {
    Pool::builder(Manager { options })
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .timeouts(Timeouts { wait: Some(wait), create: None, recycle: Some(wait) })
        .build()
        .map_err(|error| StoreError::Defect(error.to_string()))
}

pub(crate) async fn checkout(pool: &Pool) -> StoreResult<Pooled> {
    pool.get().await.map_err(|error| match error {
        managed::PoolError::Backend(error) => error,
        other => StoreError::Unavailable(other.to_string()),
    })
}

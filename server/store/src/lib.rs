//! Rollcall's data access: Diesel on Postgres. One file per table, with functions that take a connection and
//! the time as parameters, and row types that are never serialized to clients. No policy and no HTTP.
//!
//! Reads use a shared, pipelined connection ([`Store::reading`]). Changes run in a [`Transaction`], which has
//! no effect until [`Transaction::commit`]. Both dereference to the same connection type, so every function
//! works in either.

pub mod audit;
mod cached;
pub mod connect;
pub mod derived;
pub mod erase;
pub mod error;
pub mod find;
pub mod grants;
pub mod groups;
mod hosts;
pub mod idempotency;
pub mod invitations;
pub mod keys;
pub mod migrate;
mod named;
pub mod passwords;
pub mod pool;
pub mod privileges;
mod ready;
mod refold;
pub mod roles;
pub mod schema;
pub mod search_indexes;
pub mod seed;
pub mod sessions;
mod sorted;
pub mod sweep;
pub mod throttle;
mod traffic;
pub mod users;

use std::sync::Arc;
use std::time::Duration;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures::FutureExt;
use futures::future::BoxFuture;

use connect::{ConnectOptions, Connection};
pub use error::{MaybeLost, StoreError, StoreResult};
use pool::{Pool, Pooled, Shared};
use ready::{Lately, Ready};

/// The connection type that every function of this crate takes.
pub type Conn = AsyncPgConnection;

/// The database with its connections.
#[derive(Debug)]
pub struct Store {
    shared: Shared,
    pool: Pool,
    search: Pool,
    /// Longest time that a read or the start of a change waits for the database; a change also waits for a
    /// free connection.
    patience: Duration,
    wait: Duration,
    ready: Ready,
}

/// Number of connections of each kind, and limits on waiting for them.
#[derive(Clone, Copy, Debug)]
pub struct PoolOptions {
    /// Shared connections for reads.
    pub shared: usize,
    /// Connections for transactions.
    pub size: usize,
    /// Connections for searches.
    pub search: usize,
    /// Statement timeout of searches.
    pub search_timeout: Duration,
    /// Longest time that a request waits for a connection of the last two kinds.
    pub wait: Duration,
}

impl Store {
    /// Creates the store without opening a connection.
    pub fn new(connect: ConnectOptions, options: PoolOptions) -> StoreResult<Self> {
        Ok(Self {
            patience: connect.patience().unwrap_or(Duration::MAX),
            wait: options.wait,
            ready: Ready::default(),
            pool: pool::pool(connect.clone(), options.size, options.wait)?,
            search: pool::pool(connect.searching(options.search_timeout), options.search, options.wait)?,
            shared: Shared::new(connect, options.shared),
        })
    }

    /// Reads on a shared connection, and retries once on a new one if the connection was lost. Takes no
    /// longer than a statement may.
    pub async fn reading<T, E, F>(&self, read: impl Fn(Arc<Connection>) -> F) -> Result<T, E>
    where
        E: From<StoreError> + MaybeLost,
        F: Future<Output = Result<T, E>>,
    {
        let reading = async {
            let taken = self.shared.get().await?;
            match read(Arc::clone(&taken.connection)).await {
                Err(error) if error.is_lost() => read(self.shared.replace(taken).await?).await,
                other => other,
            }
        };
        let read = in_time(self.patience, reading).await?;
        self.ready.read.now();
        Ok(read)
    }

    /// A dedicated connection, for a single statement that changes something.
    pub async fn own(&self) -> StoreResult<Pooled> {
        pool::checkout(&self.pool).await
    }

    /// A connection for a search. They are few, so that expensive searches leave the other connections free.
    pub async fn search(&self) -> StoreResult<Pooled> {
        pool::checkout(&self.search).await
    }

    /// Begins a transaction (READ COMMITTED).
    pub async fn begin(&self) -> StoreResult<Transaction> {
        Ok(self.begin_reading(|_| async { Ok(()) }.boxed()).await?.0)
    }

    /// Begins a transaction and reads in the same round trip.
    pub async fn begin_reading<T: Send>(
        &self,
        read: impl for<'c> Fn(&'c Conn) -> BoxFuture<'c, StoreResult<T>> + Sync,
    ) -> StoreResult<(Transaction, T)> {
        let beginning = async {
            match self.begin_on(self.own().await?, &read).await {
                // The connection had died unnoticed. Nothing was changed, so a retry is safe.
                Err(StoreError::Lost(_)) => self.begin_on(self.own().await?, &read).await,
                other => other,
            }
        };
        in_time(self.patience.saturating_add(self.wait), beginning).await
    }

    async fn begin_on<T>(
        &self,
        mut connection: Pooled,
        read: impl for<'c> Fn(&'c Conn) -> BoxFuture<'c, StoreResult<T>>,
    ) -> StoreResult<(Transaction, T)> {
        connection.in_transaction = true;
        let (begun, found) = {
            let conn = &connection.inner;
            // BEGIN is never prepared, so no other statement overtakes it.
            futures::join!(execute(conn, "BEGIN"), read(conn))
        };
        match begun.and(found) {
            Ok(found) => Ok((Transaction { connection, wrote: Arc::clone(&self.ready.wrote) }, found)),
            Err(error) => {
                connection.retire();
                Err(error)
            }
        }
    }

    /// Checks that the database accepts reads and writes. Concurrent callers, and callers within one second,
    /// share one check.
    pub async fn ready(&self) -> StoreResult<()> {
        self.ready.look(self).await
    }
}

/// Limits the time that a future waits for the database.
async fn in_time<T, E: From<StoreError>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Lost("no response in time".to_owned()).into()),
    }
}

async fn execute(mut conn: &Conn, statement: &str) -> StoreResult<()> {
    Ok(conn.batch_execute(statement).await?)
}

/// A transaction. Dropping it without [`Self::commit`] closes its connection, which rolls it back.
#[derive(Debug)]
pub struct Transaction {
    connection: Pooled,
    wrote: Arc<Lately>,
}

impl Transaction {
    /// Commits the transaction.
    pub async fn commit(mut self) -> StoreResult<()> {
        execute(&self.connection.inner, "COMMIT").await?;
        self.connection.in_transaction = false;
        self.wrote.now();
        Ok(())
    }

    /// Rolls the transaction back and keeps the connection.
    pub async fn rollback(mut self) -> StoreResult<()> {
        execute(&self.connection.inner, "ROLLBACK").await?;
        self.connection.in_transaction = false;
        Ok(())
    }
}

impl std::ops::Deref for Transaction {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        &self.connection.inner
    }
}

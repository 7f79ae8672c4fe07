//! Rollcall's data: Diesel over Postgres. One file per table, functions that take a connection and the time as
//! parameters, rows that are never what goes over the wire. No policy, no HTTP.
//!
//! A read takes a shared, pipelined connection ([`Store::read`]); a change runs in a [`Transaction`], which counts as
//! nothing until [`Transaction::commit`]. Both deref to the same connection type, so every function works in either.

pub mod audit;
pub mod connect;
pub mod erase;
pub mod error;
pub mod find;
pub mod grants;
pub mod groups;
pub mod idempotency;
pub mod invitations;
pub mod keys;
pub mod migrate;
mod named;
pub mod passwords;
pub mod pool;
pub mod privileges;
pub mod roles;
pub mod schema;
pub mod search_indexes;
pub mod seed;
pub mod sessions;
mod sorted;
pub mod sweep;
pub mod throttle;
pub mod users;

use std::sync::Arc;
use std::time::Duration;

use diesel_async::{AnsiTransactionManager, AsyncPgConnection, RunQueryDsl, TransactionManager};

use connect::{ConnectOptions, Connection};
pub use error::{StoreError, StoreResult};
use pool::{Pool, Pooled, Shared};

/// The connection that every function here takes.
pub type Conn = AsyncPgConnection;

/// The database, ready for use.
#[derive(Debug)]
pub struct Store {
    shared: Shared,
    pool: Pool,
    search: Pool,
}

/// How many connections, and how long to wait for one.
#[derive(Clone, Copy, Debug)]
pub struct PoolOptions {
    /// Shared connections for reads.
    pub shared: usize,
    /// Connections for transactions.
    pub size: usize,
    /// Connections for searches.
    pub search: usize,
    /// How long a statement of a search may take.
    pub search_timeout: Duration,
    /// How long a request may wait for one of the last two.
    pub wait: Duration,
}

impl Store {
    /// Opens no connection yet.
    pub fn new(connect: ConnectOptions, options: PoolOptions) -> StoreResult<Self> {
        Ok(Self {
            pool: pool::pool(connect.clone(), options.size, options.wait)?,
            search: pool::pool(connect.searching(options.search_timeout), options.search, options.wait)?,
            shared: Shared::new(connect, options.shared),
        })
    }

    /// A shared connection for single statements.
    pub async fn read(&self) -> StoreResult<Arc<Connection>> {
        self.shared.get().await
    }

    /// A connection of one's own, for a single statement that changes something.
    pub async fn own(&self) -> StoreResult<Pooled> {
        pool::checkout(&self.pool).await
    }

    /// A connection for a search: few, so that costly searches take nothing from everybody else.
    pub async fn search(&self) -> StoreResult<Pooled> {
        pool::checkout(&self.search).await
    }

    /// Begins a transaction (READ COMMITTED).
    pub async fn begin(&self) -> StoreResult<Transaction> {
        let mut connection = self.own().await?;
        AnsiTransactionManager::begin_transaction(&mut connection.inner).await?;
        Ok(Transaction { connection })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> StoreResult<()> {
        let connection = self.read().await?;
        diesel::select(diesel::dsl::sql::<diesel::sql_types::Integer>("1"))
            .execute(&mut &connection.inner)
            .await?;
        Ok(())
    }
}

/// A transaction. Dropped without [`Self::commit`] it counts for nothing: its connection is closed.
#[derive(Debug)]
pub struct Transaction {
    connection: Pooled,
}

impl Transaction {
    /// Makes it count.
    pub async fn commit(mut self) -> StoreResult<()> {
        Ok(AnsiTransactionManager::commit_transaction(&mut self.connection.inner).await?)
    }

    /// Gives it up and keeps the connection.
    pub async fn rollback(mut self) -> StoreResult<()> {
        Ok(AnsiTransactionManager::rollback_transaction(&mut self.connection.inner).await?)
    }
}

impl std::ops::Deref for Transaction {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &AsyncPgConnection {
        &self.connection.inner
    }
}

//! State shared by all requests: the store, the hashing threads, the clock, the keys. No other replica has to know
//! any of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_store::Store;
use slog::Logger;
use tokio::sync::Notify;
use uuid::{ContextV7, Timestamp, Uuid};

use crate::clock::Clock;
use crate::config::Config;
use crate::connections::Touching;
use crate::listen::Peers;
use crate::ration::Ration;
use crate::secrets::page_token::PageSealer;
use crate::secrets::password::Hasher;
use crate::share::{Shares, TokenOwners};
use crate::slow_searches::SlowSearches;

/// The server's state.
#[derive(Debug)]
pub struct App {
    /// The configuration.
    pub config: Config,
    /// The database.
    pub store: Store,
    /// The hashing threads.
    pub hasher: Hasher,
    /// The time source.
    pub clock: Arc<dyn Clock>,
    /// Seals page tokens.
    pub pages: PageSealer,
    /// Limit on audit events of unauthenticated callers.
    pub unknown: Ration,
    /// Concurrent changes per caller, or per source address of requests without a sign-in.
    pub changes: Arc<Shares>,
    /// Concurrent searches per caller.
    pub searches: Arc<Shares>,
    /// Callers with slow searches.
    pub slow_searches: Arc<SlowSearches>,
    /// Concurrent password hashes per caller.
    pub hashes: Arc<Shares>,
    /// Cache of token owners, which determines the share of a change.
    pub owners: TokenOwners,
    /// Sessions with an update of `last_used_at` in progress.
    pub touching: Touching,
    /// Client addresses by connection.
    pub peers: Arc<Peers>,
    /// The server's own log.
    pub log: Logger,
    /// True once the server has begun to shut down.
    pub draining: AtomicBool,
    /// Notified when a deletion left more rows than its request erased.
    pub erasing: Notify,
    /// Keeps ids of the same microsecond in order.
    pub ids: std::sync::Mutex<ContextV7>,
}

impl App {
    /// A new UUIDv7, which sorts by creation time. One of two sources of randomness; the other is `secrets`.
    pub fn new_id(&self) -> Uuid {
        let now = self.clock.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let context = self.ids.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Uuid::new_v7(Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos()))
    }

    /// Time without a request after which a session ends.
    pub fn idle_timeout(&self) -> TimeDelta {
        seconds(self.config.session.idle_timeout_seconds)
    }

    /// Expiry of a password that is set now; `None` if passwords don't expire.
    pub fn password_expiry(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.config.password.max_age_days.map(|days| now + TimeDelta::days(i64::from(days)))
    }

    /// Longest wait of a request for its caller's share.
    pub fn share_wait(&self) -> Duration {
        Duration::from_millis(self.config.database.pool_wait_milliseconds)
    }

    /// Longest total time that a request may wait for the database: the time for a connection and one statement.
    pub fn database_time(&self) -> Duration {
        let database = &self.config.database;
        Duration::from_millis(database.pool_wait_milliseconds + database.statement_timeout_milliseconds)
    }

    /// True once the server has begun to shut down.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// Converts a number of seconds from the configuration.
pub fn seconds(seconds: u64) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1000))
}

//! What all requests share: the store, the hashing threads, the clock, the keys. Nothing here is state that another
//! replica would have to know.

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
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Seals page tokens.
    pub pages: PageSealer,
    /// What callers whom the server doesn't know may leave in the audit trail.
    pub unknown: Ration,
    /// How many changes one caller, or one source without a sign-in, may have under way at once.
    pub changes: Arc<Shares>,
    /// How many searches.
    pub searches: Arc<Shares>,
    /// The callers whose searches are slow.
    pub slow_searches: Arc<SlowSearches>,
    /// How many passwords one caller may have hashed at once.
    pub hashes: Arc<Shares>,
    /// Whose tokens are, to know whose share a change takes.
    pub owners: TokenOwners,
    /// Sessions whose use is being noted.
    pub touching: Touching,
    /// The clients behind the connections.
    pub peers: Arc<Peers>,
    /// The server's own log.
    pub log: Logger,
    /// Set when the server begins to shut down.
    pub draining: AtomicBool,
    /// Told when a deletion has left more than its request erased.
    pub erasing: Notify,
    /// Keeps ids of one microsecond in order.
    pub ids: std::sync::Mutex<ContextV7>,
}

impl App {
    /// A new id: UUIDv7, in the order of time. One of the two places where randomness enters.
    pub fn new_id(&self) -> Uuid {
        let now = self.clock.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let context = self.ids.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Uuid::new_v7(Timestamp::from_unix(&*context, seconds, now.timestamp_subsec_nanos()))
    }

    /// How long a session lives without being used.
    pub fn idle_timeout(&self) -> TimeDelta {
        seconds(self.config.session.idle_timeout_seconds)
    }

    /// When a password that is set now expires, if passwords do.
    pub fn password_expiry(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.config.password.max_age_days.map(|days| now + TimeDelta::days(i64::from(days)))
    }

    /// How long a request waits for its caller's share.
    pub fn share_wait(&self) -> Duration {
        Duration::from_millis(self.config.database.pool_wait_milliseconds)
    }

    /// How long a request may wait for the database in all: as long as for a connection and one statement.
    pub fn database_time(&self) -> Duration {
        let database = &self.config.database;
        Duration::from_millis(database.pool_wait_milliseconds + database.statement_timeout_milliseconds)
    }

    /// Whether the server is shutting down.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// A length of time out of the configuration.
pub fn seconds(seconds: u64) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1000))
}

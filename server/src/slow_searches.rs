//! Callers with recent slow searches. Together they have half of the search connections, so that the other half is
//! free for everybody else: a share for each caller is not enough if a few accounts belong to one person.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::share::Sharer;

/// Time for which a slow search counts against its caller.
const COUNTS_FOR: Duration = Duration::from_secs(30);

/// Callers with slow searches, and the connections that they share.
#[derive(Debug)]
pub struct SlowSearches {
    /// Duration from which a search counts as slow.
    from: Duration,
    connections: Arc<Semaphore>,
    until: Mutex<HashMap<Sharer, Instant>>,
}

impl SlowSearches {
    /// `connections` is the number for all searches, `limit` the time that a search may take. A quarter of that
    /// counts as slow.
    pub fn new(connections: usize, limit: Duration) -> Arc<Self> {
        let half = (connections / 2).max(1);
        Arc::new(Self {
            from: limit / 4,
            connections: Arc::new(Semaphore::new(half)),
            until: Mutex::default(),
        })
    }

    /// Starts a search; `None` if the caller had slow searches and none of the connections for those becomes free in
    /// time.
    pub async fn begin(self: &Arc<Self>, whose: Sharer, wait: Duration) -> Option<Search> {
        let permit = match self.is_slow(whose) {
            true => Some(
                tokio::time::timeout(wait, Arc::clone(&self.connections).acquire_owned()).await.ok()?.ok()?,
            ),
            false => None,
        };
        Some(Search { searches: Arc::clone(self), whose, begun: Instant::now(), _permit: permit })
    }

    fn is_slow(&self, whose: Sharer) -> bool {
        self.callers().get(&whose).is_some_and(|until| *until > Instant::now())
    }

    fn callers(&self) -> std::sync::MutexGuard<'_, HashMap<Sharer, Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A search in progress, timed until it is dropped.
#[derive(Debug)]
pub struct Search {
    searches: Arc<SlowSearches>,
    whose: Sharer,
    begun: Instant,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Search {
    fn drop(&mut self) {
        if self.begun.elapsed() < self.searches.from {
            return;
        }
        let now = Instant::now();
        let mut callers = self.searches.callers();
        callers.retain(|_, until| *until > now);
        callers.insert(self.whose, now + COUNTS_FOR);
    }
}

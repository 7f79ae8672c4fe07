//! Callers whose searches were slow of late. Together they have half of the search connections, so that the other half is
//! free for everybody else: a share for each caller is not enough where a few accounts belong to one person.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::share::Sharer;

/// The time for which a slow search counts against its caller.
const COUNTS_FOR: Duration = Duration::from_secs(30);

/// The slow ones, and what they have together.
#[derive(Debug)]
pub struct SlowSearches {
    /// A search is slow from this time on.
    from: Duration,
    connections: Arc<Semaphore>,
    until: Mutex<HashMap<Sharer, Instant>>,
}

impl SlowSearches {
    /// `connections` for all searches, each of which may take `limit`. Slow is a quarter of that.
    pub fn new(connections: usize, limit: Duration) -> Arc<Self> {
        let half = (connections / 2).max(1);
        Arc::new(Self {
            from: limit / 4,
            connections: Arc::new(Semaphore::new(half)),
            until: Mutex::default(),
        })
    }

    /// Begins a search; `None` where the caller's searches were slow and none of the slow ones' connections becomes free.
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

/// A search under way; its end tells how long it took.
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

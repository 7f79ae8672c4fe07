//! Background erasure of the rows that deleted roles and groups left behind, in batches. It resumes after a restart
//! and on any replica, because the database stores what is left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rollcall_store::StoreResult;
use rollcall_store::erase::{Deleted, Erasure, Progress, deleted};
use slog::{info, warn};

use crate::context::App;

/// Interval between checks for rows that another replica left.
const INTERVAL: Duration = Duration::from_secs(600);
/// Delay before a retry after a failure or a lock held by another transaction.
const RETRY_DELAY: Duration = Duration::from_secs(10);

/// Erases until the server ends: at the start, when a request has left rows, and at intervals.
pub async fn run_periodically(app: Arc<App>) {
    loop {
        let wait = match once(&app).await {
            Ok(true) => INTERVAL,
            Ok(false) => RETRY_DELAY,
            Err(error) => {
                warn!(app.log, "deleted roles or groups could not be erased yet"; "reason" => %error);
                RETRY_DELAY
            }
        };
        // Checks again whether notified or timed out.
        let _told = tokio::time::timeout(wait, app.erasing.notified()).await;
    }
}

/// Erases all that is left; returns true if nothing remains.
pub async fn once(app: &App) -> StoreResult<bool> {
    loop {
        let left = deleted(&*app.store.own().await?).await?;
        if left.is_empty() {
            return Ok(true);
        }
        let mut erased = 0;
        for what in left {
            erased += u32::from(erase(app, what).await?);
        }
        if erased == 0 {
            return Ok(false);
        }
    }
}

/// Erases one role or group; returns false if another transaction holds its lock.
async fn erase(app: &App, what: Deleted) -> StoreResult<bool> {
    let begun = Instant::now();
    let mut erasure = Erasure::of(what);
    loop {
        let batch = Instant::now();
        let transaction = app.store.begin().await?;
        let progress = match erasure.step(&transaction).await {
            Ok(progress) => progress,
            Err(error) => {
                transaction.rollback().await?;
                return Err(error);
            }
        };
        transaction.commit().await?;
        match progress {
            // Leaves the same amount of time to other transactions.
            Progress::More => tokio::time::sleep(batch.elapsed()).await,
            Progress::Busy => return Ok(false),
            Progress::Done => {
                let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                info!(app.log, "erased the remaining rows of a deletion"; "what" => ?what, "milliseconds" => took);
                return Ok(true);
            }
        }
    }
}

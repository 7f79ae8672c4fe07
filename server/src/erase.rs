//! Erases beside the requests what deleted roles and groups have left, however many held or joined them. It goes on after
//! a restart, and on any replica: the database says what is left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rollcall_store::StoreResult;
use rollcall_store::erase::{Deleted, Erasure, Progress, deleted};
use slog::{info, warn};

use crate::context::App;

/// How often to look for what another replica has left.
const EVERY: Duration = Duration::from_secs(600);
/// When to try again what failed, or what somebody else has locked.
const AGAIN: Duration = Duration::from_secs(10);

/// Erases until the server ends: at the start, whenever a request has left something, and now and then.
pub async fn for_ever(app: Arc<App>) {
    loop {
        let wait = match once(&app).await {
            Ok(true) => EVERY,
            Ok(false) => AGAIN,
            Err(error) => {
                warn!(app.log, "what was deleted could not be erased yet"; "reason" => %error);
                AGAIN
            }
        };
        // Told or not, it looks again.
        let _told = tokio::time::timeout(wait, app.erasing.notified()).await;
    }
}

/// Erases what there is; says whether nothing is left.
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

/// Erases one role or group; says whether it could.
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
            // As much time for everybody else.
            Progress::More => tokio::time::sleep(batch.elapsed()).await,
            Progress::Busy => return Ok(false),
            Progress::Done => {
                let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                info!(app.log, "erased what a deletion had left"; "what" => ?what, "milliseconds" => took);
                return Ok(true);
            }
        }
    }
}

//! Periodic cleanup, on every replica. Deletes expired sessions, invitations, stored responses and counting windows;
//! ends expired suspensions, with an audit event each; derives the search columns of rows that an older server wrote.
//! The parts are independent: if one fails, an error in the log names it, and the others go on.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use rollcall_store::StoreResult;
use rollcall_store::audit::{self, NewEvent};
use rollcall_store::derived;
use rollcall_store::sweep::{self as store, BATCH, Expired};
use serde_json::json;
use slog::{error, warn};

use crate::context::{App, seconds};

/// Interval between two cleanups.
const INTERVAL: Duration = Duration::from_secs(600);

/// Maximum number of batches in one part, so that every other part has its turn: three million rows.
const BATCHES: usize = 3000;

/// Cleans up until the server ends.
pub async fn run_periodically(app: Arc<App>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let _logged = once(&app).await;
    }
}

/// Cleans up once; returns the parts that failed.
pub async fn once(app: &App) -> Vec<&'static str> {
    let mut failed = Vec::new();
    let mut done = |part: &'static str, result: StoreResult<()>| {
        if let Err(error) = result {
            error!(app.log, "a part of the cleanup failed; it is retried at the next one";
                "part" => part, "reason" => %error);
            failed.push(part);
        }
    };
    done("suspensions", all_suspensions(app).await);
    for what in Expired::ALL {
        done(what.table(), all_expired(app, what).await);
    }
    done("names", derive(app).await);
    failed
}

/// Deletes expired rows in batches. Between two batches the connection goes back to the pool.
async fn all_expired(app: &App, what: Expired) -> StoreResult<()> {
    let now = app.clock.now();
    let until = match what {
        Expired::Attempts => now - seconds(app.config.throttle.window_seconds),
        Expired::Sessions | Expired::IdempotencyKeys | Expired::Invitations => now,
    };
    let mut from = DateTime::UNIX_EPOCH;
    for _ in 0..BATCHES {
        let deleted = store::delete(&*app.store.own().await?, what, from, until, BATCH).await?;
        if deleted.count < BATCH {
            return Ok(());
        }
        from = deleted.youngest.unwrap_or(from);
    }
    warn!(app.log, "more rows have expired than one cleanup deletes; the next one continues"; "part" => what.table());
    Ok(())
}

/// Derives the search and sort columns of rows that an older server wrote.
async fn derive(app: &App) -> StoreResult<()> {
    for _ in 0..BATCHES {
        let transaction = app.store.begin().await?;
        let derived = derived::refresh(&transaction).await?;
        transaction.commit().await?;
        if derived == 0 {
            break;
        }
    }
    Ok(())
}

async fn all_suspensions(app: &App) -> StoreResult<()> {
    while end_suspensions(app).await? {}
    Ok(())
}

/// Ends one batch of expired suspensions; returns true if there may be more.
async fn end_suspensions(app: &App) -> StoreResult<bool> {
    let now = app.clock.now();
    let transaction = app.store.begin().await?;
    let ended = store::end_suspensions(&transaction, now).await?;
    for (user, until) in &ended {
        let event = NewEvent {
            id: app.new_id(),
            at: now,
            operation: "user_reactivate",
            actor_id: None,
            session_id: None,
            target_kind: Some("user"),
            target_id: Some(*user),
            result: "done",
            error_code: None,
            address: None,
            request_id: "sweeper".to_owned(),
            detail: json!({ "reason": "the suspension's end was reached", "until": until }),
        };
        audit::insert(&transaction, &event).await?;
    }
    transaction.commit().await?;
    Ok(!ended.is_empty())
}

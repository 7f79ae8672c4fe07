//! What time has ended is taken away, now and then and on every replica: sessions, invitations, kept answers, counting
//! windows; suspensions that ran out, which leaves an audit event each. Rows that an older server made beside this one get what
//! it doesn't derive. Each part for itself: where one fails, the log has an error that names it, and the others go on.

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

/// How often.
const EVERY: Duration = Duration::from_secs(600);

/// How many batches one part of a sweep may take, so that every other part has its turn: three million rows.
const BATCHES: usize = 3000;

/// Sweeps until the server ends.
pub async fn for_ever(app: Arc<App>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let _logged = once(&app).await;
    }
}

/// Sweeps once; gives the parts that failed.
pub async fn once(app: &App) -> Vec<&'static str> {
    let mut failed = Vec::new();
    let mut done = |part: &'static str, result: StoreResult<()>| {
        if let Err(error) = result {
            error!(app.log, "a part of the sweep failed; it is tried again at the next one";
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

/// Deletes what is over, in batches. Between two of them the connection goes back to the pool.
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
    warn!(app.log, "more has expired than one sweep takes away; the rest is left to the next"; "part" => what.table());
    Ok(())
}

/// Derives what lists are searched and ordered by, where an older server has made a row beside this one.
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

/// Ends some of the suspensions that ran out; says whether there may be more.
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

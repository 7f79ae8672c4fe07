//! What time has ended is taken away, now and then and on every replica: sessions, invitations, kept answers, counting
//! windows; suspensions that ran out, which leaves an audit event each.

use std::sync::Arc;
use std::time::Duration;

use rollcall_store::audit::{self, NewEvent};
use rollcall_store::{StoreResult, sweep as store};
use serde_json::json;
use slog::warn;

use crate::context::{App, seconds};

/// How often.
const EVERY: Duration = Duration::from_secs(600);

/// Sweeps until the server ends.
pub async fn for_ever(app: Arc<App>) {
    loop {
        tokio::time::sleep(EVERY).await;
        if let Err(error) = once(&app).await {
            warn!(app.log, "what has expired could not be taken away"; "reason" => %error);
        }
    }
}

/// Sweeps once.
pub async fn once(app: &App) -> StoreResult<()> {
    let now = app.clock.now();
    let stale = now - seconds(app.config.throttle.window_seconds);
    store::run(&*app.store.own().await?, now, stale).await?;
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

//! Takes away what time has ended: sessions, kept answers, counting windows. Safe to run on every replica.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::error::StoreResult;
use crate::schema::{attempts, idempotency_keys, invitations, sessions};

/// Deletes what is over; `stale_window` is the beginning of the oldest counting window that still matters.
pub async fn run(
    mut conn: &AsyncPgConnection,
    now: DateTime<Utc>,
    stale_window: DateTime<Utc>,
) -> StoreResult<usize> {
    let mut count =
        diesel::delete(sessions::table.filter(sessions::expires_at.le(now))).execute(&mut conn).await?;
    count += diesel::delete(idempotency_keys::table.filter(idempotency_keys::expires_at.le(now)))
        .execute(&mut conn)
        .await?;
    count += diesel::delete(attempts::table.filter(attempts::window_start.le(stale_window)))
        .execute(&mut conn)
        .await?;
    count +=
        diesel::delete(invitations::table.filter(invitations::expires_at.le(now))).execute(&mut conn).await?;
    Ok(count)
}

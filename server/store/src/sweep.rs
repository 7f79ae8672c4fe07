//! Takes away what time has ended: sessions, kept answers, counting windows, suspensions. Safe to run on every replica.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::{attempts, idempotency_keys, invitations, sessions, users};

/// How many suspensions are ended in one transaction: their rows stay locked until it ends.
const SUSPENSIONS: i64 = 100;

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

/// Ends suspensions that ran out, a number at a time; gives whose they were and until when. Rows that somebody else has
/// locked, perhaps the same sweep on another replica, are left for the next time.
pub async fn end_suspensions(
    mut conn: &AsyncPgConnection,
    now: DateTime<Utc>,
) -> StoreResult<Vec<(Uuid, DateTime<Utc>)>> {
    let over: Vec<(Uuid, DateTime<Utc>)> = users::table
        .filter(users::suspended.and(users::suspended_until.le(now)))
        .order(users::suspended_until)
        .limit(SUSPENSIONS)
        .select((users::id, users::suspended_until.assume_not_null()))
        .for_update()
        .skip_locked()
        .load(&mut conn)
        .await?;
    let whose: Vec<Uuid> = over.iter().map(|(user, _)| *user).collect();
    diesel::update(users::table.filter(users::id.eq_any(whose)))
        .set((
            users::suspended.eq(false),
            users::suspended_reason.eq(None::<String>),
            users::suspended_until.eq(None::<DateTime<Utc>>),
            users::updated_at.eq(now),
        ))
        .execute(&mut conn)
        .await?;
    Ok(over)
}

//! The table `attempts`: number of attempts in the current window. Each is counted in one statement before it
//! is checked, so that parallel attempts cannot exceed the limit.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Binary, Integer, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::cached::Cache;
use crate::error::StoreResult;
use crate::schema::attempts;

/// The current count, including this attempt.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Count {
    /// Start of the window.
    #[diesel(sql_type = Timestamptz)]
    pub window_start: DateTime<Utc>,
    /// Number of attempts in the window.
    #[diesel(sql_type = Integer)]
    pub count: i32,
}

/// Counts an attempt; a window that started at or before `stale` is restarted.
pub async fn count(
    mut conn: &AsyncPgConnection,
    key: &[u8],
    now: DateTime<Utc>,
    stale: DateTime<Utc>,
) -> StoreResult<Count> {
    const SQL: &str = "INSERT INTO attempts (key, window_start, count) VALUES ($1, $2, 1) \
        ON CONFLICT (key) DO UPDATE SET \
        window_start = CASE WHEN attempts.window_start <= $3 THEN $2 ELSE attempts.window_start END, \
        count = CASE WHEN attempts.window_start <= $3 THEN 1 ELSE least(attempts.count + 1, 1000000) END \
        RETURNING window_start, count";
    let query = diesel::sql_query(SQL)
        .bind::<Binary, _>(key)
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(stale);
    Ok(query.cached().get_result(&mut conn).await?)
}

/// Clears the attempts of a key after a success.
pub async fn reset(mut conn: &AsyncPgConnection, key: &[u8]) -> StoreResult<()> {
    diesel::delete(attempts::table.find(key)).execute(&mut conn).await?;
    Ok(())
}

/// Refunds one attempt of a key after a success.
pub async fn give_back(mut conn: &AsyncPgConnection, key: &[u8]) -> StoreResult<()> {
    diesel::update(attempts::table.find(key).filter(attempts::count.gt(0)))
        .set(attempts::count.eq(attempts::count - 1))
        .cached()
        .execute(&mut conn)
        .await?;
    Ok(())
}

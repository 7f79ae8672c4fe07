//! The table `server_keys`: random keys that all replicas share.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::error::StoreResult;
use crate::schema::server_keys;

/// The key for a purpose, created on first use.
pub async fn get_or_insert(
    mut conn: &AsyncPgConnection,
    purpose: &str,
    fresh: &[u8],
    now: DateTime<Utc>,
) -> StoreResult<Vec<u8>> {
    diesel::insert_into(server_keys::table)
        .values((
            server_keys::purpose.eq(purpose),
            server_keys::key.eq(fresh),
            server_keys::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(&mut conn)
        .await?;
    Ok(server_keys::table.find(purpose).select(server_keys::key).get_result(&mut conn).await?)
}

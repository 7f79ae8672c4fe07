//! The table `idempotency_keys`: answers to creating requests, kept for their retries.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::idempotency_keys;

diesel::define_sql_function! {
    /// Takes an advisory lock until the transaction ends; false where another has it.
    fn pg_try_advisory_xact_lock(key: BigInt) -> Bool;
}

/// An answer that was given.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys, check_for_backend(diesel::pg::Pg))]
pub struct KeptAnswer {
    pub caller: String,
    pub key: String,
    pub operation: String,
    pub request_hash: Vec<u8>,
    pub resource_id: Uuid,
    pub body: String,
    pub location: String,
    pub etag: String,
    pub expires_at: DateTime<Utc>,
}

/// Claims a key until the transaction ends; false where another request works on it.
pub async fn claim(mut conn: &AsyncPgConnection, lock: i64) -> StoreResult<bool> {
    Ok(diesel::select(pg_try_advisory_xact_lock(lock)).get_result(&mut conn).await?)
}

/// The answer that was given to a key.
pub async fn find(
    mut conn: &AsyncPgConnection,
    caller: &str,
    key: &str,
    now: DateTime<Utc>,
) -> StoreResult<Option<KeptAnswer>> {
    let query = idempotency_keys::table
        .find((caller, key))
        .filter(idempotency_keys::expires_at.gt(now))
        .select(KeptAnswer::as_select());
    Ok(query.get_result(&mut conn).await.optional()?)
}

/// Keeps an answer, in place of an expired one.
pub async fn keep(mut conn: &AsyncPgConnection, answer: &KeptAnswer) -> StoreResult<()> {
    diesel::delete(idempotency_keys::table.find((&answer.caller, &answer.key))).execute(&mut conn).await?;
    diesel::insert_into(idempotency_keys::table).values(answer).execute(&mut conn).await?;
    Ok(())
}

/// Forgets the answers that show a resource which is being erased.
pub async fn forget(mut conn: &AsyncPgConnection, resource: Uuid) -> StoreResult<()> {
    let target = idempotency_keys::table.filter(idempotency_keys::resource_id.eq(resource));
    diesel::delete(target).execute(&mut conn).await?;
    Ok(())
}

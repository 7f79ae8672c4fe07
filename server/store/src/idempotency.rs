//! The table `idempotency_keys`: responses to creating requests, stored for retries. Once the created
//! resource is deleted, its row stays without the response: the key remains used until it expires.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::idempotency_keys;

diesel::define_sql_function! {
    /// Tries to take an advisory lock for the rest of the transaction; false if another transaction holds it.
    fn pg_try_advisory_xact_lock(key: BigInt) -> Bool;
}

/// A stored response.
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

impl KeptAnswer {
    /// True if the response was removed.
    pub fn is_blank(&self) -> bool {
        self.body.is_empty()
    }
}

/// Claims a key for the rest of the transaction; false if another request holds it.
pub async fn claim(mut conn: &AsyncPgConnection, lock: i64) -> StoreResult<bool> {
    Ok(diesel::select(pg_try_advisory_xact_lock(lock)).get_result(&mut conn).await?)
}

/// The stored response for a key.
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

/// Stores a response in place of an expired one.
pub async fn keep(mut conn: &AsyncPgConnection, response: &KeptAnswer) -> StoreResult<()> {
    diesel::delete(idempotency_keys::table.find((&response.caller, &response.key)))
        .execute(&mut conn)
        .await?;
    diesel::insert_into(idempotency_keys::table).values(response).execute(&mut conn).await?;
    Ok(())
}

/// Blanks the responses that contain deleted resources. The rows stay, so that a retry creates nothing.
pub async fn forget(mut conn: &AsyncPgConnection, resources: &[Uuid]) -> StoreResult<()> {
    let target = idempotency_keys::table.filter(idempotency_keys::resource_id.eq_any(resources));
    diesel::update(target).set(Blank::default()).execute(&mut conn).await?;
    Ok(())
}

/// Blanks the response that contains a resource at this location.
pub async fn forget_at(mut conn: &AsyncPgConnection, resource: Uuid, location: &str) -> StoreResult<()> {
    let target = idempotency_keys::table
        .filter(idempotency_keys::resource_id.eq(resource))
        .filter(idempotency_keys::location.eq(location));
    diesel::update(target).set(Blank::default()).execute(&mut conn).await?;
    Ok(())
}

/// A row without its response. The hash of the request is cleared too: its contents could be guessed.
#[derive(AsChangeset, Default)]
#[diesel(table_name = idempotency_keys)]
pub(crate) struct Blank {
    body: &'static str,
    location: &'static str,
    etag: &'static str,
    request_hash: &'static [u8],
}

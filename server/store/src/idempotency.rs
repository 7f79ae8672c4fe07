//! The table `idempotency_keys`: answers to creating requests, kept for their retries. Once what a request created is gone,
//! its row stays without any of the answer: the key is used up until its time is over.

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

impl KeptAnswer {
    /// Says whether nothing of the answer is kept any more.
    pub fn is_blank(&self) -> bool {
        self.body.is_empty()
    }
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

/// Blanks the answers that show resources which are gone. The rows stay, so that a retry creates nothing anew.
pub async fn forget(mut conn: &AsyncPgConnection, resources: &[Uuid]) -> StoreResult<()> {
    let target = idempotency_keys::table.filter(idempotency_keys::resource_id.eq_any(resources));
    diesel::update(target).set(Blank::default()).execute(&mut conn).await?;
    Ok(())
}

/// Blanks the answer that shows a resource at this address.
pub async fn forget_at(mut conn: &AsyncPgConnection, resource: Uuid, location: &str) -> StoreResult<()> {
    let target = idempotency_keys::table
        .filter(idempotency_keys::resource_id.eq(resource))
        .filter(idempotency_keys::location.eq(location));
    diesel::update(target).set(Blank::default()).execute(&mut conn).await?;
    Ok(())
}

/// A row without its answer. The hash of the request goes, too: what was in it might be guessed.
#[derive(AsChangeset, Default)]
#[diesel(table_name = idempotency_keys)]
pub(crate) struct Blank {
    body: &'static str,
    location: &'static str,
    etag: &'static str,
    request_hash: &'static [u8],
}

//! The table `sessions`, and the view that resolves bearer tokens. Tokens are stored as SHA-256 hashes only.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::cached::Cache;
use crate::error::StoreResult;
use crate::schema::{credentials, sessions};
use crate::sorted::Sorted;

/// A bearer token's session, and its owner's state and global permissions.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = credentials, check_for_backend(diesel::pg::Pg))]
pub struct Credential {
    pub session_id: Uuid,
    pub user_id: Uuid,
    pub created_at: DateTime<Utc>,
    pub authenticated_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub address: Option<String>,
    pub user_agent: Option<String>,
    pub suspended: bool,
    pub suspended_until: Option<DateTime<Utc>>,
    #[diesel(deserialize_as = Sorted)]
    pub permissions: Vec<String>,
}

/// Looks up a token by its hash.
pub async fn credential(mut conn: &AsyncPgConnection, token_hash: &[u8]) -> StoreResult<Option<Credential>> {
    let query =
        credentials::table.filter(credentials::token_hash.eq(token_hash)).select(Credential::as_select());
    Ok(query.get_result(&mut conn).await.optional()?)
}

/// A session.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = sessions, check_for_backend(diesel::pg::Pg))]
pub struct SessionRow {
    pub id: Uuid,
    pub user_id: Uuid,
    pub created_at: DateTime<Utc>,
    pub authenticated_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

/// A session to insert.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub struct NewSession {
    pub id: Uuid,
    pub user_id: Uuid,
    pub token_hash: Vec<u8>,
    pub created_at: DateTime<Utc>,
    pub authenticated_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

/// Inserts a session and deletes the user's oldest ones beyond the limit. The caller has locked the user's
/// row.
pub async fn insert(
    mut conn: &AsyncPgConnection,
    session: &NewSession,
    keep: i64,
) -> StoreResult<SessionRow> {
    let row = diesel::insert_into(sessions::table)
        .values(session)
        .returning(SessionRow::as_returning())
        .get_result(&mut conn)
        .await?;
    let surplus: Vec<Uuid> = sessions::table
        .filter(sessions::user_id.eq(session.user_id))
        .order(sessions::id.desc())
        .offset(keep)
        .select(sessions::id)
        .load(&mut conn)
        .await?;
    if !surplus.is_empty() {
        diesel::delete(sessions::table.filter(sessions::id.eq_any(surplus))).execute(&mut conn).await?;
    }
    Ok(row)
}

/// Replaces a session's token after its user reauthenticated; the old token becomes invalid.
pub async fn renew(
    mut conn: &AsyncPgConnection,
    id: Uuid,
    token_hash: &[u8],
    now: DateTime<Utc>,
) -> StoreResult<Option<SessionRow>> {
    let changes = (
        sessions::token_hash.eq(token_hash),
        sessions::authenticated_at.eq(now),
        sessions::last_used_at.eq(now),
    );
    let query = diesel::update(sessions::table.filter(sessions::id.eq(id))).set(changes);
    Ok(query.returning(SessionRow::as_returning()).cached().get_result(&mut conn).await.optional()?)
}

/// Records that a session was used.
pub async fn touch(mut conn: &AsyncPgConnection, id: Uuid, now: DateTime<Utc>) -> StoreResult<()> {
    let target = sessions::table.filter(sessions::id.eq(id)).filter(sessions::last_used_at.lt(now));
    diesel::update(target).set(sessions::last_used_at.eq(now)).cached().execute(&mut conn).await?;
    Ok(())
}

/// A user's live sessions before an id, newest first.
pub async fn list(
    mut conn: &AsyncPgConnection,
    user: Uuid,
    before: Option<Uuid>,
    limit: i64,
    now: DateTime<Utc>,
    used_after: DateTime<Utc>,
) -> StoreResult<Vec<SessionRow>> {
    let query = sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::last_used_at.gt(used_after))
        .order(sessions::id.desc())
        .limit(limit)
        .select(SessionRow::as_select());
    Ok(match before {
        Some(before) => query.filter(sessions::id.lt(before)).load(&mut conn).await?,
        None => query.load(&mut conn).await?,
    })
}

/// Deletes a session of a user; returns true if it existed.
pub async fn delete(mut conn: &AsyncPgConnection, user: Uuid, id: Uuid) -> StoreResult<bool> {
    let target = sessions::table.filter(sessions::user_id.eq(user)).filter(sessions::id.eq(id));
    Ok(diesel::delete(target).execute(&mut conn).await? > 0)
}

/// Deletes all sessions of a user, except for `but`; returns their number.
pub async fn delete_all(mut conn: &AsyncPgConnection, user: Uuid, but: Option<Uuid>) -> StoreResult<usize> {
    let target = sessions::table.filter(sessions::user_id.eq(user));
    Ok(match but {
        Some(but) => diesel::delete(target.filter(sessions::id.ne(but))).execute(&mut conn).await?,
        None => diesel::delete(target).execute(&mut conn).await?,
    })
}

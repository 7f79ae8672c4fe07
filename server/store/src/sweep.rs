//! Deletion of expired rows: sessions, stored responses, counting windows, invitations; and the end of
//! suspensions. Each batch is a short transaction of its own and safe to run on every replica: rows locked by
//! another transaction, perhaps the same sweep on another replica, are skipped.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::users;

/// Number of rows deleted in one transaction: about ten milliseconds of work.
pub const BATCH: i64 = 1000;

/// Number of suspensions ended in one transaction: their rows stay locked until it ends.
const SUSPENSIONS: i64 = 100;

/// A kind of row that is deleted after it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// Sessions at the end of their lifetime.
    Sessions,
    /// Stored responses to creating requests.
    IdempotencyKeys,
    /// Invitations that were not accepted in time.
    Invitations,
    /// Attempt counters whose window has passed.
    Attempts,
}

impl Expired {
    /// All of it.
    pub const ALL: [Self; 4] = [Self::Sessions, Self::IdempotencyKeys, Self::Invitations, Self::Attempts];

    /// Name of the table.
    pub fn table(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::IdempotencyKeys => "idempotency_keys",
            Self::Invitations => "invitations",
            Self::Attempts => "attempts",
        }
    }

    /// The column with the expiry time. Each has an index.
    fn column(self) -> &'static str {
        match self {
            Self::Sessions | Self::IdempotencyKeys | Self::Invitations => "expires_at",
            Self::Attempts => "window_start",
        }
    }
}

/// Result of a batch.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Deleted {
    /// Number of deleted rows.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    /// The latest expiry time among the deleted rows.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub youngest: Option<DateTime<Utc>>,
}

/// Deletes a batch of the rows that expired at or after `from` and at or before `until`, oldest first. The
/// next batch starts where this one ended, so that it does not walk past the rows deleted by this one: they
/// stay in the index until the database vacuums it.
pub async fn delete(
    mut conn: &AsyncPgConnection,
    what: Expired,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: i64,
) -> StoreResult<Deleted> {
    let (table, column) = (what.table(), what.column());
    // The stored response to a request that sent an invitation contains its recipient.
    let (id, blanked) = match what {
        Expired::Invitations => (
            ", id",
            ", blanked AS (UPDATE idempotency_keys SET body = '', location = '', etag = '', request_hash = '' \
              WHERE resource_id IN (SELECT id FROM gone))",
        ),
        _ => ("", ""),
    };
    // Selected by `ctid`, which is stable while the rows are locked: one statement serves every table,
    // whatever its primary key.
    let sql = format!(
        "WITH gone AS (\
            DELETE FROM {table} WHERE ctid = ANY(ARRAY(\
                SELECT ctid FROM {table} WHERE {column} BETWEEN $1 AND $2 ORDER BY {column} LIMIT $3 \
                FOR UPDATE SKIP LOCKED)) \
            RETURNING {column} AS at{id}){blanked} \
         SELECT count(*) AS count, max(at) AS youngest FROM gone"
    );
    let query = diesel::sql_query(sql)
        .bind::<Timestamptz, _>(from)
        .bind::<Timestamptz, _>(until)
        .bind::<BigInt, _>(limit);
    Ok(query.get_result(&mut conn).await?)
}

/// Ends a batch of expired suspensions; returns the users and the times until which they were suspended.
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

//! Takes away what time has ended: sessions, kept answers, counting windows, invitations, suspensions. A batch at a time,
//! each in a short transaction of its own, and safe to run on every replica: rows that somebody else has locked, perhaps
//! the same sweep on another replica, are left to them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::users;

/// How many rows are deleted in one transaction: some ten milliseconds' work.
pub const BATCH: i64 = 1000;

/// How many suspensions are ended in one transaction: their rows stay locked until it ends.
const SUSPENSIONS: i64 = 100;

/// What is deleted once it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// Sessions at the end of their lifetime.
    Sessions,
    /// Kept answers to creating requests.
    IdempotencyKeys,
    /// Invitations that nobody accepted in time.
    Invitations,
    /// Counts of attempts whose window has passed.
    Attempts,
}

impl Expired {
    /// All of it.
    pub const ALL: [Self; 4] = [Self::Sessions, Self::IdempotencyKeys, Self::Invitations, Self::Attempts];

    /// The name of its table.
    pub fn table(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::IdempotencyKeys => "idempotency_keys",
            Self::Invitations => "invitations",
            Self::Attempts => "attempts",
        }
    }

    /// The column of the time that ends it. Each has an index.
    fn column(self) -> &'static str {
        match self {
            Self::Sessions | Self::IdempotencyKeys | Self::Invitations => "expires_at",
            Self::Attempts => "window_start",
        }
    }
}

/// What a batch has deleted.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Deleted {
    /// How many rows.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    /// The time of the youngest.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub youngest: Option<DateTime<Utc>>,
}

/// Deletes a batch of the rows whose time is not before `from` and not after `until`, the oldest first. The next batch
/// begins where this one ended, so that it doesn't walk past what this one deleted: until the database has cleaned that up
/// it stays in the index.
pub async fn delete(
    mut conn: &AsyncPgConnection,
    what: Expired,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    limit: i64,
) -> StoreResult<Deleted> {
    let (table, column) = (what.table(), what.column());
    // The kept answer to a request that sent an invitation shows to whom.
    let (id, blanked) = match what {
        Expired::Invitations => (
            ", id",
            ", blanked AS (UPDATE idempotency_keys SET body = '', location = '', etag = '', request_hash = '' \
              WHERE resource_id IN (SELECT id FROM gone))",
        ),
        _ => ("", ""),
    };
    // By their places, which locked rows keep: one statement for every table, whatever its key is.
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

/// Ends suspensions that ran out, a number at a time; gives whose they were and until when.
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

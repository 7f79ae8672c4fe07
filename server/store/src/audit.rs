//! The table `audit_events`: append-only, enforced by the database.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::audit_events;

// The event that the page before ended with.
diesel::alias!(
    const LAST: Alias<Last> = audit_events as last;
);

/// An event to record. `detail` names what changed, never a secret.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = audit_events)]
pub struct NewEvent {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub operation: &'static str,
    pub actor_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    pub target_kind: Option<&'static str>,
    pub target_id: Option<Uuid>,
    pub result: &'static str,
    pub error_code: Option<String>,
    pub address: Option<String>,
    pub request_id: String,
    pub detail: Value,
}

/// Records an event.
pub async fn insert(mut conn: &AsyncPgConnection, event: &NewEvent) -> StoreResult<()> {
    diesel::insert_into(audit_events::table).values(event).execute(&mut conn).await?;
    Ok(())
}

/// An event that was recorded.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = audit_events, check_for_backend(diesel::pg::Pg))]
pub struct EventRow {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub operation: String,
    pub actor_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    pub target_kind: Option<String>,
    pub target_id: Option<Uuid>,
    pub result: String,
    pub error_code: Option<String>,
    pub address: Option<String>,
    pub request_id: String,
    pub detail: Value,
}

/// Which events a list shows.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only events of this user's calls, or about this user.
    pub concerning: Option<Uuid>,
    pub actor: Option<Uuid>,
    pub target: Option<Uuid>,
    pub operation: Option<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

/// Events before the one with an id, newest first.
pub async fn list(
    conn: &AsyncPgConnection,
    filter: EventFilter,
    before: Option<Uuid>,
    limit: i64,
) -> StoreResult<Vec<EventRow>> {
    let Some(user) = filter.concerning else { return narrowed(conn, &filter, None, before, limit).await };
    // Two statements at once, each in the order of its index. One with OR would sort all of the user's events, or walk
    // past everybody else's.
    let (mut rows, about) = futures::try_join!(
        narrowed(conn, &filter, Some(Part::Actor(user)), before, limit),
        narrowed(conn, &filter, Some(Part::Target(user)), before, limit),
    )?;
    rows.extend(about);
    rows.sort_unstable_by_key(|row| Reverse((row.at, row.id)));
    rows.dedup_by_key(|row| row.id);
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows)
}

/// What a user is in an event.
#[derive(Clone, Copy, Debug)]
enum Part {
    Actor(Uuid),
    Target(Uuid),
}

async fn narrowed(
    mut conn: &AsyncPgConnection,
    filter: &EventFilter,
    part: Option<Part>,
    before: Option<Uuid>,
    limit: i64,
) -> StoreResult<Vec<EventRow>> {
    let mut query = audit_events::table
        .order((audit_events::at.desc(), audit_events::id.desc()))
        .limit(limit)
        .select(EventRow::as_select())
        .into_boxed();
    if let Some(before) = before {
        // Twice, so that the first condition can bound the walk of an index; the second is about events of one moment.
        let time =
            || LAST.filter(LAST.field(audit_events::id).eq(before)).select(LAST.field(audit_events::at));
        query = query
            .filter(audit_events::at.nullable().le(time().single_value()))
            .filter(audit_events::at.nullable().lt(time().single_value()).or(audit_events::id.lt(before)));
    }
    match part {
        Some(Part::Actor(user)) => query = query.filter(audit_events::actor_id.eq(user)),
        Some(Part::Target(user)) => query = query.filter(audit_events::target_id.eq(user)),
        None => {}
    }
    if let Some(actor) = filter.actor {
        query = query.filter(audit_events::actor_id.eq(actor));
    }
    if let Some(target) = filter.target {
        query = query.filter(audit_events::target_id.eq(target));
    }
    if let Some(operation) = &filter.operation {
        query = query.filter(audit_events::operation.eq(operation));
    }
    if let Some(since) = filter.since {
        query = query.filter(audit_events::at.ge(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit_events::at.lt(until));
    }
    Ok(query.load(&mut conn).await?)
}

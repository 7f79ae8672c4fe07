//! The table `audit_events`: append-only, enforced by the database.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_query::Direction;
use rollcall_query::fields::AuditEventField;
use serde_json::Value;
use uuid::Uuid;

use crate::error::StoreResult;
use crate::find::{self, Find, Position, Rows, Total};
use crate::schema::audit_events;

/// An event to record. `detail` names the changed fields and never holds a secret.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
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

/// Inserts an event.
pub async fn insert(mut conn: &AsyncPgConnection, event: &NewEvent) -> StoreResult<()> {
    diesel::insert_into(audit_events::table).values(event).execute(&mut conn).await?;
    Ok(())
}

/// A recorded event.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = audit_events, check_for_backend(Pg))]
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

/// Restrictions on the events of a list, applied beside the caller's own filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only events of this user's requests, or about this user.
    pub concerning: Option<Uuid>,
    pub actor: Option<Uuid>,
    pub target: Option<Uuid>,
    pub operation: Option<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

/// Events that match `filter` and the caller's query, up to the page's limit.
pub async fn list(
    conn: &AsyncPgConnection,
    filter: &EventFilter,
    find: &Find<AuditEventField>,
    limit: i64,
) -> StoreResult<Vec<(EventRow, Position)>> {
    let Some(user) = filter.concerning else { return part(conn, filter, None, find, limit).await };
    // Two statements at once, each in the order of its index. One statement with OR would sort all of the
    // user's events or scan past those of every other user.
    let (mut rows, about) = futures::try_join!(
        part(conn, filter, Some(Part::Actor(user)), find, limit),
        part(conn, filter, Some(Part::Target(user)), find, limit),
    )?;
    rows.extend(about);
    rows.sort_unstable_by_key(|(row, _)| (row.at, row.id));
    rows.dedup_by_key(|(row, _)| row.id);
    if find.sort.iter().all(|key| key.direction == Direction::Descending) {
        rows.reverse();
    }
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows)
}

/// Number of matching events.
pub async fn count(
    mut conn: &AsyncPgConnection,
    filter: &EventFilter,
    find: &Find<AuditEventField>,
    how: Total,
) -> StoreResult<i64> {
    let mut query = base_query(filter).filter(find.condition());
    if let Some(user) = filter.concerning {
        query = query.filter(audit_events::actor_id.eq(user).or(audit_events::target_id.eq(user)));
    }
    match how {
        Total::Exact => Ok(query.count().get_result(&mut conn).await?),
        Total::Estimate => find::estimate(conn, query.select(audit_events::id)).await,
    }
}

/// The user's role in an event: its actor or its target.
#[derive(Clone, Copy, Debug)]
enum Part {
    Actor(Uuid),
    Target(Uuid),
}

async fn part(
    mut conn: &AsyncPgConnection,
    filter: &EventFilter,
    part: Option<Part>,
    find: &Find<AuditEventField>,
    limit: i64,
) -> StoreResult<Vec<(EventRow, Position)>> {
    let mut rows = Rows::new(limit);
    for phase in find.phases()? {
        let mut query = base_query(filter).filter(phase.condition).order(phase.order).limit(rows.wanted());
        match part {
            Some(Part::Actor(user)) => query = query.filter(audit_events::actor_id.eq(user)),
            Some(Part::Target(user)) => query = query.filter(audit_events::target_id.eq(user)),
            None => {}
        }
        let query = query.select((EventRow::as_select(), phase.keys));
        rows.add(query.load(&mut conn).await?, |row: &EventRow| row.id);
    }
    Ok(rows.all())
}

fn base_query(filter: &EventFilter) -> audit_events::BoxedQuery<'static, Pg> {
    let mut query = audit_events::table.into_boxed();
    if let Some(actor) = filter.actor {
        query = query.filter(audit_events::actor_id.eq(actor));
    }
    if let Some(target) = filter.target {
        query = query.filter(audit_events::target_id.eq(target));
    }
    if let Some(operation) = &filter.operation {
        query = query.filter(audit_events::operation.eq(operation.clone()));
    }
    if let Some(since) = filter.since {
        query = query.filter(audit_events::at.ge(since));
    }
    if let Some(until) = filter.until {
        query = query.filter(audit_events::at.lt(until));
    }
    query
}

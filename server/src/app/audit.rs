//! The audit trail.

use std::sync::Arc;

use rollcall_api::access::Permission;
use rollcall_api::error;
use rollcall_api::extract::Bearer;
use rollcall_api::reply::Ok200;
use rollcall_api::types::{AuditEventListQuery, AuditEventPage, ListQuery, RoleName, UserRef};
use rollcall_policy::Resource;
use rollcall_query::fields::AuditEventField;
use rollcall_query::{Direction, Sight, SortKey};
use rollcall_store::audit::{self, EventFilter};
use rollcall_store::find::Total;
use rollcall_store::users::{self, UserKey};
use serde_json::json;
use uuid::Uuid;

use crate::error::{AppResult, reject};
use crate::listing::Finding;
use crate::operation::{Caller, Operation};
use crate::views;

/// Lists audit events.
pub async fn audit_event_list(
    op: Arc<Operation>,
    credential: Bearer,
    query: AuditEventListQuery,
) -> AppResult<Ok200<AuditEventPage>> {
    let (caller, ()) = op.authenticate(&credential).await?.authorize(|_, ()| Resource::Directory)?;
    let all = caller.actor.holds(Permission::AuditRead);
    let filter = EventFilter {
        concerning: (!all).then_some(caller.id()),
        actor: named(&op, &caller, query.actor, "actor").await?,
        target: named(&op, &caller, query.target, "target").await?,
        operation: query.operation.map(RoleName::into_string),
        since: query.since.map(|time| time.0),
        until: query.until.map(|time| time.0),
    };
    let EventFilter { concerning, actor, target, operation, since, until } = &filter;
    let narrowed = json!([concerning, actor, target, operation, since, until]).to_string();
    let asked = EventFilter { concerning: None, ..filter.clone() } != EventFilter::default();
    let wanted = ListQuery {
        q: query.q,
        filter: query.filter,
        sort: query.sort,
        total: query.total,
        limit: query.limit,
        page_token: query.page_token,
    };
    let newest_first = vec![SortKey { field: AuditEventField::At, direction: Direction::Descending }];
    // Callers see address and session of their own events only; filters would reveal those of others.
    let sight = if all { Sight::Whole } else { Sight::Card };
    let finding = Finding::read(&op, &wanted, sight, &[&narrowed], newest_first)?.narrowed(asked);
    let (wanted, narrowing) = (&finding, &filter);
    let fetched = finding.fetch(&op, |conn| async move {
        let rows = audit::list(&conn, narrowing, &wanted.find, wanted.rows()).await?;
        // An estimate would count everybody's events.
        let how = |asked| if all { asked } else { Total::Exact };
        let count = |asked| audit::count(&conn, narrowing, &wanted.find, how(asked));
        Ok((rows, wanted.counted(count).await?))
    });
    let (rows, total) = fetched.await?;
    Ok(Ok200::new(finding.page(rows, total, |row| views::event(row, caller.id(), all))))
}

/// The id that a parameter names. A UUID is taken without a lookup: events outlive their targets.
async fn named(
    op: &Operation,
    caller: &Caller,
    user: Option<UserRef>,
    parameter: &str,
) -> AppResult<Option<Uuid>> {
    let name = match user {
        None => return Ok(None),
        Some(UserRef::Me) => return Ok(Some(caller.id())),
        Some(UserRef::Id(id)) => return Ok(Some(id.uuid())),
        Some(UserRef::Name(key)) => key,
    };
    let key = &name;
    match op.reading(|conn| async move { Ok(users::find(&conn, UserKey::Name(key)).await?) }).await? {
        Some(record) => Ok(Some(record.id)),
        None => reject(
            error::NOT_FOUND,
            format!("{parameter}: there is no user @{}; name deleted users by their id", name.folded),
        ),
    }
}

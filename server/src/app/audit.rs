//! The audit trail.

use std::sync::Arc;

use rollcall_api::access::Permission;
use rollcall_api::extract::Bearer;
use rollcall_api::reply::Ok200;
use rollcall_api::types::{AuditEventListQuery, AuditEventPage, ListQuery, RoleName, UserId};
use rollcall_policy::Resource;
use rollcall_query::fields::AuditEventField;
use rollcall_query::{Direction, Sight, SortKey};
use rollcall_store::audit::{self, EventFilter};
use rollcall_store::find::Total;

use crate::app::finding::{Finding, searched};
use crate::app::views;
use crate::error::AppResult;
use crate::operation::Operation;

/// List audit events.
pub async fn audit_event_list(
    op: Arc<Operation>,
    credential: Bearer,
    query: AuditEventListQuery,
) -> AppResult<Ok200<AuditEventPage>> {
    let (caller, ()) = op.authenticate(&credential).await?.authorize(|_, ()| Resource::Directory)?;
    let all = caller.actor.holds(Permission::AuditRead);
    let filter = EventFilter {
        concerning: (!all).then_some(caller.id()),
        actor: query.actor.map(UserId::uuid),
        target: query.target,
        operation: query.operation.map(RoleName::into_string),
        since: query.since,
        until: query.until,
    };
    let narrowed = format!("{filter:?}");
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
    // Address and session are shown of one's own calls only: by filters they could be found out of others', too.
    let sight = if all { Sight::Whole } else { Sight::Card };
    let finding = Finding::read(&op, &wanted, sight, &[&narrowed], newest_first)?.narrowed(asked);
    let connection = finding.connect(&op).await?;
    let rows = searched(audit::list(&connection, &filter, &finding.find, finding.rows()).await)?;
    let total = match finding.total {
        Some(how) => {
            // An estimate is made of everybody's events.
            let how = if all { how } else { Total::Exact };
            Some(searched(audit::count(&connection, &filter, &finding.find, how).await)?)
        }
        None => None,
    };
    Ok(Ok200::new(finding.page(rows, total, |row| views::event(row, caller.id(), all))))
}

//! The audit trail.

use std::sync::Arc;

use rollcall_api::access::Permission;
use rollcall_api::extract::Bearer;
use rollcall_api::reply::Ok200;
use rollcall_api::types::{AuditEventListQuery, AuditEventPage, PageQuery, RoleName, UserId};
use rollcall_policy::Resource;
use rollcall_store::audit::{self, EventFilter};

use crate::app::paging::Paging;
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
    let page = PageQuery { limit: query.limit, page_token: query.page_token };
    let paging = Paging::open(&op, &page, &[&narrowed])?;
    let connection = op.app.store.read().await?;
    let rows = audit::list(&connection, filter, paging.after, paging.rows()).await?;
    Ok(Ok200::new(paging.page(rows, |row| row.id, |row| views::event(row, all))))
}

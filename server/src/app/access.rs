//! Answers for applications: may this user do this, and why.

use std::sync::Arc;

use rollcall_api::access::Permission;
use rollcall_api::error;
use rollcall_api::extract::Bearer;
use rollcall_api::reply::Ok200;
use rollcall_api::types::{
    AccessCheck, AccessDecision, EffectivePermission, EffectivePermissions, GroupRef, PermissionListQuery,
    RoleScope, UserRef,
};
use rollcall_store::groups::{self, GroupRow};
use rollcall_store::{Conn, StoreError, grants};
use uuid::Uuid;

use crate::app::users::about;
use crate::app::views::is_suspended;
use crate::error::{AppResult, not_found, refuse};
use crate::operation::{Caller, Fetch, Operation};
use crate::secrets::token::TokenHash;

/// A group that may be left out.
struct Maybe(Option<GroupRef>);

impl Fetch for Maybe {
    type Found = Option<Option<GroupRow>>;

    async fn fetch(&self, conn: &Conn, hash: &TokenHash) -> Result<Self::Found, StoreError> {
        match &self.0 {
            Some(group) => group.fetch(conn, hash).await.map(Some),
            None => Ok(None),
        }
    }
}

/// May this user do this?
pub async fn access_check(
    op: Arc<Operation>,
    credential: Bearer,
    body: AccessCheck,
) -> AppResult<Ok200<AccessDecision>> {
    let what = (body.user.unwrap_or(UserRef::Me), Maybe(body.group));
    let fetched = op.read(&credential, &what).await?;
    let (caller, (record, group)) = fetched.authorize(|_, (record, _)| about(record))?;
    let Some(record) = record else {
        return refuse(error::NOT_FOUND, "user: there is no such user, or none that you may see");
    };
    let group = seen(&op, &caller, record.id, group).await?;
    let permission = body.permission.as_str();
    if is_suspended(record.suspended, record.suspended_until, op.now()) {
        return Ok(Ok200::new(denied("the user is suspended")));
    }
    let connection = op.app.store.read().await?;
    let decision = match grants::why(&connection, record.id, permission, group).await? {
        Some(grant) => {
            let place = if grant.group_id.is_some() { "group" } else { "global" };
            AccessDecision {
                allowed: true,
                reason: format!("the {place} role {} gives {permission}", grant.role),
                role: Some(grant.role),
                scope: Some(RoleScope(place.to_owned())),
            }
        }
        None => denied(&format!("no role of the user gives {permission} here")),
    };
    Ok(Ok200::new(decision))
}

fn denied(reason: &str) -> AccessDecision {
    AccessDecision { allowed: false, reason: reason.to_owned(), role: None, scope: None }
}

/// The group that was named, if one was, and only where the caller may know of it: through `groups:read`, as a member,
/// or because the user whom it is about is one.
async fn seen(
    op: &Operation,
    caller: &Caller,
    user: Uuid,
    group: Option<Option<GroupRow>>,
) -> AppResult<Option<Uuid>> {
    let Some(named) = group else { return Ok(None) };
    if let Some(group) = named {
        let connection = op.app.store.read().await?;
        if caller.actor.holds(Permission::GroupsRead)
            || groups::is_member(&connection, group.id, user).await?
            || groups::is_member(&connection, group.id, caller.id()).await?
        {
            return Ok(Some(group.id));
        }
    }
    refuse(error::NOT_FOUND, "group: there is no such group, or none that you may see")
}

/// List what a user may do.
pub async fn user_permission_list(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    query: PermissionListQuery,
) -> AppResult<Ok200<EffectivePermissions>> {
    let what = (user, Maybe(query.group));
    let (caller, (record, group)) =
        op.read(&credential, &what).await?.authorize(|_, (record, _)| about(record))?;
    let Some(record) = record else { return not_found() };
    let group = seen(&op, &caller, record.id, group).await?;
    if is_suspended(record.suspended, record.suspended_until, op.now()) {
        return Ok(Ok200::new(EffectivePermissions { permissions: Vec::new() }));
    }
    let rows = grants::of_user(&*op.app.store.read().await?, record.id, group).await?;
    let permissions = rows
        .into_iter()
        .map(|grant| EffectivePermission {
            permission: grant.permission,
            role: grant.role,
            scope: RoleScope(if grant.group_id.is_some() { "group" } else { "global" }.to_owned()),
        })
        .collect();
    Ok(Ok200::new(EffectivePermissions { permissions }))
}

//! The global roles of a user.

use std::sync::Arc;

use rollcall_api::error;
use rollcall_api::extract::Bearer;
use rollcall_api::reply::{NoContent, Ok200};
use rollcall_api::types::{
    List, ListQuery, RolePage, RoleRef, UserRef, UserRolePath, UserRoles, UserRolesChanged,
};
use rollcall_query::Sight;
use rollcall_store::roles::{self, RoleRecord};
use rollcall_store::seed::ADMINISTRATOR;
use rollcall_store::users::UserRecord;
use serde_json::json;

use crate::app::roles::find;
use crate::app::users::{about, ensure_other_administrator, lock_user};
use crate::error::{AppResult, not_found, reject};
use crate::granting::ensure_everywhere;
use crate::listing::Finding;
use crate::operation::{Change, Operation, Target};
use crate::views;

/// Lists a user's roles.
pub async fn user_role_list(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    query: ListQuery,
) -> AppResult<Ok200<RolePage>> {
    let (_, UserRecord { id, .. }) =
        op.read(&credential, &user).await?.found()?.authorize(|_, record| about(record))?;
    let finding = Finding::read(&op, &query, Sight::Whole, &[&id.to_string()], Vec::new())?;
    let wanted = &finding;
    let fetched = finding.fetch(&op, |conn| async move {
        let rows = roles::list(&conn, Some(id), &wanted.find, wanted.rows()).await?;
        Ok((rows, wanted.counted(|how| roles::count(&conn, Some(id), &wanted.find, how)).await?))
    });
    let (rows, total) = fetched.await?;
    Ok(Ok200::new(finding.page(rows, total, views::role)))
}

/// Grants roles to a user.
pub async fn user_role_add(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    body: UserRoles,
) -> AppResult<Ok200<UserRolesChanged>> {
    let mut change = op.begin(&credential).await?;
    let record = lock_user(&mut change, &user).await?;
    let wanted = resolve_roles(&change, body.roles).await?;
    let added: Vec<&RoleRecord> = wanted.iter().filter(|role| !record.roles.contains(&role.name)).collect();
    let mut names: Vec<String> = record.roles.clone();
    names.extend(added.iter().map(|role| role.name.clone()));
    change_roles(&op, change, &record, &added, &[], names).await
}

/// Replaces a user's roles.
pub async fn user_role_replace(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    body: UserRoles,
) -> AppResult<Ok200<UserRolesChanged>> {
    let mut change = op.begin(&credential).await?;
    let record = lock_user(&mut change, &user).await?;
    let wanted = resolve_roles(&change, body.roles).await?;
    let added: Vec<&RoleRecord> = wanted.iter().filter(|role| !record.roles.contains(&role.name)).collect();
    let mut removed = Vec::new();
    for name in record.roles.iter().filter(|name| !wanted.iter().any(|role| role.name == **name)) {
        removed.push(find(change.conn(), &RoleRef::Name(name.clone()), "roles").await?);
    }
    let names = wanted.iter().map(|role| role.name.clone()).collect();
    change_roles(&op, change, &record, &added, &removed, names).await
}

/// Revokes a role of a user.
pub async fn user_role_remove(
    op: Arc<Operation>,
    credential: Bearer,
    path: UserRolePath,
) -> AppResult<NoContent> {
    let mut change = op.begin(&credential).await?;
    let record = lock_user(&mut change, &path.user).await?;
    let role = find(change.conn(), &path.role, "role").await?;
    if !record.roles.contains(&role.name) {
        return not_found();
    }
    let names = record.roles.iter().filter(|name| **name != role.name).cloned().collect();
    change_roles(&op, change, &record, &[], &[role], names).await?;
    Ok(NoContent::done())
}

/// The roles that a body names, without duplicates; rejects roles that users can't hold.
async fn resolve_roles(change: &Change, list: List<RoleRef>) -> AppResult<Vec<RoleRecord>> {
    let mut found: Vec<RoleRecord> = Vec::new();
    for role in list.0 {
        let record = find(change.conn(), &role, "roles").await?;
        if record.scope != "global" || record.kind != "user" {
            let message = format!(
                "roles: {role} is for {} and type {}, users hold global roles of type user",
                record.scope, record.kind
            );
            return reject(error::WRONG_ROLE_TYPE, message);
        }
        if found.iter().all(|other| other.id != record.id) {
            found.push(record);
        }
    }
    Ok(found)
}

/// Adds and removes roles, if the caller holds their permissions.
async fn change_roles(
    op: &Operation,
    change: Change,
    record: &UserRecord,
    added: &[&RoleRecord],
    removed: &[RoleRecord],
    mut names: Vec<String>,
) -> AppResult<Ok200<UserRolesChanged>> {
    let actor = &change.caller()?.actor;
    for role in added.iter().copied().chain(removed) {
        ensure_everywhere(actor, role, "roles")?;
    }
    if removed.iter().any(|role| role.id == ADMINISTRATOR) {
        ensure_other_administrator(op, &change, record).await?;
    }
    let now = op.now();
    for role in added {
        roles::grant(change.conn(), record.id, role.id, now).await?;
    }
    for role in removed {
        roles::revoke(change.conn(), record.id, role.id).await?;
    }
    names.sort();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let changed = UserRolesChanged {
        roles: names,
        added: sorted(added.iter().map(|role| role.name.clone()).collect()),
        removed: sorted(removed.iter().map(|role| role.name.clone()).collect()),
    };
    let detail = json!({ "added": changed.added, "removed": changed.removed });
    change.commit(Target::User(record.id), detail).await?;
    Ok(Ok200::new(changed))
}

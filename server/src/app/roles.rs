//! Roles: named sets of permissions.

use std::sync::Arc;

use rollcall_api::access::Permission;
use rollcall_api::error;
use rollcall_api::extract::{Bearer, IdempotencyKey, IfMatch, IfNoneMatch, JsonBody};
use rollcall_api::reply::{Created, NoContent, Ok200};
use rollcall_api::types::{
    Description, List, ListQuery, Nullable, PermissionName, Role, RoleCreate, RoleDeleteQuery, RoleName,
    RolePage, RoleRef, RoleScopeInput, RoleTypeInput, RoleUpdate,
};
use rollcall_policy::Resource;
use rollcall_query::Sight;
use rollcall_store::erase::{Deleted, Erasure, Progress};
use rollcall_store::roles::{self, NewRole, RoleChanges, RoleKey, RoleRecord};
use rollcall_store::{Conn, idempotency};
use serde_json::json;

use crate::conditions::{Representation, check_if_match};
use crate::error::{AppResult, Error, not_found, reject};
use crate::granting::{ensure_default, ensure_definition};
use crate::idempotency::{Attempt, Made};
use crate::listing::Finding;
use crate::operation::{Change, Operation, Target};
use crate::views;

/// Maximum number of a role's holders that are counted.
const COUNTED: i64 = 1000;

/// The role that a body or a parameter names; fails with a 404 that names an unknown role.
pub async fn find(conn: &Conn, role: &RoleRef, field: &str) -> AppResult<RoleRecord> {
    let key = match role {
        RoleRef::Id(id) => RoleKey::Id(id.uuid()),
        RoleRef::Name(name) => RoleKey::Name(name),
    };
    match roles::find(conn, key).await? {
        Some(record) => Ok(record),
        None => reject(error::NOT_FOUND, format!("{field}: there is no role {role}")),
    }
}

/// Lists roles.
pub async fn role_list(
    op: Arc<Operation>,
    credential: Bearer,
    query: ListQuery,
) -> AppResult<Ok200<RolePage>> {
    op.authenticate(&credential).await?.authorize(|_, ()| Resource::Directory)?;
    let finding = Finding::read(&op, &query, Sight::Whole, &[], Vec::new())?;
    let wanted = &finding;
    let fetched = finding.fetch(&op, |conn| async move {
        let rows = roles::list(&conn, None, &wanted.find, wanted.rows()).await?;
        Ok((rows, wanted.counted(|how| roles::count(&conn, None, &wanted.find, how)).await?))
    });
    let (rows, total) = fetched.await?;
    Ok(Ok200::new(finding.page(rows, total, views::role)))
}

/// Returns a role.
pub async fn role_view(
    op: Arc<Operation>,
    credential: Bearer,
    role: RoleRef,
    known: IfNoneMatch,
) -> AppResult<Ok200<Role>> {
    let (_, record) = op.read(&credential, &role).await?.found()?.authorize(|_, _| Resource::Directory)?;
    Ok(Representation::of(&views::role(record))?.reply().unless_known(&known))
}

/// Creates a role.
pub async fn role_create(
    op: Arc<Operation>,
    credential: Bearer,
    key: IdempotencyKey,
    body: JsonBody<RoleCreate>,
) -> AppResult<Created<Role>> {
    let new = body.value;
    let mut change = op.begin(&credential).await?;
    change.authorize(Resource::Directory)?;
    let permissions = names(new.permissions);
    check_scope(new.scope.as_str(), &permissions)?;
    let actor = &change.caller()?.actor;
    ensure_definition(actor, &permissions)?;
    if new.is_default {
        ensure_default(actor, &permissions, "is_default")?;
    }
    let attempt = Attempt::new(&op, Made::Role, Some(change.caller()?), key, &body.raw);
    if let Some(replay) = attempt.claim(&op, &change).await? {
        return Ok(replay);
    }
    if new.is_default && (new.scope != RoleScopeInput::Global || new.r#type != RoleTypeInput::User) {
        return reject(
            error::WRONG_ROLE_TYPE,
            "is_default: only global roles of type user are given to new users",
        );
    }
    let now = op.now();
    let row = NewRole {
        id: op.app.new_id(),
        scope: new.scope.as_str(),
        name: new.name.into_string(),
        kind: new.r#type.as_str(),
        description: new.description.map(Description::into_string),
        is_default: new.is_default,
        created_at: now,
        updated_at: now,
    };
    roles::insert(change.conn(), &row, &permissions).await?;
    let Some(record) = roles::find(change.conn(), RoleKey::Id(row.id)).await? else { return not_found() };
    let (role, location) = (views::role(record), format!("/v1/roles/{}", row.id));
    let shown = Representation::of(&role)?;
    attempt.keep(&op, &change, row.id, &location, shown.tag(), &role).await?;
    change.commit(Target::Role(row.id), json!({ "name": row.name, "permissions": permissions })).await?;
    Ok(shown.reply().located(&location))
}

/// Updates a role.
pub async fn role_update(
    op: Arc<Operation>,
    credential: Bearer,
    role: RoleRef,
    expected: IfMatch,
    body: RoleUpdate,
) -> AppResult<Ok200<Role>> {
    let mut change = op.begin(&credential).await?;
    let record = lock_custom_role(&mut change, &role).await?;
    check_if_match(&expected, || Representation::of(&views::role(record.clone())))?;
    let permissions = body.permissions.map(names);
    let after = permissions.as_ref().unwrap_or(&record.permissions);
    let actor = &change.caller()?.actor;
    if let Some(permissions) = &permissions {
        check_scope(&record.scope, permissions)?;
        ensure_definition(actor, permissions)?;
    }
    let becomes_default = body.is_default == Some(true) && !record.is_default;
    if becomes_default {
        ensure_default(actor, after, "is_default")?;
    } else if record.is_default && body.is_default != Some(false) && !is_same(after, &record.permissions) {
        ensure_default(actor, after, "permissions")?;
    }
    if body.is_default == Some(true) && (record.scope != "global" || record.kind != "user") {
        return reject(
            error::WRONG_ROLE_TYPE,
            "is_default: only global roles of type user are given to new users",
        );
    }
    let now = op.now();
    let changes = RoleChanges {
        name: body.name.map(RoleName::into_string),
        description: body.description.map(|Nullable(value)| value.map(Description::into_string)),
        is_default: body.is_default,
    };
    let permissions_now = permissions.as_deref();
    let write = async {
        roles::update(change.conn(), record.id, changes, permissions_now, now).await?;
        roles::find(change.conn(), RoleKey::Id(record.id)).await
    };
    let detail = json!({ "permissions": permissions });
    let (updated, recorded) = change.record(write, Target::Role(record.id), detail).await?;
    let updated = updated.ok_or_else(|| Error::internal("a locked role does not exist"))?;
    change.commit_recorded(recorded).await?;
    Ok(Representation::of(&views::role(updated))?.reply())
}

/// Deletes a role.
pub async fn role_delete(
    op: Arc<Operation>,
    credential: Bearer,
    role: RoleRef,
    query: RoleDeleteQuery,
    expected: IfMatch,
) -> AppResult<NoContent> {
    let mut change = op.begin(&credential).await?;
    let record = lock_custom_role(&mut change, &role).await?;
    check_if_match(&expected, || Representation::of(&views::role(record.clone())))?;
    let holders = roles::holders(change.conn(), record.id, COUNTED).await?;
    let (more, counted) = if holders < COUNTED { ("", "holders") } else { ("at least ", "holders_at_least") };
    if holders > 0 && query.force != Some(true) {
        let message = format!("{more}{holders} hold the role; with force=true they lose it");
        return reject(error::ROLE_IN_USE, message);
    }
    idempotency::forget(change.conn(), &[record.id]).await?;
    roles::delete(change.conn(), record.id).await?;
    let erased = Erasure::small(Deleted::Role(record.id), change.conn()).await?;
    change.commit(Target::Role(record.id), json!({ "name": record.name, counted: holders })).await?;
    if erased != Progress::Done {
        op.app.erasing.notify_one();
    }
    Ok(NoContent::done())
}

/// Locks the role that the path names; rejects built-in ones.
async fn lock_custom_role(change: &mut Change, role: &RoleRef) -> AppResult<RoleRecord> {
    change.authorize(Resource::Directory)?;
    let found = find(change.conn(), role, "role").await?;
    change.about(Target::Role(found.id));
    roles::lock(change.conn(), found.id).await?;
    // Read again: the role may have changed before the lock was acquired.
    let Some(record) = roles::find(change.conn(), RoleKey::Id(found.id)).await? else { return not_found() };
    if record.built_in {
        return reject(error::BUILT_IN_ROLE, format!("{} is a built-in role", record.name));
    }
    // Otherwise editing a role could take permissions from users that `user_role_remove` may not take.
    ensure_definition(&change.caller()?.actor, &record.permissions)?;
    Ok(record)
}

/// Returns true if two lists without duplicates have the same permissions.
fn is_same(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|permission| other.contains(permission))
}

/// The list's names, without duplicates, in alphabetical order.
fn names(list: List<PermissionName>) -> Vec<String> {
    let mut names: Vec<String> = list.0.into_iter().map(PermissionName::into_string).collect();
    names.sort();
    names.dedup();
    names
}

/// Rejects permissions of Rollcall's own that don't exist or don't belong to the scope.
fn check_scope(scope: &str, permissions: &[String]) -> AppResult<()> {
    for name in permissions.iter().filter(|name| Permission::is_own(name)) {
        let fits =
            Permission::parse(name).is_some_and(|permission| permission.in_group() == (scope == "group"));
        if !fits {
            let message = format!("permissions: {name} is not one of Rollcall's own for {scope} roles");
            return reject(error::UNKNOWN_PERMISSION, message);
        }
    }
    Ok(())
}

//! Users: list, view, update, delete.

pub mod create;
pub mod data;
pub mod identifiers;
pub mod roles;

use std::sync::Arc;

use rollcall_api::Protects;
use rollcall_api::access::Permission;
use rollcall_api::error;
use rollcall_api::extract::{Bearer, IfMatch, IfNoneMatch};
use rollcall_api::reply::{NoContent, Ok200};
use rollcall_api::types::{
    Description, GroupRef, ListQuery, Nullable, RoleRef, Text, TextRule, User, UserListQuery, UserPage,
    UserRef, UserSuspend, UserUpdate, fold,
};
use rollcall_policy::grant::first_above;
use rollcall_policy::{Actor, Resource};
use rollcall_query::Sight;
use rollcall_store::erase::{Deleted, Erasure, Progress};
use rollcall_store::groups::{self, GroupRow};
use rollcall_store::users::{self, UserChanges, UserFilter, UserKey, UserRecord};
use rollcall_store::{Conn, grants, roles as stored_roles, sessions};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::roles as roles_of;
use crate::conditions::check_if_match;
use crate::error::{AppResult, Error, not_found, reject};
use crate::listing::Finding;
use crate::operation::{Caller, Change, Operation, Target};
use crate::views;

/// Lists users.
pub async fn user_list(
    op: Arc<Operation>,
    credential: Bearer,
    query: UserListQuery,
) -> AppResult<Ok200<UserPage>> {
    let (caller, ()) = op.authenticate(&credential).await?.authorize(|_, ()| Resource::Directory)?;
    let (names, who) = (&query, &caller);
    let named = op.reading(|conn| async move {
        Ok(UserFilter {
            group: visible_group(&conn, who, names.group.as_ref(), "group").await?,
            not_group: visible_group(&conn, who, names.not_group.as_ref(), "not_group").await?,
            role: visible_role(&conn, who, names.role.as_ref(), "role").await?,
            not_role: visible_role(&conn, who, names.not_role.as_ref(), "not_role").await?,
        })
    });
    let filter = named.await?;
    let sight = if caller.actor.holds(Permission::UsersRead) { Sight::Whole } else { Sight::Card };
    let UserFilter { group, not_group, role, not_role } = filter;
    let narrowed = json!([group, not_group, role, not_role]).to_string();
    let wanted = ListQuery {
        q: query.q,
        filter: query.filter,
        sort: query.sort,
        total: query.total,
        limit: query.limit,
        page_token: query.page_token,
    };
    let finding = Finding::read(&op, &wanted, sight, &[&narrowed], Vec::new())?
        .narrowed(filter != UserFilter::default());
    let wanted = &finding;
    let fetched = finding.fetch(&op, |conn| async move {
        let rows = users::list(&conn, filter, &wanted.find, wanted.rows()).await?;
        Ok((rows, wanted.counted(|how| users::count(&conn, filter, &wanted.find, how)).await?))
    });
    let (rows, total) = fetched.await?;
    Ok(Ok200::new(finding.page(rows, total, |row| views::user(&caller.actor, row, op.now()))))
}

/// The group that a filter names, if the caller may see it: hidden groups can't be used in filters.
async fn visible_group(
    conn: &Conn,
    caller: &Caller,
    group: Option<&GroupRef>,
    parameter: &str,
) -> AppResult<Option<Uuid>> {
    let Some(group) = group else { return Ok(None) };
    if let Some(found) = groups::find(conn, group.into()).await?
        && (caller.actor.holds(Permission::GroupsRead)
            || groups::is_member(conn, found.id, caller.id()).await?)
    {
        return Ok(Some(found.id));
    }
    reject(error::NOT_FOUND, format!("{parameter}: there is no such group, or none that you may see"))
}

/// The role that a filter names; filtering by role needs `users:read`.
async fn visible_role(
    conn: &Conn,
    caller: &Caller,
    role: Option<&RoleRef>,
    parameter: &str,
) -> AppResult<Option<Uuid>> {
    let Some(role) = role else { return Ok(None) };
    if !caller.actor.holds(Permission::UsersRead) {
        return reject(error::FORBIDDEN, format!("{parameter}: this needs the permission users:read"));
    }
    Ok(Some(roles_of::find(conn, role, parameter).await?.id))
}

/// Returns a user.
pub async fn user_view(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    known: IfNoneMatch,
) -> AppResult<Ok200<User>> {
    let fetched = op.read(&credential, &user).await?;
    let (caller, record) = fetched.found()?.authorize(|_, record| about(record))?;
    let view = views::view_of(&caller.actor, record.id);
    Ok(views::shown(view, record, op.now())?.reply().unless_known(&known))
}

/// A user record as policy sees it.
pub fn about(record: &UserRecord) -> Resource {
    Resource::User(record.id.into())
}

/// The lookup key of the user whom a caller names.
pub fn key_of(user: &UserRef, caller: Uuid) -> UserKey<'_> {
    match user {
        UserRef::Me => UserKey::Id(caller),
        UserRef::Id(id) => UserKey::Id(id.uuid()),
        UserRef::Name(name) => UserKey::Name(name),
    }
}

/// Locks the user whom a path names and checks policy.
pub async fn lock_user(change: &mut Change, user: &UserRef) -> AppResult<UserRecord> {
    let key = key_of(user, change.caller()?.id());
    let Some(id) = users::lock_id(change.conn(), key).await? else { return not_found() };
    let (conn, actor) = (change.conn(), &change.caller()?.actor);
    let found = async { Ok(users::find(conn, UserKey::Id(id)).await?) };
    let ranked = user_resource(conn, actor, id, change.operation().spec.protects);
    let (record, resource) = futures::try_join!(found, ranked)?;
    change.authorize(resource)?;
    let Some(record) = record else { return not_found() };
    Ok(record)
}

/// A user to be changed, as policy sees it: whether the user outranks the actor. The user's permissions in groups
/// count only for [`Protects::Account`].
pub async fn user_resource(
    conn: &Conn,
    actor: &Actor,
    user: Uuid,
    protects: Protects,
) -> AppResult<Resource> {
    if actor.user.uuid() == user {
        return Ok(Resource::User(user.into()));
    }
    let theirs = stored_roles::permissions_of(conn, user).await?;
    if first_above(&actor.permissions, protects, &theirs).is_some() {
        return Ok(Resource::Superior(user.into()));
    }
    let in_groups = protects == Protects::Account
        && !actor.holds(Permission::GroupsWrite)
        && grants::outranks_in_a_group(conn, user, actor.user.uuid(), &actor.permissions).await?;
    Ok(if in_groups { Resource::GroupSuperior(user.into()) } else { Resource::User(user.into()) })
}

/// Updates a user.
pub async fn user_update(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    expected: IfMatch,
    body: UserUpdate,
) -> AppResult<Ok200<User>> {
    let mut change = op.begin(&credential).await?;
    let record = lock_user(&mut change, &user).await?;
    let verifies = body.email_verified.is_some() || body.phone_verified.is_some();
    if verifies || body.username.is_some() || body.email.is_some() || body.phone.is_some() {
        let resource = match user_resource(
            change.conn(),
            &change.caller()?.actor,
            record.id,
            Protects::Account,
        )
        .await?
        {
            // Identifiers for signing in, here or in applications that find accounts by a verified address:
            // a caller who changes them could take over the account.
            Resource::GroupSuperior(user) => Resource::Superior(user),
            other => other,
        };
        change.authorize(resource)?;
        if verifies {
            change.authorize_verification(resource)?;
        }
    }
    let view = views::view_of(&change.caller()?.actor, record.id);
    check_if_match(&expected, || views::shown(view, record.clone(), op.now()))?;
    let changed: Vec<&str> = [
        ("username", body.username.is_some()),
        ("email", body.email.is_some()),
        ("phone", body.phone.is_some()),
        ("email_verified", body.email_verified.is_some()),
        ("phone_verified", body.phone_verified.is_some()),
        ("name", body.name.is_some()),
        ("avatar_url", body.avatar_url.is_some()),
        ("profile", body.profile.is_some()),
    ]
    .into_iter()
    .filter_map(|(field, sent)| sent.then_some(field))
    .collect();
    let changes = to_changes(&record, body)?;
    let updated = update(&op, change, record, changes, json!({ "fields": changed })).await?;
    Ok(views::shown(view, updated, op.now())?.reply())
}

/// The row's changes, validated against the rules between fields.
fn to_changes(record: &UserRecord, body: UserUpdate) -> AppResult<UserChanges> {
    let username = match body.username {
        None => None,
        Some(Nullable(username)) => Some(username.map(identifiers::username).transpose()?),
    };
    let (email, phone) = (into_change(body.email), into_change(body.phone));
    let after = |change: &Option<Option<String>>, before: &Option<String>| {
        change.clone().unwrap_or_else(|| before.clone())
    };
    let (new_username, new_email, new_phone) =
        (after(&username, &record.username), after(&email, &record.email), after(&phone, &record.phone));
    if new_username != record.username {
        identifiers::username_is_no_reference(new_username.as_deref())?;
    }
    identifiers::at_least_one(new_username.as_deref(), new_email.as_deref(), new_phone.as_deref())?;
    identifiers::can_be_verified("email", body.email_verified, new_email.as_deref())?;
    identifiers::can_be_verified("phone", body.phone_verified, new_phone.as_deref())?;
    // Names that were valid under older rules stay until an identifier changes.
    if username.is_some() || email.is_some() || phone.is_some() {
        identifiers::username_is_own(new_username.as_deref(), new_email.as_deref(), new_phone.as_deref())?;
    }
    let folded = |change: &Option<Option<String>>| change.as_ref().map(|value| value.as_deref().map(fold));
    let email_differs = !match (&new_email, &record.email) {
        (Some(new), Some(old)) => identifiers::is_same_mailbox(new, old),
        (new, old) => new == old,
    };
    let profile = match body.profile {
        None => None,
        Some(Nullable(None)) => Some(json!({})),
        Some(Nullable(Some(update))) => {
            let patch = serde_json::to_value(update).map_err(|error| Error::internal(error.to_string()))?;
            Some(merged(record.profile.clone(), &patch))
        }
    };
    Ok(UserChanges {
        username_folded: folded(&username),
        username,
        email_folded: folded(&email),
        email,
        email_verified: body.email_verified.or(email_differs.then_some(false)),
        phone_verified: body.phone_verified.or((new_phone != record.phone).then_some(false)),
        phone,
        name: into_change(body.name),
        avatar_url: into_change(body.avatar_url),
        profile,
        ..UserChanges::default()
    })
}

fn into_change<R: TextRule>(field: Option<Nullable<Text<R>>>) -> Option<Option<String>> {
    field.map(|value| value.0.map(Text::into_string))
}

/// Applies a JSON Merge Patch (RFC 7396).
pub fn merged(mut target: Value, patch: &Value) -> Value {
    json_patch::merge(&mut target, patch);
    target
}

/// Deletes a user.
pub async fn user_delete(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    expected: IfMatch,
) -> AppResult<NoContent> {
    let mut change = op.begin(&credential).await?;
    let record = lock_user(&mut change, &user).await?;
    let view = views::view_of(&change.caller()?.actor, record.id);
    check_if_match(&expected, || views::shown(view, record.clone(), op.now()))?;
    ensure_other_administrator(&op, &change, &record).await?;
    if let Some(group) = groups::lock_owned(change.conn(), record.id, op.now()).await? {
        return reject(error::LAST_OWNER, last_owner(&change, &group).await?);
    }
    users::delete(change.conn(), record.id, op.now()).await?;
    // Deletes everything that shows the user: invitations to their address, stored responses.
    let erased = Erasure::small(Deleted::User(record.id), change.conn()).await?;
    change.commit(Target::User(record.id), json!({})).await?;
    if erased != Progress::Done {
        op.app.erasing.notify_one();
    }
    Ok(NoContent::done())
}

/// The error message for a group's last owner; names the group only to callers who may see it.
async fn last_owner(change: &Change, group: &GroupRow) -> AppResult<String> {
    let caller = change.caller()?;
    let seen = caller.actor.holds(Permission::GroupsRead)
        || groups::is_member(change.conn(), group.id, caller.id()).await?;
    let named = if seen { format!("the group @{}", group.slug) } else { "a group".to_owned() };
    Ok(format!("the user is the last owner of {named} who can sign in; make another member an owner first"))
}

/// Rejects removing the last administrator, and holds a lock on the role until the transaction ends.
pub async fn ensure_other_administrator(
    op: &Operation,
    change: &Change,
    record: &UserRecord,
) -> AppResult<()> {
    let administrator = record.roles.iter().any(|role| role == "administrator");
    if administrator && !stored_roles::has_other_administrator(change.conn(), record.id, op.now()).await? {
        return reject(error::LAST_ADMINISTRATOR, "this is the last administrator; make another one first");
    }
    Ok(())
}

/// Suspends a user.
pub async fn user_suspend(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    body: UserSuspend,
) -> AppResult<Ok200<User>> {
    let mut change = op.begin(&credential).await?;
    let record = lock_user(&mut change, &user).await?;
    let until = body.until.map(|until| until.0);
    if until.is_some_and(|until| until <= op.now()) {
        return reject(error::TIME_IN_PAST, "until: must be in the future");
    }
    ensure_other_administrator(&op, &change, &record).await?;
    let ended = sessions::delete_all(change.conn(), record.id, None).await?;
    let detail = json!({ "until": until, "ended_sessions": ended });
    let changes = UserChanges {
        suspended: Some(true),
        suspended_reason: Some(body.reason.map(Description::into_string)),
        suspended_until: Some(until),
        invitations_void_before: Some(Some(op.now())),
        ..UserChanges::default()
    };
    update_and_view(&op, change, record, changes, detail).await
}

/// Reactivates a user.
pub async fn user_reactivate(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
) -> AppResult<Ok200<User>> {
    let mut change = op.begin(&credential).await?;
    let record = lock_user(&mut change, &user).await?;
    let changes = UserChanges {
        suspended: Some(false),
        suspended_reason: Some(None),
        suspended_until: Some(None),
        ..UserChanges::default()
    };
    update_and_view(&op, change, record, changes, json!({})).await
}

/// Updates a locked user and returns the response with the user.
async fn update_and_view(
    op: &Operation,
    change: Change,
    record: UserRecord,
    changes: UserChanges,
    detail: Value,
) -> AppResult<Ok200<User>> {
    let view = views::view_of(&change.caller()?.actor, record.id);
    let updated = update(op, change, record, changes, detail).await?;
    Ok(Ok200::new(views::user_with_view(view, updated, op.now())))
}

/// Updates a locked user and commits; returns the new record.
async fn update(
    op: &Operation,
    change: Change,
    record: UserRecord,
    changes: UserChanges,
    detail: Value,
) -> AppResult<UserRecord> {
    let target = Target::User(record.id);
    let write = users::update(change.conn(), record, changes, op.now());
    let (updated, recorded) = change.record(write, target, detail).await?;
    change.commit_recorded(recorded).await?;
    Ok(updated)
}

//! The members of a group and their roles.

use std::sync::Arc;

use rollcall_api::access::Permission;
use rollcall_api::error;
use rollcall_api::extract::{Bearer, IdempotencyKey, JsonBody};
use rollcall_api::reply::{Created, NoContent, Ok200};
use rollcall_api::types::{
    GroupMember, GroupMemberAdd, GroupMemberPath, GroupMemberUpdate, GroupRef, List, RoleRef, UserRef,
};
use rollcall_policy::Resource;
use rollcall_store::groups::{self, GroupRow, MembershipRecord};
use rollcall_store::roles::RoleRecord;
use rollcall_store::users::{self, UserKey, UserRecord};
use rollcall_store::{Conn, grants, idempotency, seed};
use serde_json::json;
use uuid::Uuid;

use crate::app::roles::find;
use crate::app::users::key_of;
use crate::conditions::Representation;
use crate::error::{AppResult, not_found, reject};
use crate::granting::ensure_in_group;
use crate::idempotency::{Attempt, Made};
use crate::operation::{Change, Operation, Target};
use crate::views;

/// Locks the group that a path names and checks policy; `about` is the affected member.
pub async fn lock_group(
    change: &mut Change,
    group: &GroupRef,
    about: Option<&UserRef>,
) -> AppResult<GroupRow> {
    let Some(row) = groups::lock(change.conn(), group.into()).await? else { return not_found() };
    let caller = change.caller()?.id();
    let own = match about {
        None => false,
        Some(UserRef::Me) => true,
        Some(user) => user_of(change, user).await?.is_some_and(|user| user.id == caller),
    };
    let resource = group_resource(change.conn(), row.id, caller, own).await?;
    change.authorize(resource)?;
    Ok(row)
}

/// A group as policy sees it from a user's membership.
pub async fn group_resource(conn: &Conn, group: Uuid, user: Uuid, own: bool) -> AppResult<Resource> {
    let (member, held) =
        futures::try_join!(groups::is_member(conn, group, user), grants::in_group(conn, user, group))?;
    let holds = |permission: Permission| held.iter().any(|held| held == permission.as_str());
    let (admin, owner) = (holds(Permission::GroupAdmin), holds(Permission::GroupOwn));
    Ok(Resource::Group { group: group.into(), member, admin, owner, own })
}

async fn user_of(change: &Change, user: &UserRef) -> AppResult<Option<UserRecord>> {
    Ok(users::find(change.conn(), key_of(user, change.caller()?.id())).await?)
}

/// The group roles that a body names, without duplicates; `member` if it names none.
pub async fn group_roles(conn: &Conn, list: List<RoleRef>) -> AppResult<Vec<RoleRecord>> {
    let mut wanted = list.0;
    if wanted.is_empty() {
        wanted.push(RoleRef::Id(seed::MEMBER.into()));
    }
    let mut found: Vec<RoleRecord> = Vec::new();
    for role in wanted {
        let record = find(conn, &role, "roles").await?;
        if record.scope != "group" || record.kind != "user" {
            let message = format!(
                "roles: {role} is a {} role of type {}, members hold group roles of type user",
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

fn ids(roles: &[RoleRecord]) -> Vec<Uuid> {
    roles.iter().map(|role| role.id).collect()
}

fn member(
    op: &Operation,
    change: &Change,
    user: UserRecord,
    membership: MembershipRecord,
) -> AppResult<GroupMember> {
    Ok(GroupMember {
        user: views::user(&change.caller()?.actor, user, op.now()),
        roles: membership.roles,
        joined_at: membership.joined_at,
    })
}

/// The path of a membership.
pub fn location_of(group: Uuid, user: Uuid) -> String {
    format!("/v1/groups/{group}/members/{user}")
}

/// The entity tag of a member. As with a user, a sign-in does not change it.
fn tag_of(member: &GroupMember) -> AppResult<String> {
    let mut counted = member.clone();
    counted.user.last_sign_in_at = None;
    Ok(Representation::of(&counted)?.tag().to_owned())
}

/// Adds a member.
pub async fn group_member_add(
    op: Arc<Operation>,
    credential: Bearer,
    group: GroupRef,
    key: IdempotencyKey,
    body: JsonBody<GroupMemberAdd>,
) -> AppResult<Created<GroupMember>> {
    let mut change = op.begin(&credential).await?;
    let row = lock_group(&mut change, &group, None).await?;
    let roles = group_roles(change.conn(), body.value.roles).await?;
    ensure_in_group(change.conn(), change.caller()?, row.id, &roles).await?;
    let attempt = Attempt::new(&op, Made::Membership(row.id), Some(change.caller()?), key, &body.raw);
    if let Some(replay) = attempt.claim(&op, &change).await? {
        return Ok(replay);
    }
    // Locked before a row refers to it: otherwise this and the user's deletion would deadlock.
    let key = key_of(&body.value.user, change.caller()?.id());
    let Some(user) = users::lock(change.conn(), key).await? else {
        return reject(error::NOT_FOUND, "user: there is no such user");
    };
    if groups::is_member(change.conn(), row.id, user.id).await? {
        return reject(error::ALREADY_MEMBER, "user: is a member of the group already");
    }
    let now = op.now();
    groups::join(change.conn(), row.id, user.id, &ids(&roles), now).await?;
    let Some(membership) = groups::membership(change.conn(), row.id, user.id).await? else {
        return not_found();
    };
    let Some(user) = users::find(change.conn(), UserKey::Id(user.id)).await? else { return not_found() };
    let (id, location) = (user.id, location_of(row.id, user.id));
    let detail = json!({ "user": id, "roles": membership.roles });
    let member = member(&op, &change, user, membership)?;
    let tag = tag_of(&member)?;
    attempt.keep(&op, &change, id, &location, &tag, &member).await?;
    change.commit(Target::Group(row.id), detail).await?;
    Ok(Created::new(member).located(&location).tagged(&tag))
}

/// Changes a member's roles.
pub async fn group_member_update(
    op: Arc<Operation>,
    credential: Bearer,
    path: GroupMemberPath,
    body: GroupMemberUpdate,
) -> AppResult<Ok200<GroupMember>> {
    let mut change = op.begin(&credential).await?;
    let row = lock_group(&mut change, &path.group, Some(&path.user)).await?;
    let (user, membership) = membership(&change, &row, &path.user).await?;
    let wanted = group_roles(change.conn(), body.roles).await?;
    let mut touched = Vec::new();
    for name in membership.roles.iter().filter(|name| !wanted.iter().any(|role| role.name == **name)) {
        touched.push(find(change.conn(), &RoleRef::Name(name.clone()), "roles").await?);
    }
    let added = wanted.iter().filter(|role| !membership.roles.contains(&role.name));
    ensure_in_group(change.conn(), change.caller()?, row.id, touched.iter().chain(added)).await?;
    if touched.iter().any(|role| role.id == seed::OWNER) {
        ensure_other_owner(&op, &change, &row, user.id).await?;
    }
    groups::set_roles(change.conn(), row.id, user.id, &ids(&wanted)).await?;
    let Some(membership) = groups::membership(change.conn(), row.id, user.id).await? else {
        return not_found();
    };
    let detail = json!({ "user": user.id, "roles": membership.roles });
    let member = member(&op, &change, user, membership)?;
    change.commit(Target::Group(row.id), detail).await?;
    Ok(Ok200::new(member))
}

/// Removes a member.
pub async fn group_member_remove(
    op: Arc<Operation>,
    credential: Bearer,
    path: GroupMemberPath,
) -> AppResult<NoContent> {
    let mut change = op.begin(&credential).await?;
    let row = lock_group(&mut change, &path.group, Some(&path.user)).await?;
    let (user, membership) = membership(&change, &row, &path.user).await?;
    if row.is_default {
        return reject(error::DEFAULT_GROUP, "every user is in this group");
    }
    if user.id != change.caller()?.id() {
        let mut held = Vec::new();
        for name in &membership.roles {
            held.push(find(change.conn(), &RoleRef::Name(name.clone()), "roles").await?);
        }
        ensure_in_group(change.conn(), change.caller()?, row.id, &held).await?;
    }
    ensure_other_owner(&op, &change, &row, user.id).await?;
    groups::leave(change.conn(), row.id, user.id).await?;
    idempotency::forget_at(change.conn(), user.id, &location_of(row.id, user.id)).await?;
    change.commit(Target::Group(row.id), json!({ "user": user.id })).await?;
    Ok(NoContent::done())
}

/// Locks the member whom a path names, so that a user being deleted can't become an owner meanwhile.
async fn membership(
    change: &Change,
    row: &GroupRow,
    user: &UserRef,
) -> AppResult<(UserRecord, MembershipRecord)> {
    let key = key_of(user, change.caller()?.id());
    let Some(user) = users::lock(change.conn(), key).await? else { return not_found() };
    match groups::membership(change.conn(), row.id, user.id).await? {
        Some(membership) => Ok((user, membership)),
        None => not_found(),
    }
}

/// Rejects a change that would leave a group without an owner. The group's row must be locked.
async fn ensure_other_owner(op: &Operation, change: &Change, row: &GroupRow, leaving: Uuid) -> AppResult<()> {
    let owner = groups::membership(change.conn(), row.id, leaving)
        .await?
        .is_some_and(|membership| membership.roles.iter().any(|role| role == "owner"));
    if owner && !groups::has_other_owner(change.conn(), row.id, leaving, op.now()).await? {
        return reject(
            error::LAST_OWNER,
            "this is the group's last owner who can sign in; make another member an owner first",
        );
    }
    Ok(())
}

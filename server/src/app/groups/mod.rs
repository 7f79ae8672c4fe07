//! Groups and their members.

pub mod invitations;
pub mod members;

use std::sync::Arc;

use rollcall_api::access::Permission;
use rollcall_api::error;
use rollcall_api::extract::{Bearer, IdempotencyKey, IfMatch, IfNoneMatch, JsonBody};
use rollcall_api::reply::{Created, NoContent, Ok200};
use rollcall_api::types::{
    Description, DisplayName, Group, GroupCreate, GroupMember, GroupMemberPage, GroupPage, GroupRef,
    GroupUpdate, ListQuery, Nullable, PageQuery, Slug, UserGroup, UserGroupPage, UserRef,
};
use rollcall_policy::Resource;
use rollcall_query::Sight;
use rollcall_store::connect::Connection;
use rollcall_store::erase::{Deleted, Erasure, Progress};
use rollcall_store::find::Total;
use rollcall_store::groups::{self, GroupChanges, GroupKey, GroupRow, NewGroup};
use rollcall_store::{idempotency, seed, users};
use serde_json::{Value, json};

use crate::app::groups::members::{group_resource, lock_group};
use crate::app::users::data::check_size;
use crate::app::users::{about, key_of, merged};
use crate::conditions::{Representation, check_if_match};
use crate::error::{AppResult, Error, not_found, reject};
use crate::idempotency::{Attempt, Made};
use crate::listing::Finding;
use crate::listing::page::Paging;
use crate::operation::{Caller, Operation, Target};
use crate::views;

/// Lists groups.
pub async fn group_list(
    op: Arc<Operation>,
    credential: Bearer,
    query: ListQuery,
) -> AppResult<Ok200<GroupPage>> {
    let (caller, ()) = op.authenticate(&credential).await?.authorize(|_, ()| Resource::Directory)?;
    let own_only = (!caller.actor.holds(Permission::GroupsRead)).then_some(caller.id());
    let sees = own_only.map_or_else(|| "all".to_owned(), |user| user.to_string());
    let finding = Finding::read(&op, &query, Sight::Whole, &[&sees], Vec::new())?;
    let wanted = &finding;
    let fetched = finding.fetch(&op, |conn| async move {
        let rows = groups::list(&conn, own_only, &wanted.find, wanted.rows()).await?;
        // The planner's estimate counts all groups, also those that the caller may not see; a caller's own are few.
        let how = |asked| if own_only.is_some() { Total::Exact } else { asked };
        let count = |asked| groups::count(&conn, own_only, &wanted.find, how(asked));
        Ok((rows, wanted.counted(count).await?))
    });
    let (rows, total) = fetched.await?;
    Ok(Ok200::new(finding.page(rows, total, views::group)))
}

/// Returns a group.
pub async fn group_view(
    op: Arc<Operation>,
    credential: Bearer,
    group: GroupRef,
    known: IfNoneMatch,
) -> AppResult<Ok200<Group>> {
    let (_, row) = visible(&op, &credential, &group).await?;
    Ok(Representation::of(&views::group(row))?.reply().unless_known(&known))
}

/// Lists a group's members.
pub async fn group_member_list(
    op: Arc<Operation>,
    credential: Bearer,
    group: GroupRef,
    query: ListQuery,
) -> AppResult<Ok200<GroupMemberPage>> {
    let (caller, row) = visible(&op, &credential, &group).await?;
    let parent = row.id.to_string();
    let sight = if caller.actor.holds(Permission::UsersRead) { Sight::Whole } else { Sight::Card };
    let finding = Finding::read(&op, &query, sight, &[&parent], Vec::new())?;
    let wanted = &finding;
    let fetched = finding.fetch(&op, |conn| async move {
        let rows = groups::members(&conn, row.id, &wanted.find, wanted.rows()).await?;
        Ok((rows, wanted.counted(|how| groups::count_members(&conn, row.id, &wanted.find, how)).await?))
    });
    let (rows, total) = fetched.await?;
    let page = finding.page(rows, total, |(membership, user)| GroupMember {
        user: views::user(&caller.actor, user, op.now()),
        roles: membership.roles,
        joined_at: membership.joined_at,
    });
    Ok(Ok200::new(page))
}

/// Lists a user's groups.
pub async fn user_group_list(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    query: PageQuery,
) -> AppResult<Ok200<UserGroupPage>> {
    let fetched = op.read(&credential, &user).await?;
    let (_, record) = fetched.found()?.authorize(|_, record| about(record))?;
    let parent = record.id.to_string();
    let paging = Paging::open(&op, &query, &[&parent])?;
    let (after, limit) = (paging.after_id(), paging.rows());
    let list =
        |conn: Arc<Connection>| async move { Ok(groups::of_user(&conn, record.id, after, limit).await?) };
    let rows = op.reading(list).await?;
    let page = paging.page(
        rows,
        |(membership, _)| membership.group_id,
        |(membership, group)| UserGroup {
            group: views::group(group),
            roles: membership.roles,
            joined_at: membership.joined_at,
        },
    );
    Ok(Ok200::new(page))
}

/// Creates a group.
pub async fn group_create(
    op: Arc<Operation>,
    credential: Bearer,
    key: IdempotencyKey,
    body: JsonBody<GroupCreate>,
) -> AppResult<Created<Group>> {
    let new = body.value;
    let custom_data = Value::Object(new.custom_data.unwrap_or_default().0);
    let mut change = op.begin(&credential).await?;
    change.authorize(Resource::Directory)?;
    check_size("custom_data", &custom_data)?;
    let caller = change.caller()?.id();
    let attempt = Attempt::new(&op, Made::Group, Some(change.caller()?), key, &body.raw);
    if let Some(replay) = attempt.claim(&op, &change).await? {
        return Ok(replay);
    }
    let owner_key = key_of(new.owner.as_ref().unwrap_or(&UserRef::Me), caller);
    let Some(owner) = users::lock(change.conn(), owner_key).await? else {
        return reject(error::NOT_FOUND, "owner: there is no such user");
    };
    let now = op.now();
    let row = NewGroup {
        id: op.app.new_id(),
        slug: new.slug.into_string(),
        name: new.name.into_string(),
        description: new.description.map(Description::into_string),
        custom_data,
        mfa_required: new.mfa_required,
        created_by: Some(caller),
        created_at: now,
        updated_at: now,
    };
    groups::insert(change.conn(), &row).await?;
    groups::join(change.conn(), row.id, owner.id, &[seed::OWNER], now).await?;
    let Some(group) = groups::find(change.conn(), GroupKey::Id(row.id)).await? else { return not_found() };
    let (group, location) = (views::group(group), format!("/v1/groups/{}", row.id));
    let shown = Representation::of(&group)?;
    attempt.keep(&op, &change, row.id, &location, shown.tag(), &group).await?;
    change.commit(Target::Group(row.id), json!({ "slug": row.slug, "owner": owner.id })).await?;
    Ok(shown.reply().located(&location))
}

/// Updates a group.
pub async fn group_update(
    op: Arc<Operation>,
    credential: Bearer,
    group: GroupRef,
    expected: IfMatch,
    body: GroupUpdate,
) -> AppResult<Ok200<Group>> {
    let mut change = op.begin(&credential).await?;
    let row = lock_group(&mut change, &group, None).await?;
    check_if_match(&expected, || Representation::of(&views::group(row.clone())))?;
    let renamed = body.slug.as_ref().is_some_and(|slug| slug.as_str() != row.slug);
    if row.is_default && renamed {
        return reject(error::DEFAULT_GROUP, "slug: that of the default group can't be changed");
    }
    let custom_data = body.custom_data.map(|patch| merged(row.custom_data.clone(), &Value::Object(patch.0)));
    if let Some(custom_data) = &custom_data {
        check_size("custom_data", custom_data)?;
    }
    let changes = GroupChanges {
        slug: body.slug.map(Slug::into_string),
        name: body.name.map(DisplayName::into_string),
        description: body.description.map(|Nullable(value)| value.map(Description::into_string)),
        custom_data,
        mfa_required: body.mfa_required,
    };
    let write = async {
        groups::update(change.conn(), row.id, changes, op.now()).await?;
        groups::find(change.conn(), GroupKey::Id(row.id)).await
    };
    let (updated, recorded) = change.record(write, Target::Group(row.id), json!({})).await?;
    let updated = updated.ok_or_else(|| Error::internal("a locked group does not exist"))?;
    change.commit_recorded(recorded).await?;
    Ok(Representation::of(&views::group(updated))?.reply())
}

/// Deletes a group.
pub async fn group_delete(
    op: Arc<Operation>,
    credential: Bearer,
    group: GroupRef,
    expected: IfMatch,
) -> AppResult<NoContent> {
    let mut change = op.begin(&credential).await?;
    let row = lock_group(&mut change, &group, None).await?;
    check_if_match(&expected, || Representation::of(&views::group(row.clone())))?;
    if row.is_default {
        return reject(error::DEFAULT_GROUP, "the default group can't be deleted");
    }
    idempotency::forget(change.conn(), &[row.id]).await?;
    groups::delete(change.conn(), row.id).await?;
    let erased = Erasure::small(Deleted::Group(row.id), change.conn()).await?;
    change.commit(Target::Group(row.id), json!({ "slug": row.slug })).await?;
    if erased != Progress::Done {
        op.app.erasing.notify_one();
    }
    Ok(NoContent::done())
}

/// The group that a path names; fails with `not_found` if the caller may not see it.
pub async fn visible(op: &Operation, credential: &Bearer, group: &GroupRef) -> AppResult<(Caller, GroupRow)> {
    let fetched = op.read(credential, group).await?.found()?;
    let (caller, row) = fetched.before_policy();
    let (group, user) = (row.id, caller.id());
    let resource = op.reading(|conn| async move { group_resource(&conn, group, user, false).await }).await?;
    fetched.authorize(|_, _| resource)
}

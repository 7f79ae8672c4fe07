//! Groups and their members.

use std::sync::Arc;

use rollcall_api::access::Permission;
use rollcall_api::extract::{Bearer, IfNoneMatch};
use rollcall_api::reply::Ok200;
use rollcall_api::types::{
    Group, GroupId, GroupMember, GroupMemberPage, GroupPage, GroupRef, PageQuery, UserGroup, UserGroupPage,
    UserRef,
};
use rollcall_policy::Resource;
use rollcall_store::groups::{self, GroupRow};

use crate::app::paging::Paging;
use crate::app::users::about;
use crate::app::views;
use crate::error::{AppResult, not_found};
use crate::operation::{Caller, Operation};

/// List groups.
pub async fn group_list(
    op: Arc<Operation>,
    credential: Bearer,
    query: PageQuery,
) -> AppResult<Ok200<GroupPage>> {
    let (caller, ()) = op.authenticate(&credential).await?.authorize(|_, ()| Resource::Directory)?;
    let own_only = (!caller.actor.holds(Permission::GroupsRead)).then_some(caller.id());
    let sees = own_only.map_or_else(|| "all".to_owned(), |user| user.to_string());
    let paging = Paging::open(&op, &query, &[&sees])?;
    let connection = op.app.store.read().await?;
    let rows = groups::list(&connection, own_only, paging.after, paging.rows()).await?;
    Ok(Ok200::new(paging.page(rows, |row| row.id, views::group)))
}

/// View a group.
pub async fn group_view(
    op: Arc<Operation>,
    credential: Bearer,
    group: GroupRef,
    known: IfNoneMatch,
) -> AppResult<Ok200<Group>> {
    let (_, row) = visible(&op, &credential, &group).await?;
    let tag = row.version.to_string();
    Ok(Ok200::new(views::group(row)).tagged(&tag).unless_known(&known))
}

/// List a group's members.
pub async fn group_member_list(
    op: Arc<Operation>,
    credential: Bearer,
    group: GroupRef,
    query: PageQuery,
) -> AppResult<Ok200<GroupMemberPage>> {
    let (caller, row) = visible(&op, &credential, &group).await?;
    let parent = row.id.to_string();
    let sees = if caller.actor.holds(Permission::UsersRead) { "full" } else { "card" };
    let paging = Paging::open(&op, &query, &[&parent, sees])?;
    let connection = op.app.store.read().await?;
    let rows = groups::members(&connection, row.id, paging.after, paging.rows()).await?;
    let page = paging.page(
        rows,
        |(membership, _)| membership.user_id,
        |(membership, user)| GroupMember {
            user: views::user(&caller.actor, user),
            roles: membership.roles,
            joined_at: membership.joined_at,
        },
    );
    Ok(Ok200::new(page))
}

/// List a user's groups.
pub async fn user_group_list(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    query: PageQuery,
) -> AppResult<Ok200<UserGroupPage>> {
    let fetched = op.read(&credential, &user).await?;
    let (_, record) = fetched.found()?.authorize(|_, record| about(record))?;
    let Some(record) = record else { return not_found() };
    let parent = record.id.to_string();
    let paging = Paging::open(&op, &query, &[&parent])?;
    let connection = op.app.store.read().await?;
    let rows = groups::of_user(&connection, record.id, paging.after, paging.rows()).await?;
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

/// The group that a path names, where the caller may see it.
async fn visible(op: &Operation, credential: &Bearer, group: &GroupRef) -> AppResult<(Caller, GroupRow)> {
    let fetched = op.read(credential, group).await?.found()?;
    let member = match fetched.ids(|row| row.as_ref().map(|row| row.id)) {
        (caller, Some(group)) => groups::is_member(&*op.app.store.read().await?, group, caller.id()).await?,
        (_, None) => false,
    };
    let (caller, row) = fetched.authorize(|_, row| match row {
        Some(row) => Resource::Group { group: GroupId::from(row.id), member },
        None => Resource::Directory,
    })?;
    match row {
        Some(row) => Ok((caller, row)),
        None => not_found(),
    }
}

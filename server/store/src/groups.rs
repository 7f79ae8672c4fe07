//! The tables `groups` and `group_members`.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::{group_member_roles, group_members, groups, membership_records, user_records};
use crate::users::UserRecord;

/// A group.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = groups, check_for_backend(diesel::pg::Pg))]
pub struct GroupRow {
    pub id: Uuid,
    pub version: i64,
    pub slug: String,
    pub name: String,
    pub description: Option<String>,
    pub custom_data: Value,
    pub is_default: bool,
    pub created_by: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A user's place in a group.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = membership_records, check_for_backend(diesel::pg::Pg))]
pub struct MembershipRecord {
    pub group_id: Uuid,
    pub user_id: Uuid,
    pub joined_at: DateTime<Utc>,
    pub roles: Vec<String>,
}

/// How a group is found.
#[derive(Clone, Copy, Debug)]
pub enum GroupKey<'a> {
    /// By id.
    Id(Uuid),
    /// By slug.
    Slug(&'a str),
}

/// Finds a group.
pub async fn find(mut conn: &AsyncPgConnection, key: GroupKey<'_>) -> StoreResult<Option<GroupRow>> {
    let query = groups::table.select(GroupRow::as_select());
    let group = match key {
        GroupKey::Id(id) => query.filter(groups::id.eq(id)).get_result(&mut conn).await,
        GroupKey::Slug(slug) => query.filter(groups::slug.eq(slug)).get_result(&mut conn).await,
    };
    Ok(group.optional()?)
}

/// Whether a user is in a group.
pub async fn is_member(mut conn: &AsyncPgConnection, group: Uuid, user: Uuid) -> StoreResult<bool> {
    let query = group_members::table.find((group, user));
    Ok(diesel::select(exists(query)).get_result(&mut conn).await?)
}

/// Groups after an id, in the order of their making; only those of one user where one is named.
pub async fn list(
    mut conn: &AsyncPgConnection,
    member: Option<Uuid>,
    after: Option<Uuid>,
    limit: i64,
) -> StoreResult<Vec<GroupRow>> {
    let mut query = groups::table.order(groups::id).limit(limit).select(GroupRow::as_select()).into_boxed();
    if let Some(after) = after {
        query = query.filter(groups::id.gt(after));
    }
    if let Some(user) = member {
        let membership = group_members::table
            .filter(group_members::group_id.eq(groups::id))
            .filter(group_members::user_id.eq(user));
        query = query.filter(exists(membership));
    }
    Ok(query.load(&mut conn).await?)
}

/// Members of a group after a user's id, in the order of their accounts' making.
pub async fn members(
    mut conn: &AsyncPgConnection,
    group: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> StoreResult<Vec<(MembershipRecord, UserRecord)>> {
    let query = membership_records::table
        .inner_join(user_records::table)
        .filter(membership_records::group_id.eq(group))
        .order(membership_records::user_id)
        .limit(limit)
        .select((MembershipRecord::as_select(), UserRecord::as_select()));
    Ok(match after {
        Some(after) => query.filter(membership_records::user_id.gt(after)).load(&mut conn).await?,
        None => query.load(&mut conn).await?,
    })
}

/// Groups of a user after a group's id.
pub async fn of_user(
    mut conn: &AsyncPgConnection,
    user: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> StoreResult<Vec<(MembershipRecord, GroupRow)>> {
    let query = membership_records::table
        .inner_join(groups::table)
        .filter(membership_records::user_id.eq(user))
        .order(membership_records::group_id)
        .limit(limit)
        .select((MembershipRecord::as_select(), GroupRow::as_select()));
    Ok(match after {
        Some(after) => query.filter(membership_records::group_id.gt(after)).load(&mut conn).await?,
        None => query.load(&mut conn).await?,
    })
}

/// Puts a user into a group with one group role.
pub async fn join(
    mut conn: &AsyncPgConnection,
    group: Uuid,
    user: Uuid,
    role: Uuid,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    diesel::insert_into(group_members::table)
        .values((
            group_members::group_id.eq(group),
            group_members::user_id.eq(user),
            group_members::joined_at.eq(now),
        ))
        .execute(&mut conn)
        .await?;
    diesel::insert_into(group_member_roles::table)
        .values((
            group_member_roles::group_id.eq(group),
            group_member_roles::user_id.eq(user),
            group_member_roles::role_id.eq(role),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}

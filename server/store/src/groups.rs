//! The tables `groups` and `group_members`.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_query::fields::{GroupField, MemberField};
use serde_json::Value;
use uuid::Uuid;

use crate::cached::Cache;
use crate::derived::GroupColumns;
use crate::error::{StoreError, StoreResult};
use crate::find::{self, Find, Position, Rows, Total};
use crate::schema::{
    group_member_roles, group_members, groups, membership_records, roles, user_records, users,
};
use crate::seed::OWNER;
use crate::users::{UserRecord, can_sign_in, keep};

/// A group.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = groups, check_for_backend(Pg))]
pub struct GroupRow {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    pub description: Option<String>,
    pub custom_data: Value,
    pub is_default: bool,
    pub mfa_required: bool,
    pub created_by: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A user's membership in a group.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = membership_records, check_for_backend(Pg))]
pub struct MembershipRecord {
    pub group_id: Uuid,
    pub user_id: Uuid,
    pub joined_at: DateTime<Utc>,
    pub roles: Vec<String>,
}

/// Identifies a group.
#[derive(Clone, Copy, Debug)]
pub enum GroupKey<'a> {
    /// By id.
    Id(Uuid),
    /// By slug.
    Slug(&'a str),
}

/// Loads a group.
pub async fn find(mut conn: &AsyncPgConnection, key: GroupKey<'_>) -> StoreResult<Option<GroupRow>> {
    let query = groups::table.filter(key).select(GroupRow::as_select());
    Ok(query.get_result(&mut conn).await.optional()?)
}

/// True if the user is a member of the group.
pub async fn is_member(mut conn: &AsyncPgConnection, group: Uuid, user: Uuid) -> StoreResult<bool> {
    let query = group_members::table.find((group, user));
    Ok(diesel::select(exists(query)).get_result(&mut conn).await?)
}

/// A page of groups; only those of one user if `member` is set.
pub async fn list(
    mut conn: &AsyncPgConnection,
    member: Option<Uuid>,
    find: &Find<GroupField>,
    limit: i64,
) -> StoreResult<Vec<(GroupRow, Position)>> {
    let mut rows = Rows::new(limit);
    for phase in find.phases()? {
        if rows.wanted() > 0 {
            let query = base_query(member).filter(phase.condition).order(phase.order).limit(rows.wanted());
            let query = query.select((GroupRow::as_select(), phase.keys));
            rows.add(query.load(&mut conn).await?, |row: &GroupRow| row.id);
        }
    }
    Ok(rows.all())
}

/// Number of matching groups.
pub async fn count(
    mut conn: &AsyncPgConnection,
    member: Option<Uuid>,
    find: &Find<GroupField>,
    how: Total,
) -> StoreResult<i64> {
    let query = base_query(member).filter(find.condition());
    match how {
        Total::Exact => Ok(query.count().get_result(&mut conn).await?),
        Total::Estimate => find::estimate(conn, query.select(groups::id)).await,
    }
}

fn base_query(member: Option<Uuid>) -> groups::BoxedQuery<'static, Pg> {
    let mut query = groups::table.filter(groups::deleted.eq(false)).into_boxed();
    if let Some(user) = member {
        let membership = group_members::table
            .filter(group_members::group_id.eq(groups::id))
            .filter(group_members::user_id.eq(user));
        query = query.filter(exists(membership));
    }
    query
}

/// A page of a group's members.
pub async fn members(
    mut conn: &AsyncPgConnection,
    group: Uuid,
    find: &Find<MemberField>,
    limit: i64,
) -> StoreResult<Vec<((MembershipRecord, UserRecord), Position)>> {
    let mut rows = Rows::new(limit);
    for phase in find.resolve_names(conn).await?.phases()? {
        if rows.wanted() > 0 {
            let query = membership_records::table
                .inner_join(user_records::table)
                .filter(membership_records::group_id.eq(group))
                .filter(phase.condition)
                .order(phase.order)
                .limit(rows.wanted())
                .select((MembershipRecord::as_select(), UserRecord::as_select(), phase.keys));
            let found: Vec<(MembershipRecord, UserRecord, Value)> = query.load(&mut conn).await?;
            let found = found.into_iter().map(|(member, user, keys)| ((member, user), keys)).collect();
            rows.add(found, |(_, user): &(MembershipRecord, UserRecord)| user.id);
        }
    }
    Ok(rows.all())
}

/// Number of matching members.
pub async fn count_members(
    mut conn: &AsyncPgConnection,
    group: Uuid,
    find: &Find<MemberField>,
    how: Total,
) -> StoreResult<i64> {
    let query = membership_records::table
        .inner_join(user_records::table)
        .filter(membership_records::group_id.eq(group))
        .filter(find.resolve_names(conn).await?.count_condition(how));
    match how {
        Total::Exact => Ok(query.count().get_result(&mut conn).await?),
        Total::Estimate => find::estimate(conn, query.select(user_records::id)).await,
    }
}

/// Groups of a user, after a group id.
pub async fn of_user(
    mut conn: &AsyncPgConnection,
    user: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> StoreResult<Vec<(MembershipRecord, GroupRow)>> {
    let query = membership_records::table
        .inner_join(groups::table)
        .filter(membership_records::user_id.eq(user))
        .filter(groups::deleted.eq(false))
        .order(membership_records::group_id)
        .limit(limit)
        .select((MembershipRecord::as_select(), GroupRow::as_select()));
    Ok(match after {
        Some(after) => query.filter(membership_records::group_id.gt(after)).load(&mut conn).await?,
        None => query.load(&mut conn).await?,
    })
}

/// A group to insert.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = groups, treat_none_as_default_value = false)]
pub struct NewGroup {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    pub description: Option<String>,
    pub custom_data: Value,
    pub mfa_required: bool,
    pub created_by: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Inserts a group.
pub async fn insert(mut conn: &AsyncPgConnection, group: &NewGroup) -> StoreResult<()> {
    if let Some(creator) = group.created_by {
        keep(conn, creator).await?;
    }
    let derived = GroupColumns::of(&group.slug, &group.name);
    diesel::insert_into(groups::table).values((group, derived)).execute(&mut conn).await?;
    Ok(())
}

/// Loads a group and locks it: until the transaction ends, no other transaction changes it or its members.
pub async fn lock(mut conn: &AsyncPgConnection, key: GroupKey<'_>) -> StoreResult<Option<GroupRow>> {
    let query = groups::table.filter(key).select(GroupRow::as_select()).for_no_key_update();
    Ok(query.get_result(&mut conn).await.optional()?)
}

/// Changes to a group: `None` keeps a value, `Some(None)` clears it.
#[derive(Clone, Debug, Default, AsChangeset)]
#[diesel(table_name = groups)]
pub struct GroupChanges {
    pub slug: Option<String>,
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub custom_data: Option<Value>,
    pub mfa_required: Option<bool>,
}

/// Updates a group whose row the caller has locked.
pub async fn update(
    mut conn: &AsyncPgConnection,
    id: Uuid,
    changes: GroupChanges,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let derived = if changes.slug.is_some() || changes.name.is_some() {
        let query = groups::table.find(id).select((groups::slug, groups::name));
        let (slug, name): (String, String) = query.get_result(&mut conn).await?;
        let slug = changes.slug.as_ref().unwrap_or(&slug);
        Some(GroupColumns::of(slug, changes.name.as_ref().unwrap_or(&name)))
    } else {
        None
    };
    diesel::update(groups::table.find(id))
        .set((changes, derived, groups::updated_at.eq(now)))
        .cached()
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Deletes a group. Once the transaction commits, no reader sees it, regardless of its size. Memberships and
/// invitations are left to [`crate::erase`]. Concurrent joins finish first, and later ones fail.
pub async fn delete(mut conn: &AsyncPgConnection, id: Uuid) -> StoreResult<()> {
    groups::table.find(id).select(groups::id).for_update().get_result::<Uuid>(&mut conn).await?;
    diesel::update(groups::table.find(id)).set(groups::deleted.eq(true)).cached().execute(&mut conn).await?;
    Ok(())
}

/// A user's membership in a group, if there is one.
pub async fn membership(
    mut conn: &AsyncPgConnection,
    group: Uuid,
    user: Uuid,
) -> StoreResult<Option<MembershipRecord>> {
    let query = membership_records::table
        .filter(membership_records::group_id.eq(group))
        .filter(membership_records::user_id.eq(user))
        .select(MembershipRecord::as_select());
    Ok(query.get_result(&mut conn).await.optional()?)
}

/// True if the group has another owner besides this user who can sign in. The caller has locked the group's
/// row.
pub async fn has_other_owner(
    mut conn: &AsyncPgConnection,
    group: Uuid,
    user: Uuid,
    now: DateTime<Utc>,
) -> StoreResult<bool> {
    let query = group_member_roles::table
        .inner_join(users::table.on(users::id.eq(group_member_roles::user_id)))
        .filter(group_member_roles::group_id.eq(group))
        .filter(group_member_roles::role_id.eq(OWNER))
        .filter(group_member_roles::user_id.ne(user))
        .filter(can_sign_in(now));
    Ok(diesel::select(exists(query)).get_result(&mut conn).await?)
}

diesel::alias!(group_member_roles as others_roles: OthersRoles);

/// Locks the groups that a user owns, in the order of their ids, and returns one that has no other owner who
/// can sign in.
pub async fn lock_owned(
    mut conn: &AsyncPgConnection,
    user: Uuid,
    now: DateTime<Utc>,
) -> StoreResult<Option<GroupRow>> {
    let owned = group_member_roles::table
        .filter(group_member_roles::user_id.eq(user))
        .filter(group_member_roles::role_id.eq(OWNER))
        .select(group_member_roles::group_id);
    let of_user = || groups::table.filter(groups::id.eq_any(owned)).filter(groups::deleted.eq(false));
    let locked = of_user().order(groups::id).select(groups::id).for_no_key_update();
    if locked.load::<Uuid>(&mut conn).await?.is_empty() {
        return Ok(None);
    }
    let others = others_roles
        .inner_join(users::table.on(users::id.eq(others_roles.field(group_member_roles::user_id))))
        .filter(others_roles.field(group_member_roles::group_id).eq(groups::id))
        .filter(others_roles.field(group_member_roles::role_id).eq(OWNER))
        .filter(others_roles.field(group_member_roles::user_id).ne(user))
        .filter(can_sign_in(now));
    let alone = of_user().filter(not(exists(others))).select(GroupRow::as_select());
    Ok(alone.first(&mut conn).await.optional()?)
}

/// Replaces a member's roles with these.
pub async fn set_roles(
    mut conn: &AsyncPgConnection,
    group: Uuid,
    user: Uuid,
    roles: &[Uuid],
) -> StoreResult<()> {
    let held = group_member_roles::table
        .filter(group_member_roles::group_id.eq(group))
        .filter(group_member_roles::user_id.eq(user));
    diesel::delete(held).execute(&mut conn).await?;
    add_roles(conn, group, user, roles).await
}

/// Adds group roles to a member.
pub async fn add_roles(
    mut conn: &AsyncPgConnection,
    group: Uuid,
    user: Uuid,
    roles: &[Uuid],
) -> StoreResult<()> {
    let given = crate::roles::kept(roles).select((
        group.into_sql::<sql_types::Uuid>(),
        user.into_sql::<sql_types::Uuid>(),
        roles::id,
    ));
    let count = diesel::insert_into(group_member_roles::table)
        .values(given)
        .into_columns((
            group_member_roles::group_id,
            group_member_roles::user_id,
            group_member_roles::role_id,
        ))
        .execute(&mut conn)
        .await?;
    // A role was deleted after it was read.
    if count == roles.len() { Ok(()) } else { Err(StoreError::Collision) }
}

/// Removes a user from a group; returns true if they were a member.
pub async fn leave(mut conn: &AsyncPgConnection, group: Uuid, user: Uuid) -> StoreResult<bool> {
    Ok(diesel::delete(group_members::table.find((group, user))).execute(&mut conn).await? == 1)
}

/// Adds a user to a group with these group roles.
pub async fn join(
    conn: &AsyncPgConnection,
    group: Uuid,
    user: Uuid,
    roles: &[Uuid],
    now: DateTime<Utc>,
) -> StoreResult<()> {
    add_member(conn, group, user, now).await?;
    add_roles(conn, group, user, roles).await
}

/// Adds a user to a group without roles.
pub async fn add_member(
    mut conn: &AsyncPgConnection,
    group: Uuid,
    user: Uuid,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let joined = groups::table
        .filter(GroupKey::Id(group))
        .select((groups::id, user.into_sql::<sql_types::Uuid>(), now.into_sql::<sql_types::Timestamptz>()))
        .for_key_share();
    let count = diesel::insert_into(group_members::table)
        .values(joined)
        .into_columns((group_members::group_id, group_members::user_id, group_members::joined_at))
        .execute(&mut conn)
        .await?;
    if count == 0 {
        // The group was deleted after it was read.
        return Err(StoreError::Collision);
    }
    Ok(())
}

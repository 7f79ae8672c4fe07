//! The tables `roles`, `role_permissions` and `user_roles`.

use chrono::{DateTime, Utc};
use diesel::dsl::{auto_type, exists};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_query::fields::RoleField;
use uuid::Uuid;

use crate::cached::Cache;
use crate::derived::RoleColumns;
use crate::error::{StoreError, StoreResult};
use crate::find::{self, Find, Position, Rows, Total};
use crate::schema::{group_member_roles, groups, role_permissions, role_records, roles, user_roles, users};
use crate::seed::ADMINISTRATOR;
use crate::users::can_sign_in;

/// A role with its permissions.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = role_records, check_for_backend(Pg))]
pub struct RoleRecord {
    pub id: Uuid,
    pub scope: String,
    pub name: String,
    pub kind: String,
    pub description: Option<String>,
    pub is_default: bool,
    pub built_in: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub permissions: Vec<String>,
}

/// Identifies a role.
#[derive(Clone, Copy, Debug)]
pub enum RoleKey<'a> {
    /// By id.
    Id(Uuid),
    /// By name.
    Name(&'a str),
}

/// Loads a role.
pub async fn find(mut conn: &AsyncPgConnection, key: RoleKey<'_>) -> StoreResult<Option<RoleRecord>> {
    let query = role_records::table.select(RoleRecord::as_select());
    let role = match key {
        RoleKey::Id(id) => query.filter(role_records::id.eq(id)).get_result(&mut conn).await,
        RoleKey::Name(name) => query.filter(role_records::name.eq(name)).get_result(&mut conn).await,
    };
    Ok(role.optional()?)
}

/// Loads roles by their ids.
pub async fn find_all(mut conn: &AsyncPgConnection, ids: &[Uuid]) -> StoreResult<Vec<RoleRecord>> {
    let query = role_records::table.filter(role_records::id.eq_any(ids)).select(RoleRecord::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Locks a role: until the transaction ends it is neither changed nor granted.
pub async fn lock(mut conn: &AsyncPgConnection, id: Uuid) -> StoreResult<()> {
    let query = roles::table.filter(roles::id.eq(id)).select(roles::id).for_update();
    query.get_result::<Uuid>(&mut conn).await.optional()?;
    Ok(())
}

/// A page of roles; only the global roles that a user holds if `holder` is set.
pub async fn list(
    mut conn: &AsyncPgConnection,
    holder: Option<Uuid>,
    find: &Find<RoleField>,
    limit: i64,
) -> StoreResult<Vec<(RoleRecord, Position)>> {
    let mut rows = Rows::new(limit);
    for phase in find.phases()? {
        if rows.wanted() > 0 {
            let query = held_by(holder).filter(phase.condition).order(phase.order).limit(rows.wanted());
            let query = query.select((RoleRecord::as_select(), phase.keys));
            rows.add(query.load(&mut conn).await?, |row: &RoleRecord| row.id);
        }
    }
    Ok(rows.all())
}

/// Number of matching roles.
pub async fn count(
    mut conn: &AsyncPgConnection,
    holder: Option<Uuid>,
    find: &Find<RoleField>,
    how: Total,
) -> StoreResult<i64> {
    let query = held_by(holder).filter(find.count_condition(how));
    match how {
        Total::Exact => Ok(query.count().get_result(&mut conn).await?),
        Total::Estimate => find::estimate(conn, query.select(role_records::id)).await,
    }
}

fn held_by(holder: Option<Uuid>) -> role_records::BoxedQuery<'static, Pg> {
    let query = role_records::table.into_boxed();
    match holder {
        Some(user) => {
            let held = user_roles::table.filter(user_roles::user_id.eq(user)).select(user_roles::role_id);
            query.filter(role_records::id.eq_any(held))
        }
        None => query,
    }
}

/// A role to insert.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = roles, treat_none_as_default_value = false)]
pub struct NewRole {
    pub id: Uuid,
    pub scope: &'static str,
    pub name: String,
    pub kind: &'static str,
    pub description: Option<String>,
    pub is_default: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Inserts a role with its permissions.
pub async fn insert(mut conn: &AsyncPgConnection, role: &NewRole, permissions: &[String]) -> StoreResult<()> {
    let derived = RoleColumns::of(&role.name, role.description.as_deref());
    diesel::insert_into(roles::table).values((role, derived)).execute(&mut conn).await?;
    add_permissions(conn, role.id, permissions).await
}

/// Changes to a role: `None` keeps a value, `Some(None)` clears it.
#[derive(Clone, Debug, Default, AsChangeset)]
#[diesel(table_name = roles)]
pub struct RoleChanges {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub is_default: Option<bool>,
}

/// Updates a role whose row the caller has locked. The rows of its holders stay unchanged, regardless of
/// their number.
pub async fn update(
    mut conn: &AsyncPgConnection,
    id: Uuid,
    changes: RoleChanges,
    permissions: Option<&[String]>,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let derived = if changes.name.is_some() || changes.description.is_some() {
        let query = roles::table.find(id).select((roles::name, roles::description));
        let (name, description): (String, Option<String>) = query.get_result(&mut conn).await?;
        let description = changes.description.as_ref().unwrap_or(&description);
        Some(RoleColumns::of(changes.name.as_ref().unwrap_or(&name), description.as_deref()))
    } else {
        None
    };
    let changed = (changes, derived, roles::updated_at.eq(now));
    diesel::update(roles::table.find(id)).set(changed).cached().execute(&mut conn).await?;
    if let Some(permissions) = permissions {
        remove_permissions(conn, id).await?;
        add_permissions(conn, id, permissions).await?;
    }
    Ok(())
}

async fn remove_permissions(mut conn: &AsyncPgConnection, role: Uuid) -> StoreResult<()> {
    let target = role_permissions::table.filter(role_permissions::role_id.eq(role));
    diesel::delete(target).execute(&mut conn).await?;
    Ok(())
}

async fn add_permissions(
    mut conn: &AsyncPgConnection,
    role: Uuid,
    permissions: &[String],
) -> StoreResult<()> {
    let rows: Vec<_> = permissions
        .iter()
        .map(|permission| (role_permissions::role_id.eq(role), role_permissions::permission.eq(permission)))
        .collect();
    diesel::insert_into(role_permissions::table)
        .values(rows)
        .on_conflict_do_nothing()
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Number of users and members that hold a role, counted up to a limit because a role may have millions of
/// holders.
pub async fn holders(mut conn: &AsyncPgConnection, role: Uuid, limit: i64) -> StoreResult<i64> {
    let users = user_roles::table.filter(user_roles::role_id.eq(role)).select(user_roles::user_id);
    let users: Vec<Uuid> = users.limit(limit).load(&mut conn).await?;
    let members = group_member_roles::table
        .inner_join(groups::table.on(groups::id.eq(group_member_roles::group_id)))
        .filter(group_member_roles::role_id.eq(role))
        .filter(groups::deleted.eq(false))
        .select(group_member_roles::user_id);
    let members: Vec<Uuid> = members.limit(limit).load(&mut conn).await?;
    Ok(limit.min(i64::try_from(users.len() + members.len()).unwrap_or(i64::MAX)))
}

/// Deletes a role whose row the caller has locked. Once the transaction commits, no reader sees the role or
/// its permissions, regardless of the number of holders. Their rows are left to [`crate::erase`].
pub async fn delete(mut conn: &AsyncPgConnection, role: Uuid) -> StoreResult<()> {
    remove_permissions(conn, role).await?;
    diesel::update(roles::table.find(role)).set(roles::deleted.eq(true)).cached().execute(&mut conn).await?;
    Ok(())
}

/// The roles among `ids` that are not deleted, locked until the transaction ends.
#[auto_type(no_type_alias)]
pub(crate) fn kept<'a>(ids: &'a [Uuid]) -> _ {
    roles::table.filter(roles::id.eq_any(ids)).filter(roles::deleted.eq(false)).for_key_share()
}

/// Removes a role from a user; returns true if they held it.
pub async fn revoke(mut conn: &AsyncPgConnection, user: Uuid, role: Uuid) -> StoreResult<bool> {
    Ok(diesel::delete(user_roles::table.find((user, role))).execute(&mut conn).await? == 1)
}

/// Grants the default roles to a new user.
pub async fn grant_defaults(mut conn: &AsyncPgConnection, user: Uuid, now: DateTime<Utc>) -> StoreResult<()> {
    let defaults = roles::table.filter(roles::is_default.eq(true)).filter(roles::deleted.eq(false));
    let given = defaults.for_key_share().select((
        user.into_sql::<sql_types::Uuid>(),
        roles::id,
        now.into_sql::<sql_types::Timestamptz>(),
    ));
    diesel::insert_into(user_roles::table)
        .values(given)
        .into_columns((user_roles::user_id, user_roles::role_id, user_roles::granted_at))
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Grants a global role to a user.
pub async fn grant(
    mut conn: &AsyncPgConnection,
    user: Uuid,
    role: Uuid,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    let roles = [role];
    let given = kept(&roles).select((
        user.into_sql::<sql_types::Uuid>(),
        roles::id,
        now.into_sql::<sql_types::Timestamptz>(),
    ));
    let count = diesel::insert_into(user_roles::table)
        .values(given)
        .into_columns((user_roles::user_id, user_roles::role_id, user_roles::granted_at))
        .execute(&mut conn)
        .await?;
    // The role was deleted after it was read.
    if count == 1 { Ok(()) } else { Err(StoreError::Collision) }
}

/// The permissions that a user holds globally.
pub async fn permissions_of(mut conn: &AsyncPgConnection, user: Uuid) -> StoreResult<Vec<String>> {
    let query = user_roles::table
        .inner_join(role_permissions::table.on(role_permissions::role_id.eq(user_roles::role_id)))
        .filter(user_roles::user_id.eq(user))
        .select(role_permissions::permission)
        .distinct();
    Ok(query.load(&mut conn).await?)
}

/// True if another administrator besides this user can sign in. Concurrent transactions wait for each other:
/// the role's row stays locked until they end.
pub async fn has_other_administrator(
    mut conn: &AsyncPgConnection,
    user: Uuid,
    now: DateTime<Utc>,
) -> StoreResult<bool> {
    lock(conn, ADMINISTRATOR).await?;
    let query = user_roles::table
        .inner_join(users::table)
        .filter(user_roles::role_id.eq(ADMINISTRATOR))
        .filter(users::id.ne(user))
        .filter(can_sign_in(now));
    Ok(diesel::select(exists(query)).get_result(&mut conn).await?)
}

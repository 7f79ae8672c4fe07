//! The view `grants`: which role gives which user which permission, globally or in a group.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::grants;

/// A permission that a user holds, and why.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = grants, check_for_backend(diesel::pg::Pg))]
pub struct Grant {
    pub group_id: Option<Uuid>,
    pub role: String,
    pub permission: String,
}

/// What a user holds globally and, where a group is named, in it.
pub async fn of_user(
    mut conn: &AsyncPgConnection,
    user: Uuid,
    group: Option<Uuid>,
) -> StoreResult<Vec<Grant>> {
    let query = grants::table
        .filter(grants::user_id.eq(user))
        .filter(grants::group_id.is_null().or(grants::group_id.eq(group)))
        .order((grants::permission, grants::group_id.asc().nulls_first(), grants::role))
        .select(Grant::as_select());
    Ok(query.load(&mut conn).await?)
}

/// The permissions that a user's roles in a group give.
pub async fn in_group(mut conn: &AsyncPgConnection, user: Uuid, group: Uuid) -> StoreResult<Vec<String>> {
    let query = grants::table
        .filter(grants::user_id.eq(user))
        .filter(grants::group_id.eq(group))
        .select(grants::permission)
        .distinct();
    Ok(query.load(&mut conn).await?)
}

/// The role that gives a user a permission, globally or in the group, if one does.
pub async fn why(
    mut conn: &AsyncPgConnection,
    user: Uuid,
    permission: &str,
    group: Option<Uuid>,
) -> StoreResult<Option<Grant>> {
    let query = grants::table
        .filter(grants::user_id.eq(user))
        .filter(grants::permission.eq(permission))
        .filter(grants::group_id.is_null().or(grants::group_id.eq(group)))
        .order((grants::group_id.asc().nulls_first(), grants::role))
        .limit(1)
        .select(Grant::as_select());
    Ok(query.get_result(&mut conn).await.optional()?)
}

//! The tables `roles` and `user_roles`.

use chrono::{DateTime, Utc};
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::{role_permissions, roles, user_roles, users};
use crate::seed::ADMINISTRATOR;

/// Gives a user a global role.
pub async fn grant(
    mut conn: &AsyncPgConnection,
    user: Uuid,
    role: Uuid,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    diesel::insert_into(user_roles::table)
        .values((user_roles::user_id.eq(user), user_roles::role_id.eq(role), user_roles::granted_at.eq(now)))
        .execute(&mut conn)
        .await?;
    Ok(())
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

/// How many administrators who can sign in there are beside this user. Transactions that ask stand in line: the role's
/// row is locked until they end.
pub async fn other_administrators(mut conn: &AsyncPgConnection, user: Uuid) -> StoreResult<i64> {
    roles::table
        .filter(roles::id.eq(ADMINISTRATOR))
        .select(roles::id)
        .for_update()
        .get_result::<Uuid>(&mut conn)
        .await?;
    let query = user_roles::table
        .inner_join(users::table)
        .filter(user_roles::role_id.eq(ADMINISTRATOR))
        .filter(users::id.ne(user))
        .filter(users::suspended.eq(false))
        .filter(users::password_hash.is_not_null())
        .select(count_star());
    Ok(query.get_result(&mut conn).await?)
}

//! What every directory has from the start: the built-in roles, the group `public`, the server's keys. Runs after the
//! migrations, adds what is missing and changes nothing else but the built-in roles' permissions.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_api::access::Permission;
use uuid::{Uuid, uuid};

use crate::error::StoreResult;
use crate::schema::{groups, role_permissions, roles};

/// The role that holds every permission of Rollcall's own.
pub const ADMINISTRATOR: Uuid = uuid!("00000000-0000-7000-8000-000000000001");
/// The group role of owners.
pub const OWNER: Uuid = uuid!("00000000-0000-7000-8000-000000000011");
/// The group role of administrators.
pub const GROUP_ADMIN: Uuid = uuid!("00000000-0000-7000-8000-000000000012");
/// The group role of plain members.
pub const MEMBER: Uuid = uuid!("00000000-0000-7000-8000-000000000013");
/// The group that every new user joins.
pub const PUBLIC: Uuid = uuid!("00000000-0000-7000-8000-000000000021");

const ROLES: &[(Uuid, &str, &str, &str)] = &[
    (ADMINISTRATOR, "global", "administrator", "May do everything in the directory."),
    (OWNER, "group", "owner", "May do everything in the group."),
    (GROUP_ADMIN, "group", "admin", "May manage the group and its members."),
    (MEMBER, "group", "member", "Belongs to the group."),
];

/// Adds what is missing.
pub async fn run(mut conn: &AsyncPgConnection, now: DateTime<Utc>) -> StoreResult<()> {
    for (id, scope, name, description) in ROLES {
        diesel::insert_into(roles::table)
            .values((
                roles::id.eq(id),
                roles::scope.eq(scope),
                roles::name.eq(name),
                roles::description.eq(description),
                roles::built_in.eq(true),
                roles::created_at.eq(now),
                roles::updated_at.eq(now),
            ))
            .on_conflict_do_nothing()
            .execute(&mut conn)
            .await?;
    }
    for permission in Permission::ALL {
        diesel::insert_into(role_permissions::table)
            .values((
                role_permissions::role_id.eq(ADMINISTRATOR),
                role_permissions::permission.eq(permission.as_str()),
            ))
            .on_conflict_do_nothing()
            .execute(&mut conn)
            .await?;
    }
    diesel::insert_into(groups::table)
        .values((
            groups::id.eq(PUBLIC),
            groups::slug.eq("public"),
            groups::name.eq("Public"),
            groups::description.eq("Everybody in the directory."),
            groups::is_default.eq(true),
            groups::created_at.eq(now),
            groups::updated_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(&mut conn)
        .await?;
    Ok(())
}

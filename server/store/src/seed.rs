//! Initial contents of every directory: the built-in roles, the group `public` and the server's keys. Runs
//! after the migrations, adds missing rows and updates only the built-in roles' permissions.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_api::access::Permission;
use uuid::{Uuid, uuid};

use crate::error::StoreResult;
use crate::schema::{groups, role_permissions, roles};

/// The role that holds every permission of Rollcall itself.
pub const ADMINISTRATOR: Uuid = uuid!("00000000-0000-7000-8000-000000000001");
/// The role that reads everything and changes nothing.
pub const AUDITOR: Uuid = uuid!("00000000-0000-7000-8000-000000000002");
/// The group role of owners.
pub const OWNER: Uuid = uuid!("00000000-0000-7000-8000-000000000011");
/// The group role of administrators.
pub const GROUP_ADMIN: Uuid = uuid!("00000000-0000-7000-8000-000000000012");
/// The group role of plain members.
pub const MEMBER: Uuid = uuid!("00000000-0000-7000-8000-000000000013");
/// The group that every new user joins.
pub const PUBLIC: Uuid = uuid!("00000000-0000-7000-8000-000000000021");

/// A built-in role: id, scope, name, description, permissions.
type BuiltIn = (Uuid, &'static str, &'static str, &'static str, &'static [&'static str]);

const ROLES: &[BuiltIn] = &[
    (
        AUDITOR,
        "global",
        "auditor",
        "May see everything in the directory.",
        &["audit:read", "groups:read", "users:read"],
    ),
    (OWNER, "group", "owner", "May do everything in the group.", &["group:admin", "group:own"]),
    (GROUP_ADMIN, "group", "admin", "May manage the group and its members.", &["group:admin"]),
    (MEMBER, "group", "member", "Belongs to the group.", &[]),
];

/// Group roles that applications often need. They carry applications' permissions and can be changed and
/// deleted.
const PRESETS: &[BuiltIn] = &[
    (
        uuid!("00000000-0000-7000-8000-000000000031"),
        "group",
        "maintainer",
        "Manages the group, supervises and works.",
        &["group:admin", "work:do", "work:supervise"],
    ),
    (
        uuid!("00000000-0000-7000-8000-000000000032"),
        "group",
        "supervisor",
        "Supervises and works.",
        &["work:do", "work:supervise"],
    ),
    (uuid!("00000000-0000-7000-8000-000000000033"), "group", "worker", "Works.", &["work:do"]),
    (
        uuid!("00000000-0000-7000-8000-000000000034"),
        "group",
        "read",
        "Reads the group's data.",
        &["data:read"],
    ),
    (
        uuid!("00000000-0000-7000-8000-000000000035"),
        "group",
        "write",
        "Writes the group's data.",
        &["data:write"],
    ),
    (
        uuid!("00000000-0000-7000-8000-000000000036"),
        "group",
        "share_read",
        "Lets others read the group's data.",
        &["data:share_read"],
    ),
    (
        uuid!("00000000-0000-7000-8000-000000000037"),
        "group",
        "share_write",
        "Lets others write the group's data.",
        &["data:share_write"],
    ),
];

/// Adds missing rows. Presets are only inserted into a new directory: an administrator may have deleted them.
pub async fn run(mut conn: &AsyncPgConnection, now: DateTime<Utc>) -> StoreResult<()> {
    let fresh =
        !diesel::select(exists(groups::table.select(groups::id))).get_result::<bool>(&mut conn).await?;
    let everything: Vec<&str> = Permission::ALL
        .iter()
        .filter(|permission| !permission.in_group())
        .map(|permission| permission.as_str())
        .collect();
    let administrator = (
        ADMINISTRATOR,
        "global",
        "administrator",
        "May do everything in the directory.",
        everything.as_slice(),
    );
    add_role(conn, administrator, true, now).await?;
    for (id, scope, name, description, permissions) in ROLES {
        add_role(conn, (*id, scope, name, description, permissions), true, now).await?;
    }
    if fresh {
        for (id, scope, name, description, permissions) in PRESETS {
            add_role(conn, (*id, scope, name, description, permissions), false, now).await?;
        }
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

async fn add_role(
    mut conn: &AsyncPgConnection,
    (id, scope, name, description, permissions): (Uuid, &str, &str, &str, &[&str]),
    built_in: bool,
    now: DateTime<Utc>,
) -> StoreResult<()> {
    diesel::insert_into(roles::table)
        .values((
            roles::id.eq(id),
            roles::scope.eq(scope),
            roles::name.eq(name),
            roles::description.eq(description),
            roles::built_in.eq(built_in),
            roles::created_at.eq(now),
            roles::updated_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(&mut conn)
        .await?;
    let rows: Vec<_> = permissions
        .iter()
        .map(|permission| (role_permissions::role_id.eq(id), role_permissions::permission.eq(*permission)))
        .collect();
    diesel::insert_into(role_permissions::table)
        .values(rows)
        .on_conflict_do_nothing()
        .execute(&mut conn)
        .await?;
    Ok(())
}

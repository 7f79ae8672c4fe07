//! The permissions of users: the view `grants`, which lists the permissions that each role gives to each user
//! and the group where they apply, and its halves `global_grants` and `group_grants`. A query is one
//! statement that also resolves the user and the group it names, and is sent together with the credential
//! lookup.

use chrono::{DateTime, Utc};
use diesel::dsl::{auto_type, exists, min, not};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_api::access::Permission;
use uuid::Uuid;

use crate::error::StoreResult;
use crate::groups::GroupKey;
use crate::schema::{global_grants, grants, group_grants, group_members, groups, sessions, users};
use crate::users::UserKey;

/// A permission that a user holds, and the role that gives it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = grants, check_for_backend(diesel::pg::Pg))]
pub struct Grant {
    pub group_id: Option<Uuid>,
    pub role: String,
    pub permission: String,
}

/// The user that a permission query is about, the group, and the caller.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub user: UserKey<'a>,
    /// Without a group only global roles count.
    pub group: Option<GroupKey<'a>>,
    /// The hash of the caller's token.
    pub asker: &'a [u8],
}

/// The user that a query is about.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(diesel::pg::Pg))]
pub struct Subject {
    pub id: Uuid,
    pub suspended: bool,
    pub suspended_until: Option<DateTime<Utc>>,
}

/// The group that a query names.
#[derive(Clone, Debug, Queryable)]
pub struct Place {
    /// `None` if no such group exists.
    pub id: Option<Uuid>,
    pub asker_is_member: bool,
    pub user_is_member: bool,
}

/// Resolves a query's user and, if it names one, the group.
pub async fn standing(
    mut conn: &AsyncPgConnection,
    question: Question<'_>,
) -> StoreResult<Option<(Subject, Option<Place>)>> {
    let Some(group) = question.group else {
        let query = users::table.filter(question.user).select(Subject::as_select());
        let subject: Option<Subject> = query.get_result(&mut conn).await.optional()?;
        return Ok(subject.map(|subject| (subject, None)));
    };
    let query = users::table
        .left_join(groups::table.on(group))
        .filter(question.user)
        .select((Subject::as_select(), place(question.asker)));
    let found: Option<(Subject, Place)> = query.get_result(&mut conn).await.optional()?;
    Ok(found.map(|(subject, place)| (subject, Some(place))))
}

/// Resolves the same and the role that gives the user a permission, if any: a global role before a group
/// role, and of several the first by name.
pub async fn why(
    mut conn: &AsyncPgConnection,
    question: Question<'_>,
    permission: &str,
) -> StoreResult<Option<(Subject, Option<Place>, Option<Grant>)>> {
    let everywhere = global_grants::table
        .filter(global_grants::user_id.eq(users::id))
        .filter(global_grants::permission.eq(permission))
        .select(min(global_grants::role));
    let here = group_grants::table
        .filter(group_grants::user_id.eq(users::id))
        .filter(group_grants::group_id.nullable().eq(groups::id.nullable()))
        .filter(group_grants::permission.eq(permission))
        .select(min(group_grants::role));
    let grant = |group_id| move |role| Grant { group_id, role, permission: permission.to_owned() };
    let Some(group) = question.group else {
        let query =
            users::table.filter(question.user).select((Subject::as_select(), everywhere.single_value()));
        let found: Option<(Subject, Option<String>)> = query.get_result(&mut conn).await.optional()?;
        return Ok(found.map(|(subject, role)| (subject, None, role.map(grant(None)))));
    };
    let query = users::table.left_join(groups::table.on(group)).filter(question.user).select((
        Subject::as_select(),
        place(question.asker),
        everywhere.single_value(),
        here.single_value(),
    ));
    let found: Option<(Subject, Place, Option<String>, Option<String>)> =
        query.get_result(&mut conn).await.optional()?;
    Ok(found.map(|(subject, place, everywhere, here)| {
        let given = everywhere.map(grant(None)).or(here.map(grant(place.id)));
        (subject, Some(place), given)
    }))
}

/// The columns of [`Place`], selected with those of a user.
#[auto_type(no_type_alias)]
fn place<'a>(asker: &'a [u8]) -> _ {
    let owner = sessions::table.filter(sessions::token_hash.eq(asker)).select(sessions::user_id);
    let members = group_members::table.filter(group_members::group_id.nullable().eq(groups::id.nullable()));
    (
        groups::id.nullable(),
        exists(members.filter(group_members::user_id.nullable().eq(owner.single_value()))),
        exists(members.filter(group_members::user_id.eq(users::id))),
    )
}

/// The permissions that a query's user holds globally and, if a group is named, in it.
pub async fn of_user(mut conn: &AsyncPgConnection, question: Question<'_>) -> StoreResult<Vec<Grant>> {
    let user = users::table.filter(question.user).select(users::id).single_value();
    let query = grants::table
        .filter(grants::user_id.nullable().eq(user))
        .order((grants::permission, grants::group_id.asc().nulls_first(), grants::role))
        .select(Grant::as_select());
    Ok(match question.group {
        None => query.filter(grants::group_id.is_null()).load(&mut conn).await?,
        Some(group) => {
            let group = groups::table.filter(group).select(groups::id).single_value();
            let counts = grants::group_id.is_null().or(grants::group_id.eq(group));
            query.filter(counts).load(&mut conn).await?
        }
    })
}

diesel::alias!(group_grants as others_grants: OthersGrants);

/// True if a user holds a permission in some group that a caller with the global permissions `everywhere`
/// could not grant there. This is the policy's `Giving::InGroup`, evaluated for all of the user's groups in
/// one statement.
pub async fn outranks_in_a_group(
    mut conn: &AsyncPgConnection,
    user: Uuid,
    other: Uuid,
    everywhere: &[String],
) -> StoreResult<bool> {
    let theirs = others_grants.field(group_grants::permission);
    let matched = others_grants
        .filter(others_grants.field(group_grants::user_id).eq(other))
        .filter(others_grants.field(group_grants::group_id).eq(group_grants::group_id))
        .filter(theirs.eq(group_grants::permission).or(theirs.eq(Permission::GroupOwn.as_str())));
    let beyond = group_grants::table
        .filter(group_grants::user_id.eq(user))
        .filter(group_grants::permission.ne_all(everywhere))
        .filter(not(exists(matched)));
    Ok(diesel::select(exists(beyond)).get_result(&mut conn).await?)
}

/// The permissions that a user's roles in a group give.
pub async fn in_group(mut conn: &AsyncPgConnection, user: Uuid, group: Uuid) -> StoreResult<Vec<String>> {
    let query = group_grants::table
        .filter(group_grants::user_id.eq(user))
        .filter(group_grants::group_id.eq(group))
        .select(group_grants::permission)
        .distinct();
    Ok(query.load(&mut conn).await?)
}

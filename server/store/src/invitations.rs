//! The tables `invitations` and `invitation_roles`.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::{group_members, invitation_records, invitation_roles, invitations, roles, users};
use crate::users::keep;

/// A pending membership.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = invitation_records, check_for_backend(Pg))]
pub struct InvitationRecord {
    pub id: Uuid,
    pub group_id: Uuid,
    pub email: Option<String>,
    pub email_folded: Option<String>,
    pub invited_by: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub roles: Vec<String>,
}

/// An invitation to insert.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = invitations, treat_none_as_default_value = false)]
pub struct NewInvitation {
    pub id: Uuid,
    pub group_id: Uuid,
    pub token_hash: Vec<u8>,
    pub email: Option<String>,
    pub email_folded: Option<String>,
    pub invited_by: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// Inserts an invitation.
pub async fn insert(
    mut conn: &AsyncPgConnection,
    invitation: &NewInvitation,
    roles: &[Uuid],
) -> StoreResult<()> {
    if let Some(sender) = invitation.invited_by {
        keep(conn, sender).await?;
    }
    diesel::insert_into(invitations::table).values(invitation).execute(&mut conn).await?;
    let rows: Vec<_> = roles
        .iter()
        .map(|role| (invitation_roles::invitation_id.eq(invitation.id), invitation_roles::role_id.eq(*role)))
        .collect();
    diesel::insert_into(invitation_roles::table)
        .values(rows)
        .on_conflict_do_nothing()
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Loads an invitation by id.
pub async fn find(mut conn: &AsyncPgConnection, id: Uuid) -> StoreResult<Option<InvitationRecord>> {
    let query = invitation_records::table.filter(invitation_records::id.eq(id));
    Ok(query.select(InvitationRecord::as_select()).get_result(&mut conn).await.optional()?)
}

/// SQL condition that the sender still has the right to invite. It repeats the policy's rule here because
/// lists are filtered in the database. The time goes between the two parts.
const BACKED: [&str; 2] = [
    "EXISTS (SELECT FROM users AS sender WHERE sender.id = invitation_records.invited_by \
       AND (NOT sender.suspended OR sender.suspended_until <= ",
    ") AND coalesce(sender.invitations_void_before < invitation_records.created_at, true)) \
     AND (EXISTS (SELECT FROM global_grants WHERE user_id = invited_by AND permission = 'groups:write') \
       OR EXISTS (SELECT FROM group_members AS place WHERE place.group_id = invitation_records.group_id \
         AND place.user_id = invited_by AND place.joined_at <= invitation_records.created_at) \
       AND EXISTS (SELECT FROM group_grants AS held WHERE held.user_id = invited_by \
         AND held.group_id = invitation_records.group_id AND held.permission = 'group:admin') \
       AND NOT EXISTS (SELECT FROM invitation_roles JOIN role_permissions USING (role_id) \
         WHERE invitation_id = invitation_records.id AND NOT EXISTS (SELECT FROM grants AS held \
           WHERE held.user_id = invited_by AND (held.group_id IS NULL OR held.group_id = invitation_records.group_id) \
           AND (held.permission = role_permissions.permission \
             OR held.permission = 'group:own' AND held.group_id IS NOT NULL))))",
];

/// Invitations that can still be accepted.
fn acceptable(now: DateTime<Utc>) -> invitation_records::BoxedQuery<'static, Pg> {
    let [before, after] = BACKED;
    let backed = sql::<Bool>(before).bind::<Timestamptz, _>(now).sql(after);
    invitation_records::table.filter(invitation_records::expires_at.gt(now)).filter(backed).into_boxed()
}

/// True if an invitation can still be accepted.
pub async fn is_acceptable(mut conn: &AsyncPgConnection, id: Uuid, now: DateTime<Utc>) -> StoreResult<bool> {
    let query = acceptable(now).filter(invitation_records::id.eq(id)).select(invitation_records::id);
    Ok(query.get_result::<Uuid>(&mut conn).await.optional()?.is_some())
}

/// Invitations to a group that can still be accepted, after an id.
pub async fn list(
    mut conn: &AsyncPgConnection,
    group: Uuid,
    after: Option<Uuid>,
    limit: i64,
    now: DateTime<Utc>,
) -> StoreResult<Vec<InvitationRecord>> {
    let query = acceptable(now)
        .filter(invitation_records::group_id.eq(group))
        .order(invitation_records::id)
        .limit(limit)
        .select(InvitationRecord::as_select());
    Ok(match after {
        Some(after) => query.filter(invitation_records::id.gt(after)).load(&mut conn).await?,
        None => query.load(&mut conn).await?,
    })
}

/// Locks a live invitation by its token's hash for the rest of the transaction and returns it with the ids of
/// its roles.
pub async fn claim(
    mut conn: &AsyncPgConnection,
    token_hash: &[u8],
    now: DateTime<Utc>,
) -> StoreResult<Option<(InvitationRecord, Vec<Uuid>)>> {
    let query = invitations::table
        .filter(invitations::token_hash.eq(token_hash))
        .filter(invitations::expires_at.gt(now))
        .select(invitations::id)
        .for_update();
    let Some(id) = query.get_result::<Uuid>(&mut conn).await.optional()? else { return Ok(None) };
    let roles = role_ids(conn, id).await?;
    Ok(find(conn, id).await?.map(|record| (record, roles)))
}

/// Loads a live invitation by its token's hash with the ids of its roles, without a lock.
pub async fn find_live(
    mut conn: &AsyncPgConnection,
    token_hash: &[u8],
    now: DateTime<Utc>,
) -> StoreResult<Option<(InvitationRecord, Vec<Uuid>)>> {
    let query = invitation_records::table
        .filter(invitation_records::token_hash.eq(token_hash))
        .filter(invitation_records::expires_at.gt(now))
        .select(InvitationRecord::as_select());
    let Some(record) = query.get_result::<InvitationRecord>(&mut conn).await.optional()? else {
        return Ok(None);
    };
    let roles = role_ids(conn, record.id).await?;
    Ok(Some((record, roles)))
}

/// An inviter's account and membership in the group.
#[derive(Clone, Debug, Queryable)]
pub struct Inviter {
    pub suspended: bool,
    pub suspended_until: Option<DateTime<Utc>>,
    pub invitations_void_before: Option<DateTime<Utc>>,
    /// `None` if the inviter is not a member of the group.
    pub joined_at: Option<DateTime<Utc>>,
}

/// Loads the sender of an invitation to a group.
pub async fn inviter(mut conn: &AsyncPgConnection, user: Uuid, group: Uuid) -> StoreResult<Option<Inviter>> {
    let membership = group_members::user_id.eq(users::id).and(group_members::group_id.eq(group));
    let query =
        users::table.left_join(group_members::table.on(membership)).filter(users::id.eq(user)).select((
            users::suspended,
            users::suspended_until,
            users::invitations_void_before,
            group_members::joined_at.nullable(),
        ));
    Ok(query.get_result(&mut conn).await.optional()?)
}

async fn role_ids(mut conn: &AsyncPgConnection, invitation: Uuid) -> StoreResult<Vec<Uuid>> {
    let query = invitation_roles::table
        .inner_join(roles::table.on(roles::id.eq(invitation_roles::role_id)))
        .filter(invitation_roles::invitation_id.eq(invitation))
        .filter(roles::deleted.eq(false))
        .select(roles::id);
    Ok(query.load(&mut conn).await?)
}

/// Deletes an invitation; returns true if it existed.
pub async fn delete(mut conn: &AsyncPgConnection, group: Uuid, id: Uuid) -> StoreResult<bool> {
    let target = invitations::table.filter(invitations::group_id.eq(group)).filter(invitations::id.eq(id));
    Ok(diesel::delete(target).execute(&mut conn).await? == 1)
}

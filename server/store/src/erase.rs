//! Erasure in batches of the rows that belong to deleted roles, groups and users: the holders of a role, the
//! members and invitations of a group, then the marked row itself; for a user, the references in groups they
//! created, in invitations and in stored responses.
//!
//! Readers never see the remaining rows of a role or group, so the duration does not matter. Every
//! transaction here is short and skips rows that are locked by other transactions.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::error::StoreResult;
use crate::idempotency::{Blank, forget};
use crate::schema::{
    deleted_users, group_member_roles, group_members, groups, idempotency_keys, invitation_roles,
    invitations, roles, user_roles,
};

/// Number of rows of one kind erased in one transaction, and in the deleting request itself.
const BATCH: i64 = 500;

/// A role, group or user that is deleted and not yet erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// A role.
    Role(Uuid),
    /// A group.
    Group(Uuid),
    /// A user.
    User(Uuid),
}

/// Progress through the rows of one deleted resource. Where an index has the order of the rows, the next
/// batch starts after the last erased row: deleted rows stay in the index for a while, and a scan from the
/// beginning would walk past all of them.
#[derive(Clone, Copy, Debug)]
pub struct Erasure {
    what: Deleted,
    part: usize,
    after: Uuid,
}

/// Result of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More rows remain.
    More,
    /// No rows remain.
    Done,
    /// Another server is erasing the resource, or has locked rows of it.
    Busy,
}

/// Result of one batch of a part.
enum Part {
    /// More rows follow after this key.
    After(Uuid),
    /// No unlocked rows remain.
    Over,
}

impl Part {
    fn of(keys: &[Uuid]) -> Self {
        match keys.last() {
            Some(last) if i64::try_from(keys.len()).is_ok_and(|count| count >= BATCH) => Self::After(*last),
            _ => Self::Over,
        }
    }
}

/// Deletes a batch of a table's rows that belong to `$id`, in the order of `$key`.
macro_rules! delete_batch {
    ($conn:expr, $table:ident, $owner:ident = $id:expr, $key:ident > $after:expr) => {{
        let (mut conn, id) = ($conn, $id);
        let keys: Vec<Uuid> = $table::table
            .filter($table::$owner.eq(id))
            .filter($table::$key.gt($after))
            .order($table::$key)
            .limit(BATCH)
            .select($table::$key)
            .for_update()
            .skip_locked()
            .load(&mut conn)
            .await?;
        let target = $table::table.filter($table::$owner.eq(id)).filter($table::$key.eq_any(&keys));
        diesel::delete(target).execute(&mut conn).await?;
        keys
    }};
}

/// Locks a batch of a table's rows that match a condition and returns their ids.
macro_rules! lock_batch {
    ($conn:expr, $table:ident, $condition:expr) => {{
        let mut conn = $conn;
        let query = $table::table.filter($condition).limit(BATCH).select($table::id);
        let ids: Vec<Uuid> = query.for_update().skip_locked().load(&mut conn).await?;
        ids
    }};
}

impl Erasure {
    /// An erasure that has not started.
    pub fn of(what: Deleted) -> Self {
        Self { what, part: 0, after: Uuid::nil() }
    }

    /// Erases one batch in the caller's transaction.
    pub async fn step(&mut self, conn: &AsyncPgConnection) -> StoreResult<Progress> {
        if !lock(conn, self.what).await? {
            return Ok(Progress::Busy);
        }
        let left = match self.what {
            Deleted::Role(id) => role(conn, id, self.part, self.after).await?,
            Deleted::Group(id) => group(conn, id, self.part, self.after).await?,
            Deleted::User(id) => user(conn, id, self.part).await?,
        };
        match left {
            Some(Part::After(key)) => self.after = key,
            Some(Part::Over) => (self.part, self.after) = (self.part + 1, Uuid::nil()),
            None => {
                let finished = finish(conn, self.what).await?;
                return Ok(if finished { Progress::Done } else { Progress::Busy });
            }
        }
        Ok(Progress::More)
    }

    /// Erases everything in the caller's transaction if each kind has less than a batch of rows; otherwise
    /// returns [`Progress::More`].
    pub async fn small(what: Deleted, conn: &AsyncPgConnection) -> StoreResult<Progress> {
        let mut erasure = Self::of(what);
        loop {
            let part = erasure.part;
            match erasure.step(conn).await? {
                Progress::More if erasure.part > part => {}
                progress => return Ok(progress),
            }
        }
    }
}

/// Deleted resources that are not yet erased, up to a maximum of each kind.
pub async fn deleted(mut conn: &AsyncPgConnection) -> StoreResult<Vec<Deleted>> {
    let of_roles = roles::table.filter(roles::deleted.eq(true)).order(roles::id).limit(BATCH);
    let of_roles: Vec<Uuid> = of_roles.select(roles::id).load(&mut conn).await?;
    let of_groups = groups::table.filter(groups::deleted.eq(true)).order(groups::id).limit(BATCH);
    let of_groups: Vec<Uuid> = of_groups.select(groups::id).load(&mut conn).await?;
    let of_users = deleted_users::table.filter(deleted_users::erased.eq(false)).order(deleted_users::id);
    let of_users: Vec<Uuid> = of_users.limit(BATCH).select(deleted_users::id).load(&mut conn).await?;
    let of_roles = of_roles.into_iter().map(Deleted::Role);
    let of_groups = of_groups.into_iter().map(Deleted::Group);
    Ok(of_roles.chain(of_groups).chain(of_users.into_iter().map(Deleted::User)).collect())
}

/// Locks the marked row or the tombstone. Returns false if another server holds the lock or nothing is left
/// to erase.
async fn lock(mut conn: &AsyncPgConnection, what: Deleted) -> StoreResult<bool> {
    let locked: Option<Uuid> = match what {
        Deleted::Role(id) => {
            let query = roles::table.find(id).filter(roles::deleted.eq(true)).select(roles::id);
            query.for_no_key_update().skip_locked().get_result(&mut conn).await.optional()?
        }
        Deleted::Group(id) => {
            let query = groups::table.find(id).filter(groups::deleted.eq(true)).select(groups::id);
            query.for_no_key_update().skip_locked().get_result(&mut conn).await.optional()?
        }
        Deleted::User(id) => {
            let query = deleted_users::table.find(id).filter(deleted_users::erased.eq(false));
            let query = query.select(deleted_users::id).for_no_key_update().skip_locked();
            query.get_result(&mut conn).await.optional()?
        }
    };
    Ok(locked.is_some())
}

/// Erases a batch of one part of a role's remaining rows; `None` after the last part.
async fn role(conn: &AsyncPgConnection, id: Uuid, part: usize, after: Uuid) -> StoreResult<Option<Part>> {
    let erased = match part {
        0 => delete_batch!(conn, user_roles, role_id = id, user_id > after),
        1 => delete_batch!(conn, group_member_roles, role_id = id, user_id > after),
        2 => delete_batch!(conn, invitation_roles, role_id = id, invitation_id > after),
        _ => return Ok(None),
    };
    Ok(Some(Part::of(&erased)))
}

/// Erases a batch of one part of a group's remaining rows; `None` after the last part.
async fn group(conn: &AsyncPgConnection, id: Uuid, part: usize, after: Uuid) -> StoreResult<Option<Part>> {
    let erased = match part {
        0 => delete_batch!(conn, group_members, group_id = id, user_id > after),
        1 => {
            let erased = delete_batch!(conn, invitations, group_id = id, id > after);
            // The stored responses contain the recipients' addresses.
            forget(conn, &erased).await?;
            erased
        }
        _ => return Ok(None),
    };
    Ok(Some(Part::of(&erased)))
}

/// Erases a batch of one part of a user's remaining references. An erased row matches neither the user's id
/// nor their address any more.
async fn user(mut conn: &AsyncPgConnection, id: Uuid, part: usize) -> StoreResult<Option<Part>> {
    let found = match part {
        0 => {
            let found = lock_batch!(conn, groups, groups::created_by.eq(id));
            let target = groups::table.filter(groups::id.eq_any(&found));
            diesel::update(target).set(groups::created_by.eq(None::<Uuid>)).execute(&mut conn).await?;
            found
        }
        1 => {
            let found = lock_batch!(conn, invitations, invitations::invited_by.eq(id));
            let target = invitations::table.filter(invitations::id.eq_any(&found));
            diesel::update(target).set(invitations::invited_by.eq(None::<Uuid>)).execute(&mut conn).await?;
            found
        }
        2 => {
            let (address, until) = address(conn, id).await?;
            let to_them = invitations::email_folded.eq(address).and(invitations::created_at.le(until));
            let found = lock_batch!(conn, invitations, to_them);
            forget(conn, &found).await?;
            let target = invitations::table.filter(invitations::id.eq_any(&found));
            diesel::delete(target).execute(&mut conn).await?;
            found
        }
        3 => {
            let about = idempotency_keys::table.filter(idempotency_keys::resource_id.eq(id));
            let query = about
                .filter(idempotency_keys::body.ne(""))
                .limit(BATCH)
                .select((idempotency_keys::caller, idempotency_keys::key));
            let found: Vec<(String, String)> = query.for_update().skip_locked().load(&mut conn).await?;
            let count = found.len();
            let (callers, keys): (Vec<String>, Vec<String>) = found.into_iter().unzip();
            let target = about.filter(idempotency_keys::caller.eq_any(callers));
            let target = target.filter(idempotency_keys::key.eq_any(keys));
            diesel::update(target).set(Blank::default()).execute(&mut conn).await?;
            vec![id; count]
        }
        _ => return Ok(None),
    };
    Ok(Some(Part::of(&found)))
}

/// The address of a deleted user and the time until which they held it: another user may have it since.
async fn address(mut conn: &AsyncPgConnection, user: Uuid) -> StoreResult<(Option<String>, DateTime<Utc>)> {
    let query = deleted_users::table.find(user);
    let query = query.select((deleted_users::email_folded, deleted_users::deleted_at));
    Ok(query.get_result(&mut conn).await?)
}

/// Removes the mark or the marked row once nothing is left; returns true if it did.
async fn finish(mut conn: &AsyncPgConnection, what: Deleted) -> StoreResult<bool> {
    let count = match what {
        Deleted::Role(id) => {
            let held = user_roles::table.filter(user_roles::role_id.eq(id));
            let held_in_groups = group_member_roles::table.filter(group_member_roles::role_id.eq(id));
            let promised = invitation_roles::table.filter(invitation_roles::role_id.eq(id));
            let target = roles::table.filter(roles::id.eq(id)).filter(roles::deleted.eq(true));
            let target = target.filter(not(exists(held))).filter(not(exists(held_in_groups)));
            diesel::delete(target.filter(not(exists(promised)))).execute(&mut conn).await?
        }
        Deleted::Group(id) => {
            let members = group_members::table.filter(group_members::group_id.eq(id));
            let invited = invitations::table.filter(invitations::group_id.eq(id));
            let target = groups::table.filter(groups::id.eq(id)).filter(groups::deleted.eq(true));
            let target = target.filter(not(exists(members))).filter(not(exists(invited)));
            diesel::delete(target).execute(&mut conn).await?
        }
        Deleted::User(id) => {
            let (address, until) = address(conn, id).await?;
            let to_them = invitations::email_folded.eq(address).and(invitations::created_at.le(until));
            let left = invitations::table
                .filter(to_them.assume_not_null().or(invitations::invited_by.eq(id).assume_not_null()));
            let made = groups::table.filter(groups::created_by.eq(id));
            let target = deleted_users::table.filter(deleted_users::id.eq(id));
            let kept = idempotency_keys::table.filter(idempotency_keys::resource_id.eq(id));
            let kept = kept.filter(idempotency_keys::body.ne(""));
            let target = target.filter(not(exists(made))).filter(not(exists(left))).filter(not(exists(kept)));
            let erased = (deleted_users::erased.eq(true), deleted_users::email_folded.eq(None::<String>));
            diesel::update(target).set(erased).execute(&mut conn).await?
        }
    };
    Ok(count == 1)
}

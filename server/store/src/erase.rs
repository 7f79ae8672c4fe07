//! The rows that deleted roles and groups leave: their holders, members and invitations, erased some at a time, and then
//! the marked row itself. Nobody sees them meanwhile, so it doesn't matter how long that takes; every transaction here is
//! short, and leaves rows that somebody else has locked for later.

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::{
    group_member_roles, group_members, groups, invitation_roles, invitations, roles, user_roles,
};

/// How many rows of a kind are erased in one transaction, and in the request that deletes.
const BATCH: i64 = 500;

/// A role or group that is deleted and not yet erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// A role.
    Role(Uuid),
    /// A group.
    Group(Uuid),
}

/// The way through the rows of one of them. Each part goes on behind the last row that it erased: rows that are gone
/// stay in the index for a while, and to begin at the first would be to walk past all of them each time.
#[derive(Clone, Copy, Debug)]
pub struct Erasure {
    what: Deleted,
    part: usize,
    after: Uuid,
}

/// How far an erasure has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is more to erase.
    More,
    /// Everything is gone, the row itself too.
    Done,
    /// Somebody else is at it, or has locked rows of it.
    Busy,
}

/// Deletes a batch of the rows of `$table` that belong to `$id` by `$owner`, in the order of `$key`, and gives the last
/// key; None where there were fewer than a batch.
macro_rules! erase {
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
        let full = i64::try_from(keys.len()).is_ok_and(|count| count == BATCH);
        keys.last().copied().filter(|_| full)
    }};
}

impl Erasure {
    /// From the beginning.
    pub fn of(what: Deleted) -> Self {
        Self { what, part: 0, after: Uuid::nil() }
    }

    /// Erases a batch, in the caller's transaction.
    pub async fn step(&mut self, conn: &AsyncPgConnection) -> StoreResult<Progress> {
        if !lock(conn, self.what).await? {
            return Ok(Progress::Busy);
        }
        let last = match (self.what, self.part) {
            (Deleted::Role(id), 0) => erase!(conn, user_roles, role_id = id, user_id > self.after),
            (Deleted::Role(id), 1) => erase!(conn, group_member_roles, role_id = id, user_id > self.after),
            (Deleted::Role(id), 2) => {
                erase!(conn, invitation_roles, role_id = id, invitation_id > self.after)
            }
            (Deleted::Group(id), 0) => erase!(conn, group_members, group_id = id, user_id > self.after),
            (Deleted::Group(id), 1) => erase!(conn, invitations, group_id = id, id > self.after),
            (what, _) => {
                return if finish(conn, what).await? { Ok(Progress::Done) } else { Ok(Progress::Busy) };
            }
        };
        match last {
            Some(last) => self.after = last,
            None => (self.part, self.after) = (self.part + 1, Uuid::nil()),
        }
        Ok(Progress::More)
    }

    /// Erases everything in the caller's transaction where that is at most a batch of each kind; otherwise says that
    /// there is more.
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

/// What is deleted and not yet erased, a number of each kind at most.
pub async fn deleted(mut conn: &AsyncPgConnection) -> StoreResult<Vec<Deleted>> {
    let of_roles = roles::table.filter(roles::deleted.eq(true)).select(roles::id).order(roles::id);
    let of_roles: Vec<Uuid> = of_roles.limit(BATCH).load(&mut conn).await?;
    let of_groups = groups::table.filter(groups::deleted.eq(true)).select(groups::id).order(groups::id);
    let of_groups: Vec<Uuid> = of_groups.limit(BATCH).load(&mut conn).await?;
    Ok(of_roles.into_iter().map(Deleted::Role).chain(of_groups.into_iter().map(Deleted::Group)).collect())
}

/// Locks the marked row; false where another server has it, or it is gone.
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
    };
    Ok(locked.is_some())
}

/// Deletes the marked row where nothing refers to it any more; says whether it did.
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
    };
    Ok(count == 1)
}

//! Fields that live in other tables: whether there is a row there. `EXISTS` leaves the planner free to begin at either
//! end, also where it is negated.

use diesel::dsl::exists;
use diesel::prelude::*;
use rollcall_query::fields::GroupEntryField;
use rollcall_query::{Filter, Test, TextTest};

use super::columns::Column;
use super::condition::{self, Condition, one_of_ids};
use super::ids::Ids;
use super::resources::{Resource, Source};
use crate::schema::{
    group_member_roles, group_members, groups, membership_records, role_permissions, role_records, roles,
    user_records, user_roles,
};

/// A condition on a column of ids of roles: the role is there. One that is deleted may have left rows that wait for their
/// erasure.
macro_rules! is_live_role {
    ($column:path) => {
        Condition::certain(exists(
            roles::table.filter(roles::id.eq($column)).filter(roles::deleted.eq(false)),
        ))
    };
}

/// The same of groups.
macro_rules! is_live_group {
    ($column:path) => {
        Condition::certain(exists(
            groups::table.filter(groups::id.eq($column)).filter(groups::deleted.eq(false)),
        ))
    };
}

/// Global roles of a user.
pub fn roles_of_user(test: &Test, ids: &Ids) -> Condition {
    let wanted = match test {
        Test::Names(names) => one_of_ids(Column::of(&user_roles::role_id), ids.roles(names)),
        _ => is_live_role!(user_roles::role_id),
    };
    let held = user_roles::table.filter(user_roles::user_id.eq(user_records::id)).filter(wanted);
    Condition::certain(exists(held))
}

/// Groups of a user.
pub fn groups_of_user(test: &Test, ids: &Ids) -> Condition {
    let Test::Group(entry) = test else { return memberships(is_live_group!(group_members::group_id)) };
    let parts =
        if let Filter::All(parts) = &**entry { parts.as_slice() } else { std::slice::from_ref(&**entry) };
    // Where a role is asked for, its holders are the table to begin with: they are fewer than the members.
    let is_role = |part: &&Filter<_>| matches!(part, Filter::Test(GroupEntryField::Role, Test::Names(_)));
    let is_slug = |part: &&Filter<_>| matches!(part, Filter::Test(GroupEntryField::Slug, Test::Text(_)));
    // A named group was looked up, and is there.
    let named = parts.iter().any(|part| is_slug(&part));
    let Some(role) = parts.iter().find(is_role) else {
        let mut wanted = vec![condition::of(&**entry, ids)];
        if !named {
            wanted.push(is_live_group!(group_members::group_id));
        }
        return memberships(Condition::All(wanted));
    };
    let mut held = vec![Condition::leaf(group_member_roles::user_id.eq(user_records::id))];
    if !named {
        held.push(is_live_group!(group_member_roles::group_id));
    }
    let mut rest = Vec::new();
    for part in parts {
        match part {
            Filter::Test(_, Test::Names(names)) if std::ptr::eq(part, role) => {
                held.push(one_of_ids(Column::of(&group_member_roles::role_id), ids.roles(names)));
            }
            Filter::Test(_, test) if is_slug(&part) => {
                held.push(one_of_ids(Column::of(&group_member_roles::group_id), slugs(test, ids)));
            }
            part => rest.push(condition::of(part, ids)),
        }
    }
    if !rest.is_empty() {
        let member = group_members::table
            .filter(group_members::group_id.eq(group_member_roles::group_id))
            .filter(group_members::user_id.eq(group_member_roles::user_id))
            .filter(Condition::All(rest));
        held.push(Condition::certain(exists(member)));
    }
    Condition::certain(exists(group_member_roles::table.filter(Condition::All(held))))
}

fn memberships(entry: Condition) -> Condition {
    let members = group_members::table.filter(group_members::user_id.eq(user_records::id)).filter(entry);
    Condition::certain(exists(members))
}

fn slugs(test: &Test, ids: &Ids) -> Vec<uuid::Uuid> {
    if let Test::Text(TextTest::Equal(slugs, _)) = test { ids.groups(slugs) } else { Vec::new() }
}

/// Permissions of a role.
pub fn permissions_of_role(test: &Test, _: &Ids) -> Condition {
    let given = role_permissions::table.filter(role_permissions::role_id.eq(role_records::id));
    match test {
        Test::Names(names) => {
            Condition::certain(exists(given.filter(role_permissions::permission.eq_any(names.clone()))))
        }
        _ => Condition::certain(exists(given)),
    }
}

/// Roles of a member in the listed group.
pub fn roles_of_member(test: &Test, ids: &Ids) -> Condition {
    let held = group_member_roles::table
        .filter(group_member_roles::group_id.eq(membership_records::group_id))
        .filter(group_member_roles::user_id.eq(membership_records::user_id))
        .filter(group_role(test, ids));
    Condition::certain(exists(held))
}

/// Roles of a user in one of the user's groups.
fn roles_of_entry(test: &Test, ids: &Ids) -> Condition {
    let held = group_member_roles::table
        .filter(group_member_roles::group_id.eq(group_members::group_id))
        .filter(group_member_roles::user_id.eq(group_members::user_id))
        .filter(group_role(test, ids));
    Condition::certain(exists(held))
}

fn group_role(test: &Test, ids: &Ids) -> Condition {
    match test {
        Test::Names(names) => one_of_ids(Column::of(&group_member_roles::role_id), ids.roles(names)),
        _ => is_live_role!(group_member_roles::role_id),
    }
}

fn slug_of_entry(test: &Test, ids: &Ids) -> Condition {
    match test {
        Test::Present => Condition::everything(),
        test => one_of_ids(Column::of(&group_members::group_id), slugs(test, ids)),
    }
}

impl Resource for GroupEntryField {
    fn id() -> super::columns::IdColumn {
        Column::of(&group_members::user_id)
    }

    fn source(self) -> Source {
        match self {
            Self::Slug => Source::Relation(slug_of_entry),
            Self::Role => Source::Relation(roles_of_entry),
        }
    }
}

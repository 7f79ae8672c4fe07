//! Fields that depend on rows of other tables. `EXISTS` leaves the planner free to start from either side,
//! also under negation.

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

/// Condition on a column of role ids: the role is not deleted. A deleted role may have rows that are not
/// erased yet.
macro_rules! is_live_role {
    ($column:path) => {
        Condition::non_null(exists(
            roles::table.filter(roles::id.eq($column)).filter(roles::deleted.eq(false)),
        ))
    };
}

/// Condition on a column of group ids: the group is not deleted.
macro_rules! is_live_group {
    ($column:path) => {
        Condition::non_null(exists(
            groups::table.filter(groups::id.eq($column)).filter(groups::deleted.eq(false)),
        ))
    };
}

/// Test of a user's global roles.
pub fn roles_of_user(test: &Test, ids: &Ids) -> Condition {
    let wanted = match test {
        Test::Names(names) => one_of_ids(Column::of(&user_roles::role_id), ids.roles(names)),
        _ => is_live_role!(user_roles::role_id),
    };
    let held = user_roles::table.filter(user_roles::user_id.eq(user_records::id)).filter(wanted);
    Condition::non_null(exists(held))
}

/// Test of a user's groups.
pub fn groups_of_user(test: &Test, ids: &Ids) -> Condition {
    let Test::Group(entry) = test else { return memberships(is_live_group!(group_members::group_id)) };
    let parts =
        if let Filter::All(parts) = &**entry { parts.as_slice() } else { std::slice::from_ref(&**entry) };
    // With a role in the condition, its holders are the better table to start from: they are fewer than the
    // members.
    let is_role = |part: &&Filter<_>| matches!(part, Filter::Test(GroupEntryField::Role, Test::Names(_)));
    let is_slug = |part: &&Filter<_>| matches!(part, Filter::Test(GroupEntryField::Slug, Test::Text(_)));
    // A named group was looked up and exists.
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
        held.push(Condition::non_null(exists(member)));
    }
    Condition::non_null(exists(group_member_roles::table.filter(Condition::All(held))))
}

fn memberships(entry: Condition) -> Condition {
    let members = group_members::table.filter(group_members::user_id.eq(user_records::id)).filter(entry);
    Condition::non_null(exists(members))
}

fn slugs(test: &Test, ids: &Ids) -> Vec<uuid::Uuid> {
    if let Test::Text(TextTest::Equal(slugs, _)) = test { ids.groups(slugs) } else { Vec::new() }
}

/// Test of a role's permissions.
pub fn permissions_of_role(test: &Test, _: &Ids) -> Condition {
    let given = role_permissions::table.filter(role_permissions::role_id.eq(role_records::id));
    match test {
        Test::Names(names) => {
            Condition::non_null(exists(given.filter(role_permissions::permission.eq_any(names.clone()))))
        }
        _ => Condition::non_null(exists(given)),
    }
}

/// Test of a member's roles in the listed group.
pub fn roles_of_member(test: &Test, ids: &Ids) -> Condition {
    let held = group_member_roles::table
        .filter(group_member_roles::group_id.eq(membership_records::group_id))
        .filter(group_member_roles::user_id.eq(membership_records::user_id))
        .filter(group_role(test, ids));
    Condition::non_null(exists(held))
}

/// Test of a user's roles in one of the user's groups.
fn roles_of_entry(test: &Test, ids: &Ids) -> Condition {
    let held = group_member_roles::table
        .filter(group_member_roles::group_id.eq(group_members::group_id))
        .filter(group_member_roles::user_id.eq(group_members::user_id))
        .filter(group_role(test, ids));
    Condition::non_null(exists(held))
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

//! The fields of a group's members.

use crate::field::{Field, Fields, Kind};

/// A field of a group's members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table describes the fields")]
pub enum MemberField {
    Id,
    Username,
    Email,
    Phone,
    Name,
    GivenName,
    FamilyName,
    Suspended,
    Roles,
    JoinedAt,
}

impl Fields for MemberField {
    const TABLE: &'static [Field<Self>] = &[
        Field::new(Self::Id, "id", Kind::Id, "B-tree").everyone().sorted(),
        Field::new(Self::Username, "username", Kind::Text, "as users").everyone().searched().sorted(),
        Field::new(Self::Email, "email", Kind::Text, "as users").searched().sorted(),
        Field::new(Self::Phone, "phone", Kind::Text, "as users").searched(),
        Field::new(Self::Name, "name", Kind::Text, "as users").everyone().searched().sorted(),
        Field::new(Self::GivenName, "given_name", Kind::Text, "as users").searched().sorted(),
        Field::new(Self::FamilyName, "family_name", Kind::Text, "as users").searched().sorted(),
        Field::new(Self::Suspended, "suspended", Kind::Bool, "as users"),
        Field::new(Self::Roles, "roles", Kind::Names, "B-tree of the group's roles").everyone(),
        Field::new(Self::JoinedAt, "joined_at", Kind::Time, "B-tree").everyone().sorted(),
    ];
}

//! The fields of users.

use crate::field::{Field, Fields, Kind};

/// A field of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table describes the fields")]
pub enum UserField {
    Id,
    Username,
    Email,
    Phone,
    Name,
    GivenName,
    FamilyName,
    Suspended,
    HasPassword,
    Roles,
    Groups,
    CreatedVia,
    CreatedAt,
    UpdatedAt,
    LastSignInAt,
    CustomData,
    Profile,
}

impl Fields for UserField {
    const TABLE: &'static [Field<Self>] = &[
        Field::new(Self::Id, "id", Kind::Id, "B-tree").everyone().sorted(),
        Field::new(Self::Username, "username", Kind::Text, "B-tree, trigrams").everyone().searched().sorted(),
        Field::new(Self::Email, "email", Kind::Text, "B-tree, trigrams").searched().sorted(),
        Field::new(Self::Phone, "phone", Kind::Text, "B-tree, trigrams").searched(),
        Field::new(Self::Name, "name", Kind::Text, "B-tree, trigrams").everyone().searched().sorted(),
        Field::new(Self::GivenName, "given_name", Kind::Text, "B-tree, trigrams").searched().sorted(),
        Field::new(Self::FamilyName, "family_name", Kind::Text, "B-tree, trigrams").searched().sorted(),
        Field::new(Self::Suspended, "suspended", Kind::Bool, "B-tree").sorted(),
        Field::new(Self::HasPassword, "has_password", Kind::Bool, "B-tree"),
        Field::new(Self::Roles, "roles", Kind::Names, "B-tree of holders"),
        Field::new(Self::Groups, "groups", Kind::Groups, "B-tree of members"),
        Field::new(Self::CreatedVia, "created_via", Kind::Word, "B-tree"),
        Field::new(Self::CreatedAt, "created_at", Kind::Time, "B-tree").sorted(),
        Field::new(Self::UpdatedAt, "updated_at", Kind::Time, "B-tree").sorted(),
        Field::new(Self::LastSignInAt, "last_sign_in_at", Kind::Time, "B-tree").sorted(),
        Field::new(Self::CustomData, "custom_data", Kind::Json, "GIN; `pr` walks"),
        Field::new(Self::Profile, "profile", Kind::Json, "GIN; `pr` walks"),
    ];
}

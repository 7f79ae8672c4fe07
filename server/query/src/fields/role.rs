//! The fields of roles.

use crate::field::{Field, Fields, Kind};

/// A field of roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table describes the fields")]
pub enum RoleField {
    Id,
    Name,
    Description,
    Scope,
    Type,
    IsDefault,
    BuiltIn,
    Permissions,
    CreatedAt,
    UpdatedAt,
}

impl Fields for RoleField {
    const TABLE: &'static [Field<Self>] = &[
        Field::new(Self::Id, "id", Kind::Id, "B-tree").everyone().sorted(),
        Field::new(Self::Name, "name", Kind::Text, "B-tree").everyone().searched().sorted(),
        Field::new(Self::Description, "description", Kind::Text, "none").everyone().searched(),
        Field::new(Self::Scope, "scope", Kind::Word, "none").everyone(),
        Field::new(Self::Type, "type", Kind::Word, "none").everyone(),
        Field::new(Self::IsDefault, "is_default", Kind::Bool, "B-tree of those").everyone(),
        Field::new(Self::BuiltIn, "built_in", Kind::Bool, "none").everyone(),
        Field::new(Self::Permissions, "permissions", Kind::Names, "B-tree").everyone(),
        Field::new(Self::CreatedAt, "created_at", Kind::Time, "none").everyone().sorted(),
        Field::new(Self::UpdatedAt, "updated_at", Kind::Time, "none").everyone().sorted(),
    ];
}

//! The fields of groups, and of the groups of a user.

use crate::field::{Field, Fields, Kind};

/// A field of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table describes the fields")]
pub enum GroupField {
    Id,
    Slug,
    Name,
    Default,
    MfaRequired,
    CreatedBy,
    CreatedAt,
    UpdatedAt,
    CustomData,
}

impl Fields for GroupField {
    const TABLE: &'static [Field<Self>] = &[
        Field::new(Self::Id, "id", Kind::Id, "B-tree").everyone().sorted(),
        Field::new(Self::Slug, "slug", Kind::Text, "B-tree").everyone().searched().sorted(),
        Field::new(Self::Name, "name", Kind::Text, "B-tree").everyone().searched().sorted(),
        Field::new(Self::Default, "default", Kind::Bool, "B-tree").everyone(),
        Field::new(Self::MfaRequired, "mfa_required", Kind::Bool, "none").everyone(),
        Field::new(Self::CreatedBy, "created_by", Kind::Id, "B-tree").everyone(),
        Field::new(Self::CreatedAt, "created_at", Kind::Time, "B-tree").everyone().sorted(),
        Field::new(Self::UpdatedAt, "updated_at", Kind::Time, "B-tree").everyone().sorted(),
        Field::new(Self::CustomData, "custom_data", Kind::Json, "GIN; `pr` walks").everyone(),
    ];
}

/// A field of one of a user's groups, for `groups[…]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table describes the fields")]
pub enum GroupEntryField {
    Slug,
    Role,
}

impl Fields for GroupEntryField {
    const TABLE: &'static [Field<Self>] = &[
        Field::new(Self::Slug, "slug", Kind::Word, "B-tree").everyone(),
        Field::new(Self::Role, "role", Kind::Names, "B-tree").everyone(),
    ];
}

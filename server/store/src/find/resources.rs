//! The columns of each field: the counterpart of the field tables in `rollcall-query`. The `match` is
//! exhaustive, so a new field does not compile without its column.

use rollcall_query::Fields;
use rollcall_query::fields::{AuditEventField, GroupField, MemberField, RoleField, UserField};

use super::columns::{BoolColumn, BytesColumn, Column, IdColumn, JsonColumn, Named, TextColumn, TimeColumn};
use super::condition::{Condition, TextColumns};
use super::ids::Ids;
use super::relations;
use super::words::words;
use crate::schema::{audit_events, groups, membership_records, role_records, user_records};
use rollcall_query::Test;

/// A resource whose fields have columns.
pub trait Resource: Fields {
    /// The id column, which breaks ties.
    fn id() -> IdColumn;

    /// The column with all searched texts of a row, one terminated line each (see [`crate::derived`]).
    fn search_text() -> Option<TextColumn> {
        None
    }

    /// The columns or tables behind the field.
    fn source(self) -> Source;

    /// True if the field may be null.
    fn is_nullable(self) -> bool {
        false
    }
}

/// The storage of a field.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// Text columns.
    Text(TextColumns),
    /// A column of ids.
    Id(IdColumn),
    /// A Boolean column.
    Bool(BoolColumn),
    /// A column of times.
    Time(TimeColumn),
    /// A JSON column.
    Json(JsonColumn),
    /// Rows of other tables.
    Relation(fn(&Test, &Ids) -> Condition),
}

/// A text without a folded form: the names of things that have no capital letters.
fn same(column: TextColumn) -> Source {
    Source::Text(TextColumns { raw: column, folded: column, key: None, words: None, indexed: None })
}

/// The sort keys of a user's texts.
const USERNAME_KEY: &Named = &Named("\"user_records\".\"sort_keys\"[1]");
const NAME_KEY: &Named = &Named("\"user_records\".\"sort_keys\"[2]");
const GIVEN_NAME_KEY: &Named = &Named("\"user_records\".\"sort_keys\"[3]");
const FAMILY_NAME_KEY: &Named = &Named("\"user_records\".\"sort_keys\"[4]");

impl Resource for UserField {
    fn id() -> IdColumn {
        Column::of(&user_records::id)
    }

    fn search_text() -> Option<TextColumn> {
        Some(Column::of(&user_records::search))
    }

    fn source(self) -> Source {
        let text = |raw, folded, key: Option<&'static Named>, words| {
            let key: Option<BytesColumn> = key.map(Column::named);
            Source::Text(TextColumns { raw, folded, key, words: Some(words), indexed: Self::search_text() })
        };
        match self {
            Self::Id => Source::Id(Self::id()),
            Self::Username => text(
                Column::of(&user_records::username),
                Column::of(&user_records::username_folded),
                Some(USERNAME_KEY),
                words!("user_records", "2", "8"),
            ),
            Self::Email => text(
                Column::of(&user_records::email),
                Column::of(&user_records::email_folded),
                None,
                words!("user_records", "3", "9"),
            ),
            Self::Phone => text(
                Column::of(&user_records::phone),
                Column::of(&user_records::phone),
                None,
                words!("user_records", "4", "10"),
            ),
            Self::Name => text(
                Column::of(&user_records::name),
                Column::of(&user_records::name_folded),
                Some(NAME_KEY),
                words!("user_records", "5", "11"),
            ),
            Self::GivenName => text(
                Column::of(&user_records::given_name),
                Column::of(&user_records::given_name_folded),
                Some(GIVEN_NAME_KEY),
                words!("user_records", "6", "12"),
            ),
            Self::FamilyName => text(
                Column::of(&user_records::family_name),
                Column::of(&user_records::family_name_folded),
                Some(FAMILY_NAME_KEY),
                words!("user_records", "7", "13"),
            ),
            Self::Suspended => Source::Bool(Column::of(&user_records::suspended)),
            Self::HasPassword => Source::Bool(Column::of(&user_records::has_password)),
            Self::Roles => Source::Relation(relations::roles_of_user),
            Self::Groups => Source::Relation(relations::groups_of_user),
            Self::CreatedVia => same(Column::of(&user_records::created_via)),
            Self::CreatedAt => Source::Time(Column::of(&user_records::created_at)),
            Self::UpdatedAt => Source::Time(Column::of(&user_records::updated_at)),
            Self::LastSignInAt => Source::Time(Column::of(&user_records::last_sign_in_at)),
            Self::CustomData => Source::Json(Column::of(&user_records::custom_data)),
            Self::Profile => Source::Json(Column::of(&user_records::profile)),
        }
    }

    fn is_nullable(self) -> bool {
        matches!(
            self,
            Self::Username
                | Self::Email
                | Self::Phone
                | Self::Name
                | Self::GivenName
                | Self::FamilyName
                | Self::LastSignInAt
        )
    }
}

impl Resource for MemberField {
    fn id() -> IdColumn {
        UserField::id()
    }

    fn search_text() -> Option<TextColumn> {
        UserField::search_text()
    }

    fn source(self) -> Source {
        match self {
            Self::Id => UserField::Id.source(),
            Self::Username => UserField::Username.source(),
            Self::Email => UserField::Email.source(),
            Self::Phone => UserField::Phone.source(),
            Self::Name => UserField::Name.source(),
            Self::GivenName => UserField::GivenName.source(),
            Self::FamilyName => UserField::FamilyName.source(),
            Self::Suspended => UserField::Suspended.source(),
            Self::Roles => Source::Relation(relations::roles_of_member),
            Self::JoinedAt => Source::Time(Column::of(&membership_records::joined_at)),
        }
    }

    fn is_nullable(self) -> bool {
        matches!(
            self,
            Self::Username | Self::Email | Self::Phone | Self::Name | Self::GivenName | Self::FamilyName
        )
    }
}

impl Resource for GroupField {
    fn id() -> IdColumn {
        Column::of(&groups::id)
    }

    fn search_text() -> Option<TextColumn> {
        Some(Column::of(&groups::search))
    }

    fn source(self) -> Source {
        match self {
            Self::Id => Source::Id(Self::id()),
            Self::Slug => Source::Text(TextColumns {
                raw: Column::of(&groups::slug),
                folded: Column::of(&groups::slug),
                key: None,
                words: Some(words!("groups", "2", "4")),
                indexed: None,
            }),
            Self::Name => Source::Text(TextColumns {
                raw: Column::of(&groups::name),
                folded: Column::of(&groups::name_folded),
                key: Some(Column::of(&groups::name_key)),
                words: Some(words!("groups", "3", "5")),
                indexed: None,
            }),
            Self::Default => Source::Bool(Column::of(&groups::is_default)),
            Self::MfaRequired => Source::Bool(Column::of(&groups::mfa_required)),
            Self::CreatedBy => Source::Id(Column::of(&groups::created_by)),
            Self::CreatedAt => Source::Time(Column::of(&groups::created_at)),
            Self::UpdatedAt => Source::Time(Column::of(&groups::updated_at)),
            Self::CustomData => Source::Json(Column::of(&groups::custom_data)),
        }
    }

    fn is_nullable(self) -> bool {
        // Columns derived from a name may be missing while an older server writes the row.
        matches!(self, Self::CreatedBy | Self::Name)
    }
}

impl Resource for RoleField {
    fn id() -> IdColumn {
        Column::of(&role_records::id)
    }

    fn search_text() -> Option<TextColumn> {
        Some(Column::of(&role_records::search))
    }

    fn source(self) -> Source {
        match self {
            Self::Id => Source::Id(Self::id()),
            Self::Name => Source::Text(TextColumns {
                raw: Column::of(&role_records::name),
                folded: Column::of(&role_records::name),
                key: None,
                words: Some(words!("role_records", "2", "4")),
                indexed: None,
            }),
            Self::Description => Source::Text(TextColumns {
                raw: Column::of(&role_records::description),
                folded: Column::of(&role_records::description_folded),
                key: None,
                words: Some(words!("role_records", "3", "5")),
                indexed: None,
            }),
            Self::Scope => same(Column::of(&role_records::scope)),
            Self::Type => same(Column::of(&role_records::kind)),
            Self::IsDefault => Source::Bool(Column::of(&role_records::is_default)),
            Self::BuiltIn => Source::Bool(Column::of(&role_records::built_in)),
            Self::Permissions => Source::Relation(relations::permissions_of_role),
            Self::CreatedAt => Source::Time(Column::of(&role_records::created_at)),
            Self::UpdatedAt => Source::Time(Column::of(&role_records::updated_at)),
        }
    }

    fn is_nullable(self) -> bool {
        self == Self::Description
    }
}

impl Resource for AuditEventField {
    fn id() -> IdColumn {
        Column::of(&audit_events::id)
    }

    fn source(self) -> Source {
        match self {
            Self::Id => Source::Id(Self::id()),
            Self::At => Source::Time(Column::of(&audit_events::at)),
            Self::Operation => same(Column::of(&audit_events::operation)),
            Self::Result => same(Column::of(&audit_events::result)),
            Self::ErrorCode => same(Column::of(&audit_events::error_code)),
            Self::ActorId => Source::Id(Column::of(&audit_events::actor_id)),
            Self::SessionId => Source::Id(Column::of(&audit_events::session_id)),
            Self::TargetKind => same(Column::of(&audit_events::target_kind)),
            Self::TargetId => Source::Id(Column::of(&audit_events::target_id)),
            Self::Address => same(Column::of(&audit_events::address)),
            Self::RequestId => same(Column::of(&audit_events::request_id)),
        }
    }

    fn is_nullable(self) -> bool {
        matches!(
            self,
            Self::ErrorCode
                | Self::ActorId
                | Self::SessionId
                | Self::TargetKind
                | Self::TargetId
                | Self::Address
        )
    }
}

//! The tables of fields, one file for each resource.

mod audit_event;
mod group;
mod member;
mod role;
mod user;

pub use audit_event::AuditEventField;
pub use group::{GroupEntryField, GroupField};
pub use member::MemberField;
pub use role::RoleField;
pub use user::UserField;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::Fields;

    /// Every variant has a line, and every line a unique name. A variant missing below fails to compile.
    macro_rules! complete {
        ($fields:ident: $($variant:ident)*) => {{
            let variants = [$($fields::$variant),*];
            for variant in variants {
                match variant {
                    $($fields::$variant => {})*
                }
                assert_eq!(variant.line().id, variant);
            }
            assert_eq!($fields::TABLE.len(), variants.len());
            for field in $fields::TABLE {
                assert_eq!($fields::named(field.name).unwrap().id, field.id, "{} is listed twice", field.name);
            }
        }};
    }

    #[test]
    fn tables_are_complete() {
        complete!(UserField: Id Username Email Phone Name GivenName FamilyName Suspended HasPassword Roles Groups
            CreatedVia CreatedAt UpdatedAt LastSignInAt CustomData Profile);
        complete!(GroupField: Id Slug Name Default MfaRequired CreatedBy CreatedAt UpdatedAt CustomData);
        complete!(GroupEntryField: Slug Role);
        complete!(MemberField: Id Username Email Phone Name GivenName FamilyName Suspended Roles JoinedAt);
        complete!(RoleField: Id Name Description Scope Type IsDefault BuiltIn Permissions CreatedAt UpdatedAt);
        complete!(AuditEventField: Id At Operation Result ErrorCode ActorId SessionId TargetKind TargetId Address
            RequestId);
    }
}

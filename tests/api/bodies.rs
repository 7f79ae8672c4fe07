//! Request bodies about roles and groups, built from JSON and names. `null` would be lost here as in any
//! program; the `Nullable…` types clear a field.

use rollcall_client::types;
use serde_json::{Value, json};

pub fn role(body: Value) -> types::RoleCreate {
    serde_json::from_value(body).unwrap()
}

pub fn role_changes(body: Value) -> types::RoleUpdate {
    serde_json::from_value(body).unwrap()
}

/// Roles to grant, by `@name` or id.
pub fn roles(names: &[&str]) -> types::UserRoles {
    serde_json::from_value(json!({ "roles": names })).unwrap()
}

pub fn group(body: Value) -> types::GroupCreate {
    serde_json::from_value(body).unwrap()
}

pub fn group_changes(body: Value) -> types::GroupUpdate {
    serde_json::from_value(body).unwrap()
}

/// A new member with these roles.
pub fn member(user: &str, roles: &[&str]) -> types::GroupMemberAdd {
    serde_json::from_value(json!({ "user": user, "roles": roles })).unwrap()
}

/// The new roles of a member.
pub fn member_roles(names: &[&str]) -> types::GroupMemberUpdate {
    serde_json::from_value(json!({ "roles": names })).unwrap()
}

pub fn invitation(body: Value) -> types::InvitationCreate {
    serde_json::from_value(body).unwrap()
}

/// The acceptance of an invitation by its token.
pub fn token(token: &str) -> types::InvitationAccept {
    serde_json::from_value(json!({ "token": token })).unwrap()
}

pub fn suspension(body: Value) -> types::UserSuspend {
    serde_json::from_value(body).unwrap()
}

//! Permission checks for applications.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reference::{GroupRef, UserRef};
use super::role::RoleScope;
use super::text::PermissionName;

/// A permission to check for a user.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessCheck {
    /// The user; the caller by default.
    #[serde(default)]
    pub user: Option<UserRef>,
    /// The permission to check.
    pub permission: PermissionName,
    /// The group in which to check the permission. If absent, only global roles count.
    #[serde(default)]
    pub group: Option<GroupRef>,
}

/// The decision of a permission check, and its reason.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccessDecision {
    /// True if the user holds the permission.
    pub allowed: bool,
    /// The reason in words: the role that grants the permission, or why none does.
    pub reason: String,
    /// Name of the role that grants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The scope in which the user holds that role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<RoleScope>,
}

/// The scope of a list of permissions.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PermissionListQuery {
    /// Include the permissions of the user's roles in this group: an id or `@slug`.
    #[serde(default)]
    pub group: Option<GroupRef>,
}

/// A permission that a user holds, with the role that grants it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EffectivePermission {
    /// The permission.
    pub permission: String,
    /// Name of the role that grants it.
    pub role: String,
    /// The scope in which the user holds that role.
    pub scope: RoleScope,
}

/// The effective permissions of a user.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EffectivePermissions {
    /// The permissions in alphabetical order; a permission that several roles grant is listed once for each.
    pub permissions: Vec<EffectivePermission>,
}

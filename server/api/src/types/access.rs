//! Questions about who may do what, asked by applications.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::reference::{GroupRef, UserRef};
use super::role::RoleScope;
use super::text::PermissionName;

/// May this user do this?
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessCheck {
    /// The user; the caller where nobody is named.
    #[serde(default)]
    pub user: Option<UserRef>,
    /// The permission.
    pub permission: PermissionName,
    /// The group in which; without one only global roles count.
    #[serde(default)]
    pub group: Option<GroupRef>,
}

/// The answer, and what decided it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AccessDecision {
    /// Whether the user may.
    pub allowed: bool,
    /// In words, which role gives the permission or why none does.
    pub reason: String,
    /// Name of the role that gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Where that role is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<RoleScope>,
}

/// Where permissions count.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PermissionListQuery {
    /// Also those that the user's roles in this group give: an id or `@slug`.
    #[serde(default)]
    pub group: Option<GroupRef>,
}

/// A permission that a user holds, and why.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EffectivePermission {
    /// The permission.
    pub permission: String,
    /// Name of the role that gives it.
    pub role: String,
    /// Where that role is held.
    pub scope: RoleScope,
}

/// What a user may do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EffectivePermissions {
    /// The permissions in alphabetical order; one that several roles give stands once for each.
    pub permissions: Vec<EffectivePermission>,
}

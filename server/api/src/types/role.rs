//! Roles: named sets of permissions, held globally or inside a group.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use serde::{Deserialize, Serialize};

use super::id::RoleId;
use super::list::List;
use super::nullable::{Nullable, present};
use super::open_enum;
use super::page::Page;
use super::reference::RoleRef;
use super::text::{Description, PermissionName, RoleName};

/// Scope in which a role is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub enum RoleScopeInput {
    /// Everywhere.
    #[default]
    Global,
    /// Inside a group, by its members.
    Group,
}

/// Kind of account that may hold a role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub enum RoleTypeInput {
    /// Users.
    #[default]
    User,
    /// Machines; such a role can't be assigned to a user.
    Machine,
}

impl TryFrom<String> for RoleScopeInput {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let known = [Self::Global, Self::Group].into_iter().find(|scope| scope.as_str() == text);
        known.ok_or_else(|| "must be global or group".to_owned())
    }
}

impl TryFrom<String> for RoleTypeInput {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let known = [Self::User, Self::Machine].into_iter().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| "must be user or machine".to_owned())
    }
}

impl RoleScopeInput {
    /// Value in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Group => "group",
        }
    }
}

impl RoleTypeInput {
    /// Value in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Machine => "machine",
        }
    }
}

/// Scope in which a role is held, in responses; an open set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RoleScope(pub String);

impl JsonSchema for RoleScope {
    fn schema_name() -> String {
        "RoleScope".to_owned()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        open_enum::schema(
            generator,
            "The scope in which the role is held.",
            &[("global", "everywhere"), ("group", "inside a group")],
        )
    }
}

/// Kind of account that may hold a role, in responses; an open set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RoleType(pub String);

impl JsonSchema for RoleType {
    fn schema_name() -> String {
        "RoleType".to_owned()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        open_enum::schema(
            generator,
            "The kind of account that may hold the role.",
            &[("user", "people"), ("machine", "programs")],
        )
    }
}

/// A named set of permissions.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Role {
    /// The role's id.
    pub id: RoleId,
    /// The role's name.
    pub name: String,
    /// The scope in which the role is held.
    pub scope: RoleScope,
    /// The kind of account that may hold the role.
    pub r#type: RoleType,
    /// Purpose of the role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The permissions that the role grants, in alphabetical order.
    pub permissions: Vec<String>,
    /// True if new users get the role.
    pub is_default: bool,
    /// True for Rollcall's own roles, which can be neither changed nor deleted.
    pub built_in: bool,
    /// Creation time of the role.
    pub created_at: DateTime<Utc>,
    /// Time of the last change.
    pub updated_at: DateTime<Utc>,
}

/// One page of roles.
pub type RolePage = Page<Role>;

/// A new role.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleCreate {
    /// The role's name.
    pub name: RoleName,
    /// The scope in which the role is held; `global` by default.
    #[serde(default)]
    pub scope: RoleScopeInput,
    /// The kind of account that may hold the role; `user` by default.
    #[serde(default)]
    pub r#type: RoleTypeInput,
    /// Purpose of the role.
    #[serde(default)]
    pub description: Option<Description>,
    /// The permissions that the role grants. The caller must hold those that are Rollcall's own; `group:` permissions need
    /// `groups:write`.
    #[serde(default)]
    pub permissions: List<PermissionName>,
    /// True if new users get the role. Only for global roles of type `user`; setting it needs `roles:assign`, under the rule
    /// of `user_role_add`. `false` by default.
    #[serde(default)]
    pub is_default: bool,
}

/// Changes to a role, as JSON Merge Patch (RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleUpdate {
    /// The role's name.
    #[serde(default)]
    pub name: Option<RoleName>,
    /// Purpose of the role.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<Description>")]
    pub description: Option<Nullable<Description>>,
    /// The permissions that replace those of the role. Changing those of a role that new users get has the same requirements
    /// as setting `is_default`.
    #[serde(default)]
    pub permissions: Option<List<PermissionName>>,
    /// True if new users get the role. Only for global roles of type `user`; setting it needs `roles:assign`, under the rule
    /// of `user_role_add`.
    #[serde(default)]
    pub is_default: Option<bool>,
}

/// The options of a role's deletion.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleDeleteQuery {
    /// Delete the role even if it has holders, who lose it.
    #[serde(default)]
    pub force: Option<bool>,
}

/// Roles to assign to a user.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserRoles {
    /// The roles, each an id or `@name`; global ones of type `user`.
    pub roles: List<RoleRef>,
}

/// The roles of a user after a change.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UserRolesChanged {
    /// Names of the roles that the user holds now, in alphabetical order.
    pub roles: Vec<String>,
    /// Names of the roles that were added.
    pub added: Vec<String>,
    /// Names of the roles that were removed.
    pub removed: Vec<String>,
}

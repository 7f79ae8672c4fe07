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

/// Where a role is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub enum RoleScopeInput {
    /// Everywhere.
    #[default]
    Global,
    /// Inside a group, by its members.
    Group,
}

/// Who may hold a role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub enum RoleTypeInput {
    /// Users.
    #[default]
    User,
    /// Machines; such a role can't be given to a user.
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
    /// The value on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Group => "group",
        }
    }
}

impl RoleTypeInput {
    /// The value on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Machine => "machine",
        }
    }
}

/// Where a role is held, in answers.
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
            "Where the role is held.",
            &[("global", "everywhere"), ("group", "inside a group")],
        )
    }
}

/// Who may hold a role, in answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct RoleType(pub String);

impl JsonSchema for RoleType {
    fn schema_name() -> String {
        "RoleType".to_owned()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        open_enum::schema(generator, "Who may hold the role.", &[("user", "people"), ("machine", "programs")])
    }
}

/// A named set of permissions.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Role {
    /// The role's id.
    pub id: RoleId,
    /// The role's name.
    pub name: String,
    /// Where the role is held.
    pub scope: RoleScope,
    /// Who may hold the role.
    pub r#type: RoleType,
    /// What the role is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The permissions that the role gives, in alphabetical order.
    pub permissions: Vec<String>,
    /// Whether new users get the role.
    pub is_default: bool,
    /// Whether the role belongs to Rollcall: it can be neither changed nor deleted.
    pub built_in: bool,
    /// When the role was made.
    pub created_at: DateTime<Utc>,
    /// When the role was last changed.
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
    /// Where the role is held; `global` by default.
    #[serde(default)]
    pub scope: RoleScopeInput,
    /// Who may hold the role; `user` by default.
    #[serde(default)]
    pub r#type: RoleTypeInput,
    /// What the role is for.
    #[serde(default)]
    pub description: Option<Description>,
    /// The permissions that the role gives. The caller must hold those that are Rollcall's own; `group:` ones need
    /// `groups:write`.
    #[serde(default)]
    pub permissions: List<PermissionName>,
    /// Whether new users get the role. Only for global roles of type `user`; setting it needs `roles:assign` and what
    /// `user_role_add` needs. `false` by default.
    #[serde(default)]
    pub is_default: bool,
}

/// Changes of a role, as JSON Merge Patch (RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleUpdate {
    /// The role's name.
    #[serde(default)]
    pub name: Option<RoleName>,
    /// What the role is for.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<Description>")]
    pub description: Option<Nullable<Description>>,
    /// The permissions that the role gives from now on, in place of those that it gave. Those of a role that new users get
    /// need what `is_default` needs.
    #[serde(default)]
    pub permissions: Option<List<PermissionName>>,
    /// Whether new users get the role. Only for global roles of type `user`; setting it needs `roles:assign` and what
    /// `user_role_add` needs.
    #[serde(default)]
    pub is_default: Option<bool>,
}

/// How to delete a role.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleDeleteQuery {
    /// Delete the role even where somebody holds it: they lose it.
    #[serde(default)]
    pub force: Option<bool>,
}

/// Roles to give to a user.
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
    /// Names of those that the user did not hold before.
    pub added: Vec<String>,
    /// Names of those that the user held before and doesn't any more.
    pub removed: Vec<String>,
}

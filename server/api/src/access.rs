//! Permissions, and the access rules of operations.

use std::fmt;

/// One of Rollcall's own permissions. Applications may define others; those are plain strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Read all audit events.
    AuditRead,
    /// Manage a group and its members. Applies inside the group.
    GroupAdmin,
    /// Grant any group role. Applies inside the group.
    GroupOwn,
    /// Read every group and its members.
    GroupsRead,
    /// Read, create, change and delete every group.
    GroupsWrite,
    /// Create, change and delete identity providers.
    ProvidersWrite,
    /// Assign roles to users and remove them.
    RolesAssign,
    /// Create, change and delete roles.
    RolesWrite,
    /// Set and check passwords and end sessions of other users.
    UsersCredentials,
    /// Delete users.
    UsersDelete,
    /// Read the full record of every user.
    UsersRead,
    /// Suspend users and reactivate them.
    UsersSuspend,
    /// Create users and change their records.
    UsersWrite,
}

impl Permission {
    /// Every permission, in alphabetical order.
    pub const ALL: &'static [Self] = &[
        Self::AuditRead,
        Self::GroupAdmin,
        Self::GroupOwn,
        Self::GroupsRead,
        Self::GroupsWrite,
        Self::ProvidersWrite,
        Self::RolesAssign,
        Self::RolesWrite,
        Self::UsersCredentials,
        Self::UsersDelete,
        Self::UsersRead,
        Self::UsersSuspend,
        Self::UsersWrite,
    ];

    /// Returns the permission that includes this one. Holders of `groups:write` may read groups, because the response to a
    /// change shows the group.
    pub fn included_in(self) -> Option<Self> {
        (self == Self::GroupsRead).then_some(Self::GroupsWrite)
    }

    /// Returns true if the permission applies inside a group only.
    pub fn in_group(self) -> bool {
        matches!(self, Self::GroupAdmin | Self::GroupOwn)
    }

    /// Returns true if the name begins with a prefix reserved for Rollcall, such as `users:`, known or not.
    pub fn is_own(name: &str) -> bool {
        let space = name.split(':').next().unwrap_or_default();
        ["audit", "group", "groups", "providers", "roles", "users"].contains(&space)
    }

    /// Returns the permission with this name, if it is one of Rollcall's own.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.as_str() == name)
    }

    /// Name of the permission in roles, sessions and the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuditRead => "audit:read",
            Self::GroupAdmin => "group:admin",
            Self::GroupOwn => "group:own",
            Self::GroupsRead => "groups:read",
            Self::GroupsWrite => "groups:write",
            Self::ProvidersWrite => "providers:write",
            Self::RolesAssign => "roles:assign",
            Self::RolesWrite => "roles:write",
            Self::UsersCredentials => "users:credentials",
            Self::UsersDelete => "users:delete",
            Self::UsersRead => "users:read",
            Self::UsersSuspend => "users:suspend",
            Self::UsersWrite => "users:write",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The access rule of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone; the credential is not read.
    Public,
    /// Any signed-in user. The response depends on their permissions.
    SignedIn,
    /// Only the user named in the path.
    OwnOnly,
    /// The user named in the path, and holders of the permission.
    OwnOr(Permission),
    /// Members of the group, and holders of the permission.
    MemberOr(Permission),
    /// Members who hold `group:admin` in the group, and holders of the permission.
    GroupAdminOr(Permission),
    /// Members who hold `group:own` in the group, and holders of the permission.
    GroupOwnerOr(Permission),
    /// The member named in the path, members who hold `group:admin` in the group, and holders of the permission.
    OwnOrGroupAdminOr(Permission),
    /// Holders of the permission.
    Holders(Permission),
    /// Holders of the permission, for users other than themselves.
    OthersWith(Permission),
}

impl Access {
    /// Returns true if a credential is required.
    pub fn needs_credential(self) -> bool {
        self != Self::Public
    }

    /// Returns true if a signed-in caller can get a 403. Resources that a caller may not see get a 404 instead.
    pub fn can_forbid(self) -> bool {
        !matches!(self, Self::Public | Self::SignedIn | Self::MemberOr(_))
    }

    /// Returns the permission that gives access to the operation, if there is one.
    pub fn permission(self) -> Option<Permission> {
        match self {
            Self::OwnOr(permission)
            | Self::MemberOr(permission)
            | Self::GroupAdminOr(permission)
            | Self::GroupOwnerOr(permission)
            | Self::OwnOrGroupAdminOr(permission)
            | Self::Holders(permission)
            | Self::OthersWith(permission) => Some(permission),
            Self::Public | Self::SignedIn | Self::OwnOnly => None,
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => formatter.write_str("public"),
            Self::SignedIn => formatter.write_str("signed in"),
            Self::OwnOnly => formatter.write_str("self"),
            Self::OwnOr(permission) => write!(formatter, "self or {permission}"),
            Self::MemberOr(permission) => write!(formatter, "member or {permission}"),
            Self::GroupAdminOr(permission) => write!(formatter, "group:admin or {permission}"),
            Self::GroupOwnerOr(permission) => write!(formatter, "group:own or {permission}"),
            Self::OwnOrGroupAdminOr(permission) => write!(formatter, "self, group:admin or {permission}"),
            Self::Holders(permission) => write!(formatter, "{permission}"),
            Self::OthersWith(permission) => write!(formatter, "{permission}"),
        }
    }
}

//! Permissions, and who may call an operation.

use std::fmt;

/// A permission of Rollcall's own. Applications may define others; those are plain strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Read the audit trail of everybody.
    AuditRead,
    /// Manage a group and its members. Counts inside the group.
    GroupAdmin,
    /// Give any group role. Counts inside the group.
    GroupOwn,
    /// See every group and its members.
    GroupsRead,
    /// See, make, change and delete every group.
    GroupsWrite,
    /// Make, change and delete identity providers.
    ProvidersWrite,
    /// Give roles to users and take them.
    RolesAssign,
    /// Make, change and delete roles.
    RolesWrite,
    /// Set passwords, end sessions, revoke tokens and factors of other users.
    UsersCredentials,
    /// Delete users.
    UsersDelete,
    /// See the whole record of every user.
    UsersRead,
    /// Suspend users and reactivate them.
    UsersSuspend,
    /// Make users and change their records.
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

    /// The permission whose holders may do what holders of this one may: who changes a group is shown it by the response.
    pub fn included_in(self) -> Option<Self> {
        (self == Self::GroupsRead).then_some(Self::GroupsWrite)
    }

    /// Whether it counts inside a group only.
    pub fn in_group(self) -> bool {
        matches!(self, Self::GroupAdmin | Self::GroupOwn)
    }

    /// Whether a permission is in one of the name spaces that are Rollcall's own.
    pub fn is_own(name: &str) -> bool {
        let space = name.split(':').next().unwrap_or_default();
        ["audit", "group", "groups", "providers", "roles", "users"].contains(&space)
    }

    /// The permission with this name, if it is one of Rollcall's own.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|permission| permission.as_str() == name)
    }

    /// The permission as it stands in roles, sessions and documents.
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

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody; no credential is read.
    Public,
    /// Anybody who is signed in. What they see depends on their permissions.
    SignedIn,
    /// Only the user whom it is about.
    OwnOnly,
    /// The user whom it is about, and holders of the permission.
    OwnOr(Permission),
    /// Members of the group, and holders of the permission.
    MemberOr(Permission),
    /// Members who hold `group:admin` in the group, and holders of the permission.
    GroupAdminOr(Permission),
    /// Members who hold `group:own` in the group, and holders of the permission.
    GroupOwnerOr(Permission),
    /// The member whom it is about, members who hold `group:admin` in the group, and holders of the permission.
    OwnOrGroupAdminOr(Permission),
    /// Holders of the permission.
    Holders(Permission),
    /// Holders of the permission, for users other than themselves.
    OthersWith(Permission),
}

impl Access {
    /// Whether a credential is needed.
    pub fn needs_credential(self) -> bool {
        self != Self::Public
    }

    /// Whether a signed-in caller may be told that they may not: a 403. What isn't theirs to see is a 404 instead.
    pub fn can_forbid(self) -> bool {
        !matches!(self, Self::Public | Self::SignedIn | Self::MemberOr(_))
    }

    /// The permission that opens the operation, if one does.
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

//! Groups and who is in them.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::{GroupId, UserId};
use super::list::List;
use super::nullable::{Nullable, present};
use super::page::Page;
use super::reference::{RoleRef, UserRef};
use super::text::{Description, DisplayName, Slug};
use super::user::{CustomData, User};

/// A group: what others call a team or an organization.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Group {
    /// The group's id.
    pub id: GroupId,
    /// Short name in URLs: lower-case letters, digits and hyphens. Unique.
    pub slug: String,
    /// Name as people read it.
    pub name: String,
    /// What the group is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What applications keep with the group.
    pub custom_data: CustomData,
    /// Whether this is the group that every new user joins, `public`. It can't be deleted.
    pub default: bool,
    /// Whether members are to use a second factor. Kept and shown to applications, which can ask for one; Rollcall
    /// itself will enforce it with second factors.
    pub mfa_required: bool,
    /// Who made the group; absent for the default group and where that user was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
    /// When the group was made.
    pub created_at: DateTime<Utc>,
    /// When one of the group's own fields was last changed. Members don't count.
    pub updated_at: DateTime<Utc>,
}

/// One page of groups.
pub type GroupPage = Page<Group>;

/// A user's place in a group.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GroupMember {
    /// The member, as far as the caller may see.
    pub user: User,
    /// Names of the group roles that the member holds, in alphabetical order.
    pub roles: Vec<String>,
    /// When the user joined.
    pub joined_at: DateTime<Utc>,
}

/// One page of members.
pub type GroupMemberPage = Page<GroupMember>;

/// A group that a user is in.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UserGroup {
    /// The group.
    pub group: Group,
    /// Names of the group roles that the user holds in it, in alphabetical order.
    pub roles: Vec<String>,
    /// When the user joined.
    pub joined_at: DateTime<Utc>,
}

/// One page of a user's groups.
pub type UserGroupPage = Page<UserGroup>;

/// A new group.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupCreate {
    /// Short name in URLs. Unique.
    pub slug: Slug,
    /// Name as people read it.
    pub name: DisplayName,
    /// What the group is for.
    #[serde(default)]
    pub description: Option<Description>,
    /// What applications keep with the group.
    #[serde(default)]
    pub custom_data: Option<CustomData>,
    /// Whether members are to use a second factor. Kept and shown to applications, which can ask for one; Rollcall
    /// itself will enforce it with second factors. `false` by default.
    #[serde(default)]
    pub mfa_required: bool,
    /// The first owner; the caller where nobody is named.
    #[serde(default)]
    pub owner: Option<UserRef>,
}

/// Changes of a group, as JSON Merge Patch (RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupUpdate {
    /// Short name in URLs. That of the default group can't be changed.
    #[serde(default)]
    pub slug: Option<Slug>,
    /// Name as people read it.
    #[serde(default)]
    pub name: Option<DisplayName>,
    /// What the group is for.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<Description>")]
    pub description: Option<Nullable<Description>>,
    /// What applications keep with the group, merged at every depth.
    #[serde(default)]
    pub custom_data: Option<CustomData>,
    /// Whether members are to use a second factor. Kept and shown to applications, which can ask for one; Rollcall
    /// itself will enforce it with second factors.
    #[serde(default)]
    pub mfa_required: Option<bool>,
}

/// Somebody to take into a group.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupMemberAdd {
    /// The user: an id, `@username` or `me`.
    pub user: UserRef,
    /// The group roles, each an id or `@name`; `member` where none is named.
    #[serde(default)]
    pub roles: List<RoleRef>,
}

/// The roles of a member from now on.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupMemberUpdate {
    /// The group roles, each an id or `@name`; `member` where none is named.
    pub roles: List<RoleRef>,
}

//! Groups and their members.

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

/// A group of users; a team or an organization.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Group {
    /// The group's id.
    pub id: GroupId,
    /// Short name in URLs: lower-case letters, digits and hyphens. Unique.
    pub slug: String,
    /// Display name.
    pub name: String,
    /// Purpose of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON object that applications store with the group.
    pub custom_data: CustomData,
    /// True for the group that every new user joins, `public`. It can't be deleted.
    pub default: bool,
    /// True if members should use a second factor. Stored for applications, which can require one; Rollcall itself doesn't
    /// enforce it.
    pub mfa_required: bool,
    /// The user who created the group; absent for the default group and after that user was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
    /// Creation time of the group.
    pub created_at: DateTime<Utc>,
    /// Time of the last change to the group's own fields. Changes to its members don't count.
    pub updated_at: DateTime<Utc>,
}

/// One page of groups.
pub type GroupPage = Page<Group>;

/// A member of a group.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GroupMember {
    /// The member, in the view that the caller may see.
    pub user: User,
    /// Names of the group roles that the member holds, in alphabetical order.
    pub roles: Vec<String>,
    /// Time when the user joined.
    pub joined_at: DateTime<Utc>,
}

/// One page of members.
pub type GroupMemberPage = Page<GroupMember>;

/// A group that a user is a member of.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct UserGroup {
    /// The group.
    pub group: Group,
    /// Names of the group roles that the user holds in it, in alphabetical order.
    pub roles: Vec<String>,
    /// Time when the user joined.
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
    /// Display name.
    pub name: DisplayName,
    /// Purpose of the group.
    #[serde(default)]
    pub description: Option<Description>,
    /// JSON object that applications store with the group.
    #[serde(default)]
    pub custom_data: Option<CustomData>,
    /// True if members should use a second factor. Stored for applications, which can require one; Rollcall itself doesn't
    /// enforce it. `false` by default.
    #[serde(default)]
    pub mfa_required: bool,
    /// The first owner; the caller by default.
    #[serde(default)]
    pub owner: Option<UserRef>,
}

/// Changes to a group, as JSON Merge Patch (RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupUpdate {
    /// Short name in URLs. That of the default group can't be changed.
    #[serde(default)]
    pub slug: Option<Slug>,
    /// Display name.
    #[serde(default)]
    pub name: Option<DisplayName>,
    /// Purpose of the group.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Nullable<Description>")]
    pub description: Option<Nullable<Description>>,
    /// JSON object that applications store with the group, merged at every depth.
    #[serde(default)]
    pub custom_data: Option<CustomData>,
    /// True if members should use a second factor. Stored for applications, which can require one; Rollcall itself doesn't
    /// enforce it.
    #[serde(default)]
    pub mfa_required: Option<bool>,
}

/// A user to add to a group.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupMemberAdd {
    /// The user: an id, `@username` or `me`.
    pub user: UserRef,
    /// The group roles, each an id or `@name`; `member` if the list is empty.
    #[serde(default)]
    pub roles: List<RoleRef>,
}

/// The new roles of a member.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupMemberUpdate {
    /// The group roles, each an id or `@name`; `member` if the list is empty.
    pub roles: List<RoleRef>,
}

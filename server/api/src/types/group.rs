//! Groups and who is in them.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::id::{GroupId, UserId};
use super::page::Page;
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
    /// Who made the group; absent for the default group and where that user was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<UserId>,
    /// When the group was made.
    pub created_at: DateTime<Utc>,
    /// When the group was last changed.
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

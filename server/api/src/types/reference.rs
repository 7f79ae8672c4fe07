//! References to resources in paths, queries and bodies: a user by id, `@username` or `me`; a group by id or `@slug`; a role by
//! id or `@name`.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Metadata, Schema, SchemaObject, StringValidation};
use serde::{Deserialize, Deserializer};

use super::fold::NameKey;
use super::id::{GroupId, InvitationId, RoleId, SessionId, UserId};
use super::text::{RoleName, in_words};
use super::username::{EXCLUDED, is_shaped};

const UUID: &str = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}";

/// Reference to a user: an id, `@username` or `me`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRef {
    /// The caller.
    Me,
    /// By id.
    Id(UserId),
    /// By username.
    Name(NameKey),
}

impl FromStr for UserRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "me" {
            return Ok(Self::Me);
        }
        if let Some(name) = text.strip_prefix('@')
            && (1..=128).contains(&name.chars().count())
            && is_shaped(name)
        {
            return Ok(Self::Name(NameKey::of(name)));
        }
        text.parse().map(Self::Id).map_err(|_| "user: must be an id, @username or me".to_owned())
    }
}

/// Reference to a role: an id or `@name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleRef {
    /// By id.
    Id(RoleId),
    /// By name.
    Name(String),
}

impl FromStr for RoleRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix('@')
            && let Ok(name) = name.parse::<RoleName>()
        {
            return Ok(Self::Name(name.into_string()));
        }
        text.parse().map(Self::Id).map_err(|_| "role: must be an id or @name".to_owned())
    }
}

impl fmt::Display for RoleRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(formatter),
            Self::Name(name) => write!(formatter, "@{name}"),
        }
    }
}

impl<'de> Deserialize<'de> for RoleRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for RoleRef {
    fn schema_name() -> String {
        "RoleRef".to_owned()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema(
            "Reference to a role: an id or `@name`.",
            format!("^({UUID}|@[a-z][a-z0-9_-]{{0,63}})$"),
            "be an id or `@name`",
        )
    }
}

/// Reference to a group: an id or `@slug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupRef {
    /// By id.
    Id(GroupId),
    /// By slug.
    Slug(String),
}

impl FromStr for GroupRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(slug) = text.strip_prefix('@')
            && (1..=64).contains(&slug.len())
            && slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            return Ok(Self::Slug(slug.to_owned()));
        }
        text.parse().map(Self::Id).map_err(|_| "group: must be an id or @slug".to_owned())
    }
}

fn schema(description: &str, pattern: String, expected: &str) -> Schema {
    SchemaObject {
        metadata: Some(Box::new(Metadata {
            description: Some(description.to_owned()),
            ..Default::default()
        })),
        instance_type: Some(InstanceType::String.into()),
        string: Some(Box::new(StringValidation { pattern: Some(pattern), ..Default::default() })),
        extensions: [in_words(expected)].into(),
        ..Default::default()
    }
    .into()
}

impl<'de> Deserialize<'de> for UserRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for GroupRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for UserRef {
    fn schema_name() -> String {
        "UserRef".to_owned()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema(
            "Reference to a user: an id, `@username` or `me` (the caller).",
            format!("^(me|{UUID}|@[^{EXCLUDED}]{{1,128}})$"),
            "be an id, `@username` or `me`",
        )
    }
}

impl JsonSchema for GroupRef {
    fn schema_name() -> String {
        "GroupRef".to_owned()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schema(
            "Reference to a group: an id or `@slug`.",
            format!("^({UUID}|@[a-z0-9-]{{1,64}})$"),
            "be an id or `@slug`",
        )
    }
}

/// The path of a user.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct UserPath {
    /// The user: an id, `@username` or `me`.
    pub user: UserRef,
}

/// The path of a session.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct SessionPath {
    /// The user: an id, `@username` or `me`.
    pub user: UserRef,
    /// The session's id.
    pub session: SessionId,
}

/// The path of a group.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct GroupPath {
    /// The group: an id or `@slug`.
    pub group: GroupRef,
}

/// The path of a role.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct RolePath {
    /// The role: an id or `@name`.
    pub role: RoleRef,
}

/// The path of a role that a user holds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct UserRolePath {
    /// The user: an id, `@username` or `me`.
    pub user: UserRef,
    /// The role: an id or `@name`.
    pub role: RoleRef,
}

/// The path of a member.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct GroupMemberPath {
    /// The group: an id or `@slug`.
    pub group: GroupRef,
    /// The user: an id, `@username` or `me`.
    pub user: UserRef,
}

/// The path of an invitation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct InvitationPath {
    /// The group: an id or `@slug`.
    pub group: GroupRef,
    /// The invitation's id.
    pub invitation: InvitationId,
}

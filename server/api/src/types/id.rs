//! Resource ids: UUIDs of version 7, with one newtype and one named schema per kind of resource.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Metadata, Schema, SchemaObject};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// A kind of resource that has ids.
pub trait IdKind: Send + Sync + 'static {
    /// The schema's name in the document.
    const NAME: &'static str;
    /// The resource in the schema's description, such as "a user".
    const OF: &'static str;
    /// Name of the path parameter, for error messages.
    const FIELD: &'static str;
}

/// The id of a resource of kind `K`.
pub struct Id<K>(Uuid, PhantomData<K>);

impl<K> Id<K> {
    /// Returns the plain UUID, as stored in the database.
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

impl<K> From<Uuid> for Id<K> {
    fn from(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Id<K> {}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, formatter)
    }
}

impl<K: IdKind> FromStr for Id<K> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // Only the hyphenated form of RFC 9562, so that a resource has one URL.
        match Uuid::try_parse(text) {
            Ok(uuid) if text.len() == 36 => Ok(uuid.into()),
            _ => Err(format!("{}: must be a UUID such as 01941f29-7c00-7000-8000-000000000001", K::FIELD)),
        }
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, K: IdKind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<K: IdKind> JsonSchema for Id<K> {
    fn schema_name() -> String {
        K::NAME.to_owned()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        SchemaObject {
            metadata: Some(Box::new(Metadata {
                description: Some(format!(
                    "The id of {}: a UUID (RFC 9562, version 7). Never reused.",
                    K::OF
                )),
                ..Default::default()
            })),
            instance_type: Some(InstanceType::String.into()),
            format: Some("uuid".to_owned()),
            ..Default::default()
        }
        .into()
    }
}

/// The kind of [`UserId`].
#[derive(Debug)]
pub struct UserKind;

impl IdKind for UserKind {
    const NAME: &'static str = "UserId";
    const OF: &'static str = "a user";
    const FIELD: &'static str = "user";
}

/// The id of a user.
pub type UserId = Id<UserKind>;

/// The kind of [`SessionId`].
#[derive(Debug)]
pub struct SessionKind;

impl IdKind for SessionKind {
    const NAME: &'static str = "SessionId";
    const OF: &'static str = "a session";
    const FIELD: &'static str = "session";
}

/// The id of a session. Not a credential.
pub type SessionId = Id<SessionKind>;

/// The kind of [`RoleId`].
#[derive(Debug)]
pub struct RoleKind;

impl IdKind for RoleKind {
    const NAME: &'static str = "RoleId";
    const OF: &'static str = "a role";
    const FIELD: &'static str = "role";
}

/// The id of a role.
pub type RoleId = Id<RoleKind>;

/// The kind of [`InvitationId`].
#[derive(Debug)]
pub struct InvitationKind;

impl IdKind for InvitationKind {
    const NAME: &'static str = "InvitationId";
    const OF: &'static str = "an invitation";
    const FIELD: &'static str = "invitation";
}

/// The id of an invitation. Not a credential.
pub type InvitationId = Id<InvitationKind>;

/// The kind of [`AuditEventId`].
#[derive(Debug)]
pub struct AuditEventKind;

impl IdKind for AuditEventKind {
    const NAME: &'static str = "AuditEventId";
    const OF: &'static str = "an audit event";
    const FIELD: &'static str = "audit event";
}

/// The id of an audit event.
pub type AuditEventId = Id<AuditEventKind>;

/// The kind of [`GroupId`].
#[derive(Debug)]
pub struct GroupKind;

impl IdKind for GroupKind {
    const NAME: &'static str = "GroupId";
    const OF: &'static str = "a group";
    const FIELD: &'static str = "group";
}

/// The id of a group.
pub type GroupId = Id<GroupKind>;

//! Types of the tag `auth`: sign-in, sign-out, registration and the current session.

use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::{InstanceType, Metadata, Schema, SchemaObject};
use serde::{Deserialize, Serialize};

use super::nullable::optional_object;
use super::profile::ProfileInput;
use super::secret::{NewPassword, PasswordAttempt};
use super::session::Session;
use super::text::{DisplayName, Email, Identifier, Phone, Username};
use super::user::User;

/// Credentials to sign in with.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user's username, e-mail address, telephone number or id.
    pub identifier: Identifier,
    /// The user's password.
    pub password: PasswordAttempt,
}

/// A password change without a session, for a password that has expired or must be changed, and for any other.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginChangePassword {
    /// The user's username, e-mail address, telephone number or id.
    pub identifier: Identifier,
    /// The current password.
    pub password: PasswordAttempt,
    /// The new password.
    pub new_password: NewPassword,
}

/// A new account for the caller. At least one of `username`, `email` and `phone` is required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Sign-in name.
    #[serde(default)]
    pub username: Option<Username>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<Email>,
    /// Telephone number, E.164.
    #[serde(default)]
    pub phone: Option<Phone>,
    /// Display name.
    #[serde(default)]
    pub name: Option<DisplayName>,
    /// The token of an invitation to a group. Required if the server allows registration by invitation only.
    #[serde(default)]
    pub invitation: Option<Identifier>,
    /// Initial password.
    pub password: NewPassword,
    /// The person's profile.
    #[serde(default, deserialize_with = "optional_object")]
    pub profile: Option<ProfileInput>,
}

/// The extent of a sign-out.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logout {
    /// End all of the user's sessions, not only the current one; `false` by default.
    #[serde(default)]
    pub everywhere: bool,
}

/// The password check of a re-authentication.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionReauthenticate {
    /// The caller's password.
    pub password: PasswordAttempt,
}

/// A session with its token, which is shown only once.
#[derive(Clone, Serialize, JsonSchema)]
pub struct SessionCreated {
    /// The bearer token of the session.
    #[schemars(with = "SessionToken")]
    pub token: String,
    /// The session.
    pub session: Session,
    /// The user who signed in.
    pub user: User,
}

impl std::fmt::Debug for SessionCreated {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SessionCreated").field("session", &self.session).finish_non_exhaustive()
    }
}

/// The session that the request was made with.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CurrentSession {
    /// The session.
    pub session: Session,
    /// The caller.
    pub user: User,
    /// The permissions that the caller holds globally, in alphabetical order.
    pub permissions: Vec<String>,
}

/// Named schema of the token, so that a client can keep it out of its logs.
struct SessionToken;

impl JsonSchema for SessionToken {
    fn schema_name() -> String {
        "SessionToken".to_owned()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let description = "The bearer token of a session: `rcs_`, 30 random and 6 check characters (base 62). Send it \
                           as `Authorization: Bearer …`; keep it like a password.";
        SchemaObject {
            metadata: Some(Box::new(Metadata {
                description: Some(description.to_owned()),
                ..Default::default()
            })),
            instance_type: Some(InstanceType::String.into()),
            ..Default::default()
        }
        .into()
    }
}

//! Invitations: pending memberships that nobody is listed by. The token goes to the invited person by the caller's means.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::{GroupId, InvitationId, UserId};
use super::list::List;
use super::page::Page;
use super::reference::RoleRef;
use super::text::{Email, Identifier};

/// A pending membership.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Invitation {
    /// The invitation's id.
    pub id: InvitationId,
    /// The group.
    pub group_id: GroupId,
    /// Names of the group roles that the new member will hold, in alphabetical order.
    pub roles: Vec<String>,
    /// Only somebody with this verified address may accept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Who invites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invited_by: Option<UserId>,
    /// When the invitation was made.
    pub created_at: DateTime<Utc>,
    /// When it can't be accepted any more.
    pub expires_at: DateTime<Utc>,
}

/// One page of invitations.
pub type InvitationPage = Page<Invitation>;

/// A new invitation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationCreate {
    /// The group roles that the new member will hold, each an id or `@name`; `member` where none is named.
    #[serde(default)]
    pub roles: List<RoleRef>,
    /// Only somebody who signs in with this address, verified, may accept; anybody who has the token where it is absent.
    #[serde(default)]
    pub email: Option<Email>,
    /// How long it can be accepted, in seconds: 60 to 2,592,000 (30 days), 604,800 (7 days) by default.
    #[serde(default)]
    #[schemars(range(min = 60, max = 2_592_000))]
    pub expires_in_seconds: Option<u32>,
}

/// A fresh invitation with its token, which is shown this once.
#[derive(Clone, Serialize, JsonSchema)]
pub struct InvitationCreated {
    /// The invitation.
    pub invitation: Invitation,
    /// What the invited person needs to accept: `rci_`, 30 random and 6 check characters (base 62). Works once. Left out
    /// of the answer to a retry with the same idempotency key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl std::fmt::Debug for InvitationCreated {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("InvitationCreated")
            .field("invitation", &self.invitation)
            .finish_non_exhaustive()
    }
}

/// An invitation to accept.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationAccept {
    /// The invitation's token.
    pub token: Identifier,
}

impl std::fmt::Debug for InvitationAccept {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("InvitationAccept(…)")
    }
}

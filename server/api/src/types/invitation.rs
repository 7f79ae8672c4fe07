//! Invitations: pending memberships. Rollcall sends no mail; the caller delivers the token to the invited person.

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
    /// The address that a user must have to accept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The user who sent the invitation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invited_by: Option<UserId>,
    /// Creation time of the invitation.
    pub created_at: DateTime<Utc>,
    /// Time from which the invitation can no longer be accepted.
    pub expires_at: DateTime<Utc>,
}

/// One page of invitations.
pub type InvitationPage = Page<Invitation>;

/// A new invitation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationCreate {
    /// The group roles that the new member will hold, each an id or `@name`; `member` by default.
    #[serde(default)]
    pub roles: List<RoleRef>,
    /// The address that a user must have to accept. If absent, anybody with the token can accept.
    #[serde(default)]
    pub email: Option<Email>,
    /// The lifetime of the invitation, in seconds: 60 to 2,592,000 (30 days), 604,800 (7 days) by default.
    #[serde(default)]
    #[schemars(range(min = 60, max = 2_592_000))]
    pub expires_in_seconds: Option<u32>,
}

/// A new invitation with its token, which is shown only once.
#[derive(Clone, Serialize, JsonSchema)]
pub struct InvitationCreated {
    /// The invitation.
    pub invitation: Invitation,
    /// The token that the invited person needs to accept: `rci_`, 30 random and 6 check characters (base 62). Works once.
    /// Absent from the response to a retry with the same idempotency key.
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

//! Sessions: sign-ins that have neither ended nor expired.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::id::{SessionId, UserId};
use super::page::Page;

/// An active session.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Session {
    /// The session's id; not a credential.
    pub id: SessionId,
    /// The user who signed in.
    pub user_id: UserId,
    /// True for the session of this request.
    pub current: bool,
    /// Time of the sign-in.
    pub created_at: DateTime<Utc>,
    /// Time of the last password check in this session.
    pub authenticated_at: DateTime<Utc>,
    /// Time of the last use, accurate to five minutes.
    pub last_used_at: DateTime<Utc>,
    /// Time when the session ends at the latest. An idle session ends earlier.
    pub expires_at: DateTime<Utc>,
    /// The source address of the sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The `User-Agent` of the sign-in, truncated to 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// One page of sessions.
pub type SessionPage = Page<Session>;

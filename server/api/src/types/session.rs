//! Sessions: what a sign-in leaves behind until it is ended.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::id::{SessionId, UserId};
use super::page::Page;

/// A sign-in that has not ended.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Session {
    /// The session's id; it is no credential.
    pub id: SessionId,
    /// Who signed in.
    pub user_id: UserId,
    /// Whether this is the session that the request was made with.
    pub current: bool,
    /// When the user signed in.
    pub created_at: DateTime<Utc>,
    /// When the password was last checked in this session.
    pub authenticated_at: DateTime<Utc>,
    /// When the session was last used, to within five minutes.
    pub last_used_at: DateTime<Utc>,
    /// When the session ends, at the latest. Without use it ends earlier.
    pub expires_at: DateTime<Utc>,
    /// Where the sign-in came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// What the program that signed in called itself, cut to 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

/// One page of sessions.
pub type SessionPage = Page<Session>;

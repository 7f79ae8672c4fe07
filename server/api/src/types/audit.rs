//! Audit events, and the query of their list.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use schemars::r#gen::SchemaGenerator;
use schemars::schema::Schema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::find::{FilterText, SearchText, SortText, TotalKind};
use super::id::{AuditEventId, SessionId, UserId};
use super::open_enum;
use super::page::{Page, PageLimit, PageToken};
use super::reference::UserRef;
use super::text::RoleName;
use super::time::TimeInput;
use super::user::JsonObject;

/// Outcome of a call; an open set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AuditResult(pub String);

impl JsonSchema for AuditResult {
    fn schema_name() -> String {
        "AuditResult".to_owned()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        open_enum::schema(
            generator,
            "The outcome of the call.",
            &[("done", "it took effect"), ("refused", "it was rejected and changed nothing")],
        )
    }
}

/// A recorded call: its caller, target, time, origin and result. Events are never changed or deleted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditEvent {
    /// The event's id.
    pub id: AuditEventId,
    /// Time of the call.
    pub at: DateTime<Utc>,
    /// The id of the operation.
    pub operation: String,
    /// The outcome of the call.
    pub result: AuditResult,
    /// The reason of the rejection; the `error_code` of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The caller, if known. Absent if the server acted by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<UserId>,
    /// The session of the call. Only holders of `audit:read` see the sessions of other users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The kind of the target resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_kind: Option<String>,
    /// The id of the target resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_id: Option<Uuid>,
    /// The source address of the call. Only holders of `audit:read` see the addresses of other users' calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The `X-Request-Id` of the response; `command line` or `sweeper` for calls without a response.
    pub request_id: String,
    /// Details that depend on the operation. Never contains secrets.
    pub detail: JsonObject,
}

/// One page of audit events.
pub type AuditEventPage = Page<AuditEvent>;

/// The query of a list of audit events.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditEventListQuery {
    /// Only events at or after this time (RFC 3339); a date such as `2026-01-31` means its midnight in UTC.
    #[serde(default)]
    pub since: Option<TimeInput>,
    /// Only events before this time (RFC 3339); a date such as `2026-01-31` means its midnight in UTC.
    #[serde(default)]
    pub until: Option<TimeInput>,
    /// Only calls of this user: an id, also that of a deleted user, `@username` or `me`.
    #[serde(default)]
    pub actor: Option<UserRef>,
    /// Only events about this resource: its id, also that of a deleted one, or a user by `@username` or `me`.
    #[serde(default)]
    pub target: Option<UserRef>,
    /// Only calls of this operation.
    #[serde(default)]
    pub operation: Option<RoleName>,
    /// Search text, as typed into a search bar: words that must all match, `field:value` with `*` and `?`, and `-` before
    /// terms that must not match.
    #[serde(default)]
    pub q: Option<SearchText>,
    /// A filter expression for programs: SCIM filter syntax (RFC 7644, section 3.4.2.2), or JSON Logic if it begins with
    /// `{`.
    #[serde(default)]
    pub filter: Option<FilterText>,
    /// The sort order: up to three fields separated by commas, with `-` before a descending one. Missing values sort last;
    /// ties are broken by id.
    #[serde(default)]
    pub sort: Option<SortText>,
    /// Include the total number of matches in the response.
    #[serde(default)]
    pub total: Option<TotalKind>,
    /// The maximum number of items on the page: 1 to 200, 50 by default.
    #[serde(default)]
    pub limit: Option<PageLimit>,
    /// The `next_page` value of the previous page.
    #[serde(default)]
    pub page_token: Option<PageToken>,
}

//! The audit trail.

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

/// What became of a call.
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

/// Who did what, to whom, when, from where, with which result. Events are never changed nor deleted.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AuditEvent {
    /// The event's id.
    pub id: AuditEventId,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The id of the operation.
    pub operation: String,
    /// What became of the call.
    pub result: AuditResult,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// Who called, where that is known. Nobody did where the server acted by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<UserId>,
    /// The session of the call. Others' sessions are shown to holders of `audit:read` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// What kind of resource it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_kind: Option<String>,
    /// Which one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_id: Option<Uuid>,
    /// Where the call came from. Of others' calls shown to holders of `audit:read` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The `x-request-id` of the answer; `command line` or `sweeper` where nobody was answered.
    pub request_id: String,
    /// More about it, by operation. Never a secret.
    pub detail: JsonObject,
}

/// One page of audit events.
pub type AuditEventPage = Page<AuditEvent>;

/// Which audit events to list.
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
    /// A search, as people type it into a search bar: words that must all be there, `field:value` with `*` and `?`, `-`
    /// for what must not.
    #[serde(default)]
    pub q: Option<SearchText>,
    /// A filter, as programs write it: SCIM's language (RFC 7644, section 3.4.2.2), or JSON Logic where it begins with
    /// `{`.
    #[serde(default)]
    pub filter: Option<FilterText>,
    /// The order: up to three fields separated by commas, `-` before those that descend. What has no value comes last;
    /// the id decides between equals.
    #[serde(default)]
    pub sort: Option<SortText>,
    /// Whether the answer says how many there are in all.
    #[serde(default)]
    pub total: Option<TotalKind>,
    /// How many items the page may have: 1 to 200, 50 by default.
    #[serde(default)]
    pub limit: Option<PageLimit>,
    /// Where to go on: the `next_page` of the page before.
    #[serde(default)]
    pub page_token: Option<PageToken>,
}

//! The table `audit_events`: append-only, enforced by the database.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::audit_events;

/// An event to record. `detail` names what changed, never a secret.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = audit_events)]
pub struct NewEvent {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub operation: &'static str,
    pub actor_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    pub target_kind: Option<&'static str>,
    pub target_id: Option<Uuid>,
    pub result: &'static str,
    pub error_code: Option<String>,
    pub address: Option<String>,
    pub request_id: String,
    pub detail: Value,
}

/// Records an event.
pub async fn insert(mut conn: &AsyncPgConnection, event: &NewEvent) -> StoreResult<()> {
    diesel::insert_into(audit_events::table).values(event).execute(&mut conn).await?;
    Ok(())
}

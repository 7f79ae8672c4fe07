//! The two JSON objects that are kept with a user: custom data, for applications, and preferences, for the user's own
//! programs. Their entity tag is the user's: they are parts of the user.

use std::sync::Arc;

use rollcall_api::error;
use rollcall_api::extract::{Bearer, IfMatch, IfNoneMatch};
use rollcall_api::reply::Ok200;
use rollcall_api::types::{CustomData, DOCUMENT_DEPTH_MAX, DOCUMENT_MAX, JsonObject, Preferences, UserRef};
use rollcall_store::users::{self, UserChanges, UserRecord};
use serde_json::{Value, json};

use crate::app::conditions::writable;
use crate::app::users::{about, merged, target};
use crate::app::views;
use crate::error::{AppResult, not_found, refuse};
use crate::operation::{Operation, Target};

/// View custom data.
pub async fn user_custom_data_view(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    known: IfNoneMatch,
) -> AppResult<Ok200<CustomData>> {
    view(&op, &credential, &user, &known, |record| record.custom_data).await
}

/// Merge into custom data.
pub async fn user_custom_data_update(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    expected: IfMatch,
    patch: CustomData,
) -> AppResult<Ok200<CustomData>> {
    let patch = Value::Object(patch.0);
    write(&op, &credential, &user, &expected, "custom_data", |record| {
        let whole = merged(record.custom_data.clone(), &patch);
        UserChanges { custom_data: Some(whole), ..UserChanges::default() }
    })
    .await
}

/// Replace custom data.
pub async fn user_custom_data_replace(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    expected: IfMatch,
    whole: CustomData,
) -> AppResult<Ok200<CustomData>> {
    let whole = Value::Object(whole.0);
    write(&op, &credential, &user, &expected, "custom_data", |_| UserChanges {
        custom_data: Some(whole),
        ..UserChanges::default()
    })
    .await
}

/// View preferences.
pub async fn user_preferences_view(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    known: IfNoneMatch,
) -> AppResult<Ok200<Preferences>> {
    view(&op, &credential, &user, &known, |record| record.preferences).await
}

/// Merge into preferences.
pub async fn user_preferences_update(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    expected: IfMatch,
    patch: Preferences,
) -> AppResult<Ok200<Preferences>> {
    let patch = Value::Object(patch.0);
    write(&op, &credential, &user, &expected, "preferences", |record| {
        let whole = merged(record.preferences.clone(), &patch);
        UserChanges { preferences: Some(whole), ..UserChanges::default() }
    })
    .await
}

async fn view(
    op: &Operation,
    credential: &Bearer,
    user: &UserRef,
    known: &IfNoneMatch,
    part: impl FnOnce(UserRecord) -> Value,
) -> AppResult<Ok200<JsonObject>> {
    let fetched = op.read(credential, user).await?;
    let (_, record) = fetched.found()?.authorize(|_, record| about(record))?;
    let Some(record) = record else { return not_found() };
    let tag = record.version.to_string();
    Ok(Ok200::new(views::object(part(record))).tagged(&tag).unless_known(known))
}

async fn write(
    op: &Arc<Operation>,
    credential: &Bearer,
    user: &UserRef,
    expected: &IfMatch,
    field: &'static str,
    changes: impl FnOnce(&UserRecord) -> UserChanges,
) -> AppResult<Ok200<JsonObject>> {
    let mut change = op.begin(credential).await?;
    let record = target(&mut change, user).await?;
    let versions = writable(expected, record.version, &record.version.to_string())?;
    let changes = changes(&record);
    let whole = changes.custom_data.clone().or_else(|| changes.preferences.clone()).unwrap_or_default();
    check_size(field, &whole)?;
    if !users::update(change.conn(), record.id, &versions, changes, op.now()).await? {
        return refuse(error::CONFLICT, "the user was changed meanwhile; try again");
    }
    change.commit(Target::User(record.id), json!({ "fields": [field] })).await?;
    Ok(Ok200::new(views::object(whole)).tagged(&(record.version + 1).to_string()))
}

/// Refuses an object that is too large or too deep to keep.
pub fn check_size(field: &str, value: &Value) -> AppResult<()> {
    if depth(value) > DOCUMENT_DEPTH_MAX {
        return refuse(
            error::DOCUMENT_TOO_LARGE,
            format!("{field}: must not be nested deeper than {DOCUMENT_DEPTH_MAX}"),
        );
    }
    let size = value.to_string().len();
    if size > DOCUMENT_MAX {
        let message =
            format!("{field}: must not be larger than {DOCUMENT_MAX} bytes as compact JSON, would be {size}");
        return refuse(error::DOCUMENT_TOO_LARGE, message);
    }
    Ok(())
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

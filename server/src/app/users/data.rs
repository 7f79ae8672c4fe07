//! The two JSON objects stored with a user: custom data, for applications, and preferences, for the user's own
//! clients. Each has an entity tag of its own.

use std::sync::Arc;

use rollcall_api::error;
use rollcall_api::extract::{Bearer, IfMatch, IfNoneMatch, Tags};
use rollcall_api::reply::Ok200;
use rollcall_api::types::{
    CustomData, DOCUMENT_DEPTH_MAX, DOCUMENT_MAX, JsonObject, Preferences, UserRef, UserView,
};
use rollcall_store::users;
use serde_json::{Value, json};

use crate::app::users::{about, lock_user, merged};
use crate::conditions::{Representation, check_if_match};
use crate::error::{AppResult, not_found, reject};
use crate::operation::{Operation, Target};
use crate::views;

/// Returns custom data.
pub async fn user_custom_data_view(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    known: IfNoneMatch,
) -> AppResult<Ok200<CustomData>> {
    let (_, record) = op.read(&credential, &user).await?.found()?.authorize(|_, record| about(record))?;
    Ok(Representation::of(&views::object(record.custom_data))?.reply().unless_known(&known))
}

/// Merges an object into custom data.
pub async fn user_custom_data_update(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    expected: IfMatch,
    patch: CustomData,
) -> AppResult<Ok200<CustomData>> {
    let patch = Value::Object(patch.0);
    let after = |before| merged(before, &patch);
    write(&op, &credential, &user, &expected, Part::CustomData { sent: &patch }, after).await
}

/// Replaces custom data.
pub async fn user_custom_data_replace(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    expected: IfMatch,
    whole: CustomData,
) -> AppResult<Ok200<CustomData>> {
    let whole = Value::Object(whole.0);
    write(&op, &credential, &user, &expected, Part::CustomData { sent: &whole }, |_| whole.clone()).await
}

/// Returns preferences.
pub async fn user_preferences_view(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    known: IfNoneMatch,
) -> AppResult<Ok200<Preferences>> {
    let (_, record) = op.read(&credential, &user).await?.found()?.authorize(|_, record| about(record))?;
    let found = op.reading(|conn| async move { Ok(users::preferences(&conn, record.id).await?) }).await?;
    let Some(preferences) = found else { return not_found() };
    Ok(Representation::of(&views::object(preferences))?.reply().unless_known(&known))
}

/// Merges an object into preferences.
pub async fn user_preferences_update(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    expected: IfMatch,
    patch: Preferences,
) -> AppResult<Ok200<Preferences>> {
    let patch = Value::Object(patch.0);
    write(&op, &credential, &user, &expected, Part::Preferences, |before| merged(before, &patch)).await
}

/// Selects one of the two objects.
#[derive(Clone, Copy)]
enum Part<'a> {
    /// The custom data, with the part that the request sent.
    CustomData { sent: &'a Value },
    /// The preferences, which only their user writes.
    Preferences,
}

async fn write(
    op: &Arc<Operation>,
    credential: &Bearer,
    user: &UserRef,
    expected: &IfMatch,
    part: Part<'_>,
    after: impl FnOnce(Value) -> Value,
) -> AppResult<Ok200<JsonObject>> {
    let mut change = op.begin(credential).await?;
    let record = lock_user(&mut change, user).await?;
    // Changing custom data needs another permission than reading them.
    let hidden = match part {
        Part::CustomData { sent } => {
            (views::view_of(&change.caller()?.actor, record.id) == UserView::Card).then_some(sent)
        }
        Part::Preferences => None,
    };
    if hidden.is_some() && matches!(expected.0, Some(Tags::Listed(_))) {
        let message = "if-match: is compared with the whole object, which needs the permission users:read; leave it out";
        return reject(error::FORBIDDEN, message);
    }
    let (field, before) = match part {
        Part::CustomData { .. } => ("custom_data", record.custom_data),
        Part::Preferences => {
            let found = users::preferences(change.conn(), record.id).await?;
            ("preferences", found.unwrap_or_default())
        }
    };
    check_if_match(expected, || Representation::of(&views::object(before.clone())))?;
    let whole = after(before);
    check_size(field, &whole)?;
    // As the database returns it from now on: it may format a number differently.
    let write = async {
        match part {
            Part::CustomData { .. } => {
                users::set_custom_data(change.conn(), record.id, &whole, op.now()).await
            }
            Part::Preferences => users::set_preferences(change.conn(), record.id, &whole).await,
        }
    };
    let (kept, recorded) =
        change.record(write, Target::User(record.id), json!({ "fields": [field] })).await?;
    change.commit_recorded(recorded).await?;
    let shown = match hidden {
        Some(sent) => named(&kept, sent),
        None => kept,
    };
    Ok(Representation::of(&views::object(shown))?.reply())
}

/// The part of an object that a request named, at every depth, without members that were there before and that it did
/// not write.
fn named(kept: &Value, sent: &Value) -> Value {
    match (kept, sent) {
        (Value::Object(kept), Value::Object(sent)) => {
            let members =
                kept.iter().filter_map(|(key, value)| Some((key.clone(), named(value, sent.get(key)?))));
            Value::Object(members.collect())
        }
        _ => kept.clone(),
    }
}

/// Rejects an object that is too large or nested too deeply to store.
pub fn check_size(field: &str, value: &Value) -> AppResult<()> {
    if depth(value) > DOCUMENT_DEPTH_MAX {
        return reject(
            error::DOCUMENT_TOO_LARGE,
            format!("{field}: must not be nested deeper than {DOCUMENT_DEPTH_MAX}"),
        );
    }
    let size = size(value);
    if size > DOCUMENT_MAX {
        let message =
            format!("{field}: must not be larger than {DOCUMENT_MAX} bytes as compact JSON, would be {size}");
        return reject(error::DOCUMENT_TOO_LARGE, message);
    }
    Ok(())
}

/// The length as compact JSON with every number written out, as Postgres does: `1e308` has 309 digits there.
fn size(value: &Value) -> usize {
    let separated = |lengths: usize, items: usize| 2 + lengths + items.saturating_sub(1);
    match value {
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => float.to_string().len(),
            None => number.to_string().len(),
        },
        Value::Array(items) => separated(items.iter().map(size).sum(), items.len()),
        Value::Object(members) => {
            let name = |name: &String| Value::String(name.clone()).to_string().len();
            separated(members.iter().map(|(key, member)| name(key) + 1 + size(member)).sum(), members.len())
        }
        other => other.to_string().len(),
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_as_they_are_stored() {
        let plain = json!({"a": [1, "x", true, null], "b": {}});
        assert_eq!(size(&plain), plain.to_string().len());
        assert!(size(&json!([1e308])) > 300);
        assert!(check_size("custom_data", &json!({"many": vec![1e308; 60]})).is_err());
        assert!(check_size("custom_data", &json!({"few": vec![1e308; 40]})).is_ok());
    }
}

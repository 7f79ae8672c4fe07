//! The examples of `openapi/examples`, put to the bodies that they are examples of.

use serde_json::{Map, Value};

use super::operations_mut;

/// The name of an example, `<operation>.request` or `<operation>.response`, and its text.
macro_rules! example {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../../openapi/examples/", $name, ".json")))
    };
}

/// Every example; a test compares this list with the folder.
pub(super) const ALL: &[(&str, &str)] = &[
    example!("access_check.request"),
    example!("access_check.response"),
    example!("audit_event_list.response"),
    example!("document_view.response"),
    example!("group_create.request"),
    example!("group_create.response"),
    example!("group_invitation_create.request"),
    example!("group_invitation_create.response"),
    example!("group_invitation_list.response"),
    example!("group_list.response"),
    example!("group_member_add.request"),
    example!("group_member_add.response"),
    example!("group_member_list.response"),
    example!("group_member_update.request"),
    example!("group_member_update.response"),
    example!("group_update.request"),
    example!("group_update.response"),
    example!("group_view.response"),
    example!("invitation_accept.request"),
    example!("invitation_accept.response"),
    example!("login.request"),
    example!("login.response"),
    example!("login_change_password.request"),
    example!("login_change_password.response"),
    example!("logout.request"),
    example!("register.request"),
    example!("register.response"),
    example!("role_create.request"),
    example!("role_create.response"),
    example!("role_list.response"),
    example!("role_update.request"),
    example!("role_update.response"),
    example!("role_view.response"),
    example!("session_reauthenticate.request"),
    example!("session_reauthenticate.response"),
    example!("session_view.response"),
    example!("system_health.response"),
    example!("system_ready.response"),
    example!("system_version.response"),
    example!("user_create.request"),
    example!("user_create.response"),
    example!("user_custom_data_replace.request"),
    example!("user_custom_data_replace.response"),
    example!("user_custom_data_update.request"),
    example!("user_custom_data_update.response"),
    example!("user_custom_data_view.response"),
    example!("user_group_list.response"),
    example!("user_list.response"),
    example!("user_password_change.request"),
    example!("user_password_change.response"),
    example!("user_password_set.request"),
    example!("user_password_verify.request"),
    example!("user_permission_list.response"),
    example!("user_preferences_update.request"),
    example!("user_preferences_update.response"),
    example!("user_preferences_view.response"),
    example!("user_reactivate.response"),
    example!("user_role_add.request"),
    example!("user_role_add.response"),
    example!("user_role_list.response"),
    example!("user_role_replace.request"),
    example!("user_role_replace.response"),
    example!("user_session_list.response"),
    example!("user_suspend.request"),
    example!("user_suspend.response"),
    example!("user_update.request"),
    example!("user_update.response"),
    example!("user_view.response"),
];

/// The example of this name.
pub(super) fn named(name: &str) -> Option<Value> {
    let (name, text) = ALL.iter().find(|(candidate, _)| *candidate == name)?;
    Some(serde_json::from_str(text).unwrap_or_else(|error| panic!("the example {name}: {error}")))
}

/// Puts each example to its body.
pub(super) fn attach(document: &mut Value) {
    for (_, _, operation) in operations_mut(document) {
        let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(body) = operation.get_mut("requestBody").and_then(media) {
            put(body, &format!("{id}.request"));
        }
        for (status, response) in
            operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten()
        {
            if let Some(body) = status.starts_with('2').then(|| media(response)).flatten() {
                put(body, &format!("{id}.response"));
            }
        }
    }
}

fn media(holder: &mut Value) -> Option<&mut Map<String, Value>> {
    holder.get_mut("content")?.get_mut("application/json")?.as_object_mut()
}

fn put(media: &mut Map<String, Value>, name: &str) {
    if let Some(example) = named(name) {
        media.insert("example".to_owned(), example);
    }
}

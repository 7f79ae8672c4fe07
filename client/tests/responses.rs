//! Responses of newer servers, with unknown fields and values, and the three states of a field in an update. The cases
//! come from the examples of the published document.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rollcall_client::{Clear, Set, types};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// A value of no open set.
const UNKNOWN: &str = "a-value-of-tomorrow";

fn document() -> Value {
    serde_json::from_str(include_str!("../../openapi/rollcall.json")).unwrap()
}

/// Deserializes a response as the client does, and serializes it again.
fn read<T: DeserializeOwned + Serialize>(response: &Value) -> Result<Value, serde_json::Error> {
    serde_json::to_value(serde_json::from_value::<T>(response.clone())?)
}

/// The [`read`] of a schema's type.
fn reader(schema: &str) -> fn(&Value) -> Result<Value, serde_json::Error> {
    match schema {
        "AccessDecision" => read::<types::AccessDecision>,
        "AuditEventPage" => read::<types::AuditEventPage>,
        "CurrentSession" => read::<types::CurrentSession>,
        "EffectivePermissions" => read::<types::EffectivePermissions>,
        "ApiError" => read::<types::ApiError>,
        "Group" => read::<types::Group>,
        "GroupMember" => read::<types::GroupMember>,
        "GroupMemberPage" => read::<types::GroupMemberPage>,
        "GroupPage" => read::<types::GroupPage>,
        "Health" => read::<types::Health>,
        "InvitationCreated" => read::<types::InvitationCreated>,
        "InvitationPage" => read::<types::InvitationPage>,
        "JsonObject" => read::<types::JsonObject>,
        "OpenApiDocument" => read::<types::OpenApiDocument>,
        "Readiness" => read::<types::Readiness>,
        "Role" => read::<types::Role>,
        "RolePage" => read::<types::RolePage>,
        "SessionCreated" => read::<types::SessionCreated>,
        "SessionPage" => read::<types::SessionPage>,
        "User" => read::<types::User>,
        "UserGroup" => read::<types::UserGroup>,
        "UserGroupPage" => read::<types::UserGroupPage>,
        "UserPage" => read::<types::UserPage>,
        "UserRolesChanged" => read::<types::UserRolesChanged>,
        "ServerVersion" => read::<types::ServerVersion>,
        other => panic!("the response {other} has no line in this test"),
    }
}

/// Operation, schema and example of every success body, and of one error body.
fn responses(document: &Value) -> Vec<(String, String, Value)> {
    let mut responses = Vec::new();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    for operation in operations {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let media = &response["content"]["application/json"];
            if status.starts_with('2') && media.is_object() {
                let id = operation["operationId"].as_str().unwrap().to_owned();
                responses.push((id, name(&media["schema"]), media["example"].clone()));
            }
        }
    }
    let error = &document["components"]["responses"]["NotFound"]["content"]["application/json"];
    responses.push((
        "(error)".to_owned(),
        name(&error["schema"]),
        document["components"]["examples"]["not_found"]["value"].clone(),
    ));
    responses
}

fn name(schema: &Value) -> String {
    schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

/// Follows references to the schema itself.
fn resolve<'a>(document: &'a Value, mut schema: &'a Value) -> &'a Value {
    loop {
        let reference = schema.get("$ref").or_else(|| schema.get("allOf")?.get(0)?.get("$ref"));
        let Some(reference) = reference.and_then(Value::as_str) else { return schema };
        schema = document.pointer(reference.trim_start_matches('#')).unwrap();
    }
}

/// Adds an unknown field to every object with known fields; returns the number of these objects.
fn grow(document: &Value, schema: &Value, value: &mut Value) -> usize {
    let schema = resolve(document, schema);
    match value {
        Value::Array(items) => items.iter_mut().map(|item| grow(document, &schema["items"], item)).sum(),
        Value::Object(members) if schema["properties"].is_object() => {
            let inside: usize = members
                .iter_mut()
                .map(|(name, member)| grow(document, &schema["properties"][name], member))
                .sum();
            members.insert("field_of_tomorrow".to_owned(), json!({ "with": ["anything"] }));
            inside + 1
        }
        _ => 0,
    }
}

/// Replaces every value of an open set by an unknown one; returns the number of these values.
fn change(document: &Value, schema: &Value, value: &mut Value) -> usize {
    let schema = resolve(document, schema);
    if schema["x-extensible-enum"].is_array() {
        *value = UNKNOWN.into();
        return 1;
    }
    match value {
        Value::Array(items) => items.iter_mut().map(|item| change(document, &schema["items"], item)).sum(),
        Value::Object(members) => members
            .iter_mut()
            .map(|(name, member)| change(document, &schema["properties"][name], member))
            .sum(),
        _ => 0,
    }
}

/// Removes members that are `null`, which the client leaves out.
fn without_null(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(name, member)| (name, without_null(member)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(without_null).collect(),
        plain => plain,
    }
}

#[test]
fn every_response_may_have_unknown_fields() {
    let document = document();
    for (operation, schema, example) in responses(&document) {
        let known = reader(&schema)(&example).unwrap_or_else(|error| panic!("{operation}: {error}"));
        assert_eq!(
            without_null(known.clone()),
            without_null(example.clone()),
            "{operation}: a field was lost"
        );
        let mut grown = example.clone();
        let count = grow(&document, &json!({ "$ref": format!("#/components/schemas/{schema}") }), &mut grown);
        let free = matches!(schema.as_str(), "JsonObject" | "OpenApiDocument");
        assert_eq!(count == 0, free, "{operation}: {count} objects");
        let read = reader(&schema)(&grown).unwrap_or_else(|error| panic!("{operation}: {error}"));
        assert_eq!(read, known, "{operation}");
    }
}

#[test]
fn every_open_set_keeps_unknown_values() {
    let document = document();
    let mut changed = 0;
    for (operation, schema, example) in responses(&document) {
        let mut value = example.clone();
        let count =
            change(&document, &json!({ "$ref": format!("#/components/schemas/{schema}") }), &mut value);
        let read = reader(&schema)(&value).unwrap_or_else(|error| panic!("{operation}: {error}"));
        assert_eq!(read.to_string().matches(UNKNOWN).count(), count, "{operation}");
        changed += count;
    }
    assert!(changed > 20, "{changed}");
}

#[test]
fn user_update_distinguishes_absent_cleared_and_set() {
    let body = |update: types::builder::UserUpdate| {
        serde_json::to_value(types::UserUpdate::try_from(update).unwrap()).unwrap()
    };
    let update = types::UserUpdate::builder;
    assert_eq!(body(update()), json!({}));
    assert_eq!(body(update().name(Clear)), json!({ "name": null }));
    assert_eq!(body(update().name(Set("Ada"))), json!({ "name": "Ada" }));
    assert_eq!(body(update().name("Ada")), json!({ "name": "Ada" }));
    assert_eq!(body(update().name(Set::or_clear(None::<&str>))), json!({ "name": null }));
    let profile = || types::ProfileUpdate::builder().nickname(Clear);
    assert_eq!(body(update().profile(profile())), json!({ "profile": { "nickname": null } }));
    assert_eq!(body(update().profile(Set(profile()))), json!({ "profile": { "nickname": null } }));
    assert_eq!(body(update().profile(Clear)), json!({ "profile": null }));
}

#[test]
fn request_examples_are_kept_whole() {
    fn check<T: DeserializeOwned + Serialize>(text: &str) {
        let example: Value = serde_json::from_str(text).unwrap();
        assert_eq!(read::<T>(&example).unwrap(), example);
    }
    check::<types::UserCreate>(include_str!("../../openapi/examples/user_create.request.json"));
    check::<types::Register>(include_str!("../../openapi/examples/register.request.json"));
    check::<types::Login>(include_str!("../../openapi/examples/login.request.json"));
}

#[test]
fn patterns_of_requests_are_enforced() {
    for good in ["ada", "José", "Жанна", "ಕೃಷ್ಣ", "山田太郎", "𞤀𞤣𞤤𞤢𞤥", "Ａｄａ", "a.b_c-d+e@f"]
    {
        assert!(types::Username::try_from(good).is_ok(), "{good}");
        assert!(types::UserRef::try_from(format!("@{good}")).is_ok(), "{good}");
    }
    for bad in ["", "a b", "a/b", "<a>", "a\nb", &"a".repeat(129)] {
        assert!(types::Username::try_from(bad).is_err(), "{bad:?}");
    }
    for good in ["me", "@ada", "01941f29-7c00-7000-8000-000000000001"] {
        assert!(types::UserRef::try_from(good).is_ok(), "{good}");
    }
    for good in ["*", "\"3-full\"", "W/\"3\", \"4\""] {
        assert!(types::EntityTags::try_from(good).is_ok(), "{good}");
    }
    for bad in ["3", "\"a b\"", "ada", ""] {
        assert!(types::EntityTags::try_from(bad).is_err(), "{bad}");
        assert!(types::UserRef::try_from(bad).is_err(), "{bad}");
    }
    assert!(types::Phone::try_from("+442079460123").is_ok() && types::Phone::try_from("0207").is_err());
    assert!(
        types::AddressText::try_from("one\ntwo").is_ok() && types::AddressText::try_from("one\ttwo").is_err()
    );
}

#[test]
fn secrets_are_not_printed() {
    let created: types::SessionCreated =
        serde_json::from_str(include_str!("../../openapi/examples/login.response.json")).unwrap();
    assert!(created.token.expose().starts_with("rcs_example"));
    assert!(!format!("{created:?}").contains("rcs_"));
    let login = include_str!("../../openapi/examples/login.request.json");
    let login: types::Login = serde_json::from_str(login).unwrap();
    assert!(!format!("{login:?}").contains("lantern"));
    let client = rollcall_client::Client::builder().token("rcs_secret").build().unwrap();
    assert!(!format!("{client:?} {:?}", client.with_token("rcs_secret")).contains("rcs_"));
}

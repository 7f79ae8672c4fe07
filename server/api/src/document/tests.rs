//! Tests of the published document's promises.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{METHODS, examples, linked, operations_mut, operations_table, published, text};
use crate::error;
use crate::operations::OPERATIONS;
use crate::spec::OperationSpec;

/// Returns every operation with its path, method and id.
fn operations(document: &Value) -> Vec<(String, String, String, Value)> {
    let mut document = document.clone();
    operations_mut(&mut document)
        .into_iter()
        .map(|(path, method, operation)| {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            (path, method, id, Value::Object(operation.clone()))
        })
        .collect()
}

#[test]
fn the_trait_and_the_table_have_the_same_operations() {
    let document = published();
    let found: BTreeSet<_> = operations(&document).into_iter().map(|(_, _, id, _)| id).collect();
    let listed: BTreeSet<_> = OPERATIONS.iter().map(|spec| spec.id.to_owned()).collect();
    assert_eq!(found, listed);
    assert_eq!(OPERATIONS.len(), listed.len(), "an operation is listed twice in OPERATIONS");
    for item in document["paths"].as_object().unwrap().values() {
        assert!(item.as_object().unwrap().keys().all(|key| METHODS.contains(&key.as_str())), "{item}");
    }
}

#[test]
fn security_matches_the_access_rules() {
    for (_, _, id, operation) in operations(&published()) {
        let spec = OperationSpec::of(&id).unwrap();
        let open = operation["security"].as_array().unwrap().is_empty();
        assert_eq!(open, !spec.access.needs_credential(), "{id}");
        assert_eq!(operation["x-permission"], spec.access.to_string(), "{id}");
        let description = operation["description"].as_str().unwrap();
        assert!(description.contains("Allowed callers: "), "{id}");
        assert_eq!(description.contains("session_reauthenticate`)"), spec.recent_auth, "{id}");
    }
}

#[test]
fn everything_is_described_and_nothing_is_default_or_null() {
    fn look(place: &str, value: &Value) {
        if let Some(properties) = value["properties"].as_object() {
            for (name, property) in properties {
                assert!(property["description"].is_string(), "{place}: {name} has no description");
            }
        }
        if let Some(object) = value.as_object() {
            assert!(!object.values().any(Value::is_null), "{place} has a member that is null");
            object.iter().for_each(|(key, inner)| look(&format!("{place}/{key}"), inner));
        }
    }
    let document = published();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(schema["description"].is_string(), "{name} has no description");
        look(name, schema);
    }
    for (_, _, id, operation) in operations(&document) {
        assert!(operation["summary"].is_string() && operation["description"].is_string(), "{id}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{id}: {parameter}");
            assert!(parameter["schema"]["nullable"].is_null(), "{id}: {parameter}");
        }
        let responses = operation["responses"].as_object().unwrap();
        assert!(!responses.contains_key("default") && !responses.contains_key("4XX"), "{id}");
        assert!(responses.contains_key("5XX"), "{id}");
        assert_eq!(responses.keys().filter(|status| status.starts_with('2')).count(), 1, "{id}");
    }
}

#[test]
fn requests_say_their_defaults_in_words() {
    let document = published();
    let mut flags = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(schema["default"].is_null(), "{name} has a default");
        // Response schemas tolerate unknown fields, and an absent field of an update keeps its value.
        let of_request = schema["additionalProperties"] == false && !name.ends_with("Update");
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(
                property["default"].is_null(),
                "{name}.{field} has a default, which generators take for required"
            );
            let required =
                schema["required"].as_array().is_some_and(|names| names.contains(&field.as_str().into()));
            if of_request && !required && property["type"] == "boolean" {
                let description = property["description"].as_str().unwrap();
                assert!(description.ends_with("`false` by default."), "{name}.{field}: {description}");
                flags += 1;
            }
        }
    }
    assert_eq!(flags, 7);
}

#[test]
fn a_post_whose_body_has_only_optional_fields_can_be_sent_without() {
    let document = published();
    for (_, method, id, operation) in operations(&document) {
        let body = &operation["requestBody"];
        let Some(schema) = body["content"]["application/json"]["schema"]["$ref"].as_str() else { continue };
        let schema = document.pointer(schema.trim_start_matches('#')).unwrap();
        // A user needs at least one of three identifiers.
        let optional = method == "post" && schema["required"].is_null() && id != "user_create";
        assert_eq!(body["required"], !optional, "{id}");
    }
}

#[test]
fn schemas_have_names_that_no_generator_changes() {
    let document = published();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    // Names of standard library types, which generators avoid: `Error` became `ModelError`.
    for taken in ["Error", "Version", "Object", "Date", "List", "Map", "Any", "Type", "Function", "Exception"]
    {
        assert!(!schemas.contains_key(taken), "{taken}");
    }
    assert!(schemas.contains_key("ApiError") && schemas.contains_key("ServerVersion"));
}

#[test]
fn every_body_has_an_example_and_every_example_a_body() {
    let mut used = BTreeSet::new();
    let mut note = |media: &Value, name: String| {
        if media.is_object() {
            assert!(media["example"].is_object(), "openapi/examples/{name}.json is missing");
            used.insert(name);
        }
    };
    for (_, _, id, operation) in operations(&published()) {
        note(&operation["requestBody"]["content"]["application/json"], format!("{id}.request"));
        for (status, response) in operation["responses"].as_object().unwrap() {
            if status.starts_with('2') {
                note(&response["content"]["application/json"], format!("{id}.response"));
            }
        }
    }
    let listed: BTreeSet<_> = examples::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(used, listed);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/examples");
    let files: BTreeSet<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap().trim_end_matches(".json").to_owned())
        .collect();
    assert_eq!(files, listed);
}

#[test]
fn operations_document_the_statuses_that_they_can_return() {
    let document = published();
    let statuses = |wanted: &str| -> String {
        let (.., operation) = operations(&document).into_iter().find(|(_, _, id, _)| id == wanted).unwrap();
        operation["responses"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(statuses("login"), "200 400 401 403 408 409 413 415 429 503 5XX");
    assert_eq!(statuses("user_create"), "201 400 401 403 408 409 413 415 422 429 503 5XX");
    assert_eq!(statuses("user_view"), "200 304 400 401 404 503 5XX");
    assert_eq!(statuses("user_update"), "200 400 401 403 404 408 409 412 413 415 422 429 503 5XX");
    assert_eq!(statuses("user_delete"), "204 400 401 403 404 409 412 429 503 5XX");
    assert_eq!(statuses("system_health"), "200 5XX");
}

/// Returns the codes that an operation documents for a status.
fn shown(document: &Value, operation: &Value, status: &str) -> Vec<String> {
    let mut response = &operation["responses"][status];
    if let Some(reference) = response["$ref"].as_str() {
        response = document.pointer(reference.trim_start_matches('#')).unwrap();
    }
    let examples = response["content"]["application/json"]["examples"].as_object();
    examples.into_iter().flatten().map(|(code, _)| code.clone()).collect()
}

#[test]
fn errors_list_exactly_the_codes_that_their_operation_can_return() {
    let document = published();
    let codes = |wanted: &str, status: &str| {
        let (.., operation) = operations(&document).into_iter().find(|(_, _, id, _)| id == wanted).unwrap();
        shown(&document, &operation, status).join(" ")
    };
    assert_eq!(codes("login", "400"), "invalid_request");
    assert_eq!(codes("login", "401"), "invalid_credentials");
    assert_eq!(codes("user_update", "401"), "unauthenticated");
    assert_eq!(codes("user_update", "409"), "conflict email_taken phone_taken username_taken");
    assert_eq!(codes("logout", "409"), "conflict");
    assert_eq!(codes("user_delete", "403"), "forbidden reauthentication_required");
    assert_eq!(codes("role_delete", "409"), "built_in_role conflict role_in_use");
    assert_eq!(
        codes("user_create", "409"),
        "conflict email_taken idempotency_in_progress idempotency_key_reused phone_taken username_taken"
    );
    let mut everywhere = BTreeSet::new();
    for (_, _, id, operation) in operations(&document) {
        for status in operation["responses"].as_object().unwrap().keys() {
            if !status.starts_with(['4', '5']) {
                continue;
            }
            let codes = shown(&document, &operation, status);
            assert!(!codes.is_empty(), "{id} {status} has no example");
            everywhere.extend(codes);
        }
    }
    let all: BTreeSet<_> = error::ALL.iter().map(|entry| entry.code.to_owned()).collect();
    assert_eq!(everywhere, all, "each code of the registry is an example somewhere");
    for entry in error::ALL {
        let value = &document["components"]["examples"][entry.code]["value"];
        assert_eq!(value["error_code"], entry.code);
    }
}

#[test]
fn success_descriptions_name_the_response() {
    for (_, _, id, operation) in operations(&published()) {
        let (status, response) = operation["responses"]
            .as_object()
            .unwrap()
            .iter()
            .find(|(status, _)| status.starts_with('2'))
            .unwrap();
        let said = response["description"].as_str().unwrap();
        assert!(said.len() > 8 && !said.starts_with("Done") && said != "Created.", "{id}: {said}");
        assert_eq!(said.ends_with("; there is no body."), status == "204", "{id}: {said}");
    }
}

#[test]
fn integers_pages_and_headers_have_their_usual_forms() {
    let document = published();
    let text = document.to_string();
    assert!(!text.contains("\"uint"), "a format that generators don't know");
    let page = &document["components"]["schemas"]["UserPage"]["properties"];
    assert_eq!((&page["items"]["maxItems"], &page["total"]["format"]), (&200.into(), &"int64".into()));
    for (_, _, id, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let header = parameter["in"] == "header";
            let usual = ["If-Match", "If-None-Match", "Idempotency-Key"].contains(&name);
            assert_eq!(header, usual, "{id}: {name}");
        }
        for response in operation["responses"].as_object().unwrap().values() {
            for name in response["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
                assert!(name.starts_with(|letter: char| letter.is_ascii_uppercase()), "{id}: {name}");
            }
        }
    }
    let tags: Vec<_> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    assert_eq!(
        tags,
        ["auth", "users", "passwords", "sessions", "groups", "roles", "access", "audit", "system"]
    );
}

#[test]
fn open_enums_and_nullable_fields_have_the_form_that_generators_understand() {
    let document = published();
    let schemas = &document["components"]["schemas"];
    for name in ["UserView", "CreatedVia"] {
        assert_eq!(schemas[name]["type"], "string");
        assert!(schemas[name]["enum"].is_null() && schemas[name]["x-extensible-enum"].is_array(), "{name}");
    }
    let user = &schemas["User"]["properties"];
    assert!(user.as_object().unwrap().values().all(|property| property["nullable"].is_null()));
    assert_eq!(schemas["UserPage"]["properties"]["next_page"]["nullable"], true);
    // Validators accept null as a value of the copy; progenitor generates a newtype over an option for the reference.
    assert_eq!(schemas["NullableDisplayName"]["type"], "string");
    assert_eq!(schemas["NullableDisplayName"]["nullable"], true);
    assert!(schemas["NullableDisplayName"]["pattern"].is_string());
    let name = &schemas["UserUpdate"]["properties"]["name"];
    assert_eq!(name["allOf"][0]["$ref"], "#/components/schemas/NullableDisplayName");
    assert!(name["nullable"].is_null());
    let before = linked();
    let linked = &before["components"]["schemas"]["NullableDisplayName"];
    assert_eq!(linked["allOf"][0]["$ref"], "#/components/schemas/DisplayName");
    assert_eq!(linked["nullable"], true);
}

#[test]
fn lists_say_how_long_a_page_may_be() {
    let mut lists = 0;
    for (_, _, id, operation) in operations(&published()) {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        for limit in parameters.iter().filter(|parameter| parameter["name"] == "limit") {
            lists += 1;
            assert_eq!(limit["schema"]["maximum"], 200, "{id}");
            assert_eq!(limit["schema"]["default"], 50, "{id}");
            assert!(limit["description"].as_str().unwrap().contains("50 by default"), "{id}");
        }
    }
    assert_eq!(lists, 9);
}

#[test]
fn the_text_is_the_document_in_a_fixed_order() {
    let text = text();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), published());
    assert!(text.starts_with("{\n  \"openapi\": \"3.0.3\",\n  \"info\": {") && text.ends_with("}\n"));
    assert_eq!(operations_table().lines().count(), OPERATIONS.len() + 1);
}

#[test]
fn the_changelog_has_a_section_for_this_version() {
    let changelog = include_str!("../../../../openapi/CHANGELOG.md");
    assert!(changelog.contains(&format!("\n## {}\n", super::VERSION)));
}

/// Trait, table and the server's entry points have the same operations in the same order.
#[test]
fn trait_table_and_entry_points_have_one_order() {
    fn methods(source: &str) -> Vec<&str> {
        let names = source.lines().filter_map(|line| line.strip_prefix("    async fn ")?.split('(').next());
        names.filter(|method| !method.ends_with("_head")).collect()
    }
    let table: Vec<&str> = OPERATIONS.iter().map(|spec| spec.id).collect();
    assert_eq!(methods(include_str!("../operations.rs")), table);
    assert_eq!(methods(include_str!("../../../src/http/mod.rs")), table);
}

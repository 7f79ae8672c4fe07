//! Nullable values, in two forms. Validators apply OpenAPI 3.0.3 strictly: `nullable` has an effect only beside `type`, and a
//! referenced schema without it rejects `null`. Progenitor generates good names for references and bad ones for copies. The
//! published form therefore has copies, and the form for progenitor has references.

use serde_json::{Map, Value, json};

use super::components;

/// Removes `nullable` from the fields of responses: they omit a field without a value, except `next_page`, which may be
/// `null`. Response schemas are those that tolerate unknown fields.
fn drop_from_responses(schema: &mut Value) {
    if schema.get("additionalProperties") == Some(&Value::Bool(false)) {
        return;
    }
    for (name, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten()
    {
        if let Some(property) = property.as_object_mut().filter(|_| name != "next_page") {
            property.remove("nullable");
        }
    }
}

/// Turns progenitor's form of the document into the published one: every `nullable` beside an `allOf` of one reference becomes
/// a reference to a nullable copy, `Nullable…`.
pub(super) fn spell_out(document: &mut Value) {
    let schemas = components(document, "schemas");
    // Progenitor needs `nullable` to tell an absent list from an empty one; other generators would expect `null`.
    schemas.values_mut().for_each(drop_from_responses);
    let originals = schemas.clone();
    for (name, schema) in schemas.iter_mut() {
        // The named ones become copies below.
        if !name.starts_with("Nullable") {
            refer(schema);
        }
    }
    let used = Value::Object(schemas.clone()).to_string();
    for (name, original) in &originals {
        let nullable = format!("Nullable{name}");
        if used.contains(&format!("\"#/components/schemas/{nullable}\"")) {
            let mut copy = original.clone();
            refer(&mut copy);
            let description = original["description"].as_str().unwrap_or_default();
            copy["description"] = format!("{description} Or `null`, for no value.").into();
            copy["nullable"] = true.into();
            schemas.insert(nullable, copy);
        }
    }
    drop_unused(document);
}

/// Drops the schemas that nothing refers to any more, because only their copy is used.
fn drop_unused(document: &mut Value) {
    loop {
        let text = document.to_string();
        let schemas = components(document, "schemas");
        let before = schemas.len();
        schemas.retain(|name, _| text.contains(&format!("\"#/components/schemas/{name}\"")));
        if schemas.len() == before {
            return;
        }
    }
}

fn refer(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(refer),
        Value::Object(object) => {
            if let Some(name) = nullable_reference(object) {
                object.remove("nullable");
                object.insert(
                    "allOf".to_owned(),
                    json!([{ "$ref": format!("#/components/schemas/Nullable{name}") }]),
                );
            }
            object.values_mut().for_each(refer);
        }
        _ => {}
    }
}

/// Returns the name of the schema if the object is a nullable reference to exactly one.
fn nullable_reference(object: &Map<String, Value>) -> Option<String> {
    if object.get("nullable") != Some(&Value::Bool(true)) {
        return None;
    }
    let [only] = object.get("allOf")?.as_array()?.as_slice() else { return None };
    Some(only["$ref"].as_str()?.strip_prefix("#/components/schemas/")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nullable_references_become_references_to_nullable_copies() {
        let mut document = json!({ "components": { "schemas": {
            "Name": { "type": "string", "description": "A name.", "maxLength": 9 },
            "NullableName": { "nullable": true, "allOf": [{ "$ref": "#/components/schemas/Name" }] },
            "Create": { "additionalProperties": false, "properties": {
                "name": { "nullable": true, "description": "First.", "allOf": [{ "$ref": "#/components/schemas/Name" }] },
            } },
            "Shown": { "properties": {
                "name": { "nullable": true, "type": "string" },
                "next_page": { "nullable": true, "type": "string" },
            } },
            "Update": { "additionalProperties": false, "properties": { "name": { "allOf": [{ "$ref": "#/components/schemas/NullableName" }] } } },
        } }, "paths": [
            { "$ref": "#/components/schemas/Shown" },
            { "$ref": "#/components/schemas/Create" },
            { "$ref": "#/components/schemas/Update" },
        ] });
        spell_out(&mut document);
        let schemas = &document["components"]["schemas"];
        let reference = json!([{ "$ref": "#/components/schemas/NullableName" }]);
        assert_eq!(
            schemas["Create"]["properties"]["name"],
            json!({ "description": "First.", "allOf": reference })
        );
        assert_eq!(schemas["Update"]["properties"]["name"]["allOf"], reference);
        let shown = &schemas["Shown"]["properties"];
        assert!(shown["name"]["nullable"].is_null() && shown["next_page"]["nullable"] == true);
        let copy = json!({
            "type": "string",
            "nullable": true,
            "maxLength": 9,
            "description": "A name. Or `null`, for no value.",
        });
        assert_eq!(schemas["NullableName"], copy);
        assert!(schemas["Name"].is_null(), "nothing refers to it any more");
    }
}

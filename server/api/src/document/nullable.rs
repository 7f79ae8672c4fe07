//! What may be `null`, in the two forms that readers need. Validators follow OpenAPI 3.0.3 to the letter: `nullable`
//! means something beside `type` only, and a referenced schema without it refuses `null`. Progenitor names a reference
//! well and a copy badly. So the published form has copies, and progenitor gets the references.

use serde_json::{Map, Value, json};

use super::components;

/// Takes `nullable` from the fields of answers: a field without a value is left out. Only `next_page` is sent as
/// `null`. Answers are the schemas that tolerate unknown fields.
fn drop_from_answers(schema: &mut Value) {
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

/// Brings the document from progenitor's form into the published one: answers leave out what has no value, and every
/// "`nullable`, and all of this reference" becomes a reference to a nullable copy, `Nullable…`.
pub(super) fn spell_out(document: &mut Value) {
    let schemas = components(document, "schemas");
    // Progenitor needs the mark to tell an absent list from an empty one; others take it at its word.
    schemas.values_mut().for_each(drop_from_answers);
    let originals = schemas.clone();
    for (name, schema) in schemas.iter_mut() {
        // The named ones become the copies themselves, below.
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

/// Drops the schemas that nothing refers to any more, because everybody uses their copy.
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

/// The name of the one schema that this is a nullable reference to.
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
            "Answer": { "properties": {
                "name": { "nullable": true, "type": "string" },
                "next_page": { "nullable": true, "type": "string" },
            } },
            "Update": { "additionalProperties": false, "properties": { "name": { "allOf": [{ "$ref": "#/components/schemas/NullableName" }] } } },
        } }, "paths": [
            { "$ref": "#/components/schemas/Answer" },
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
        let answer = &schemas["Answer"]["properties"];
        assert!(answer["name"]["nullable"].is_null() && answer["next_page"]["nullable"] == true);
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

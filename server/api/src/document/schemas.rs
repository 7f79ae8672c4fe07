//! Schemas: removes noise of the generator, describes the error body, and rewrites enums and unions in the form that client
//! generators name well.

use serde_json::{Map, Value, json};

use super::components;
use crate::error;

/// Cleans up every schema of the components, and adds those that the trait's types can't express.
pub(super) fn polish(document: &mut Value) {
    let schemas = components(document, "schemas");
    for (name, schema) in schemas.iter_mut() {
        title_variants(name, schema);
        walk(schema);
    }
    // Dropshot's own error body, which nothing refers to here.
    schemas.remove("Error");
    schemas.insert("ApiError".to_owned(), error_body());
    schemas.insert(
        "OpenApiDocument".to_owned(),
        json!({
            "type": "object",
            "description": "An OpenAPI document, version 3.0.",
            "additionalProperties": true,
        }),
    );
}

/// Last step of the published form: gives integers the formats that generators know, and removes the extension that only the
/// generator of the Rust client reads.
pub(super) fn for_everybody(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(for_everybody),
        Value::Object(members) => {
            members.remove(super::RULE);
            let signed = match members.get("format").and_then(Value::as_str) {
                Some("uint8" | "uint16" | "uint32") => Some("int32"),
                Some("uint64" | "uint") => Some("int64"),
                _ => None,
            };
            if let Some(format) = signed {
                members.insert("format".to_owned(), format.into());
            }
            members.values_mut().for_each(for_everybody);
        }
        _ => {}
    }
}

/// Schema of `ApiError`, the body of every error.
fn error_body() -> Value {
    let codes: Vec<&str> = error::ALL.iter().map(|entry| entry.code).collect();
    json!({
        "type": "object",
        "description": "An error. Every error response has this body.",
        "required": ["message", "request_id"],
        "properties": {
            "error_code": {
                "type": "string",
                "description": "The kind of error, for programs: stable, in snake_case. A newer server may send other \
                                codes: fall back to the status. Absent if no operation was reached.",
                "x-extensible-enum": codes,
            },
            "message": {
                "type": "string",
                "description": "The error in words, for people; names the field and the rule. The wording may change.",
            },
            "request_id": {
                "type": "string",
                "description": "The id of the request, as in the `X-Request-Id` header, for finding it in the server's log.",
            },
        },
    })
}

/// Applies the general rules to a schema and to all schemas inside it.
pub(super) fn walk(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::Object(object) => {
            // Generators treat a field with a default as required; descriptions state the default in words instead.
            object.remove("default");
            collapse(object);
            for (keyword, inner) in object.iter_mut() {
                match inner {
                    // The members of `properties` are fields, and one may be called `default`.
                    Value::Object(fields) if keyword == "properties" => fields.values_mut().for_each(walk),
                    other => walk(other),
                }
            }
        }
        _ => {}
    }
}

/// Merges a `oneOf` of documented one-value enums into one `enum`, and their documentation into its description.
fn collapse(object: &mut Map<String, Value>) {
    let Some(variants) = object.get("oneOf").and_then(Value::as_array) else { return };
    let mut values = Vec::new();
    let mut lines = String::new();
    for variant in variants {
        let Some([value]) = variant["enum"].as_array().map(Vec::as_slice) else { return };
        if variant["type"] != "string" {
            return;
        }
        let text = variant["description"].as_str().unwrap_or_default();
        lines.push_str(&format!("\n* `{}`: {text}", value.as_str().unwrap_or_default()));
        values.push(value.clone());
    }
    let before = object.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = format!("{before}\n{lines}").trim().to_owned();
    object.remove("oneOf");
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), Value::Array(values));
    object.insert("description".to_owned(), description.into());
}

/// Adds titles to the inline variants of a tagged union, such as `FactorTotp` for the variant `totp` of `Factor`.
fn title_variants(name: &str, schema: &mut Value) {
    let Some(variants) = schema.get_mut("oneOf").and_then(Value::as_array_mut) else { return };
    for variant in variants {
        let Some(properties) = variant["properties"].as_object() else { continue };
        let tag = properties.values().find_map(|property| match property["enum"].as_array()?.as_slice() {
            [Value::String(tag)] => Some(tag.clone()),
            _ => None,
        });
        if let Some(tag) = tag {
            variant["title"] = format!("{name}{}", pascal(&tag)).into();
        }
    }
}

fn pascal(snake: &str) -> String {
    snake
        .split(['_', '-'])
        .filter_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_unit_enums_become_one_enum() {
        let mut schema = json!({
            "description": "How it is.",
            "default": null,
            "oneOf": [
                { "type": "string", "enum": ["on"], "description": "It burns." },
                { "type": "string", "enum": ["off"], "description": "It doesn't." },
            ],
        });
        walk(&mut schema);
        let expected = json!({
            "type": "string",
            "enum": ["on", "off"],
            "description": "How it is.\n\n* `on`: It burns.\n* `off`: It doesn't.",
        });
        assert_eq!(schema, expected);
    }

    #[test]
    fn tagged_unions_keep_their_variants_inline_with_titles() {
        let variant =
            json!({ "type": "object", "properties": { "kind": { "type": "string", "enum": ["one_time"] } } });
        let mut schema = json!({ "oneOf": [variant] });
        title_variants("Factor", &mut schema);
        walk(&mut schema);
        assert_eq!(schema["oneOf"][0]["title"], "FactorOneTime");
        assert_eq!(schema["oneOf"][0]["properties"]["kind"]["enum"], json!(["one_time"]));
        assert!(schema["discriminator"].is_null());
    }
}

//! Fields of request bodies, derived from their schemas, and values that they must reject.

use serde_json::{Map, Value, json};

use crate::support::contract::DOCUMENT;

/// A field, at any depth.
#[derive(Clone, Debug)]
pub struct Field {
    /// Names joined by dots.
    pub path: String,
    /// The schema, with references followed.
    pub schema: Value,
    pub required: bool,
    pub nullable: bool,
}

/// The fields of an object's schema, and of the objects in it.
pub fn fields(schema: &Value, above: &str) -> Vec<Field> {
    let schema = whole(schema);
    let mut found = Vec::new();
    let empty = Map::new();
    for (name, property) in schema["properties"].as_object().unwrap_or(&empty) {
        let property = whole(property);
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        let required =
            schema["required"].as_array().is_some_and(|names| names.contains(&name.as_str().into()));
        found.extend(fields(&property, &path));
        found.push(Field { path, required, nullable: property["nullable"] == true, schema: property });
    }
    found
}

/// Resolves a schema's reference or single `allOf`.
fn whole(schema: &Value) -> Value {
    let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    match reference {
        Some(reference) => whole(DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap()),
        None => schema.clone(),
    }
}

/// Sets a field, creating the objects on its path.
pub fn set(body: &mut Value, path: &str, value: Value) {
    match path.split_once('.') {
        Some((first, rest)) => {
            if !body[first].is_object() {
                body[first] = Value::Object(Map::new());
            }
            set(&mut body[first], rest, value);
        }
        None => body[path] = value,
    }
}

/// Values that a field must reject.
pub fn bad_values(field: &Field) -> Vec<(&'static str, Value)> {
    let kind = field.schema["type"].as_str().unwrap_or("string");
    let mut values = vec![("a number", json!(7)), ("an array", json!(["x"]))];
    if kind != "boolean" {
        values.push(("a boolean", json!(true)));
    }
    if kind != "object" {
        values.push(("an object", json!({ "x": 1 })));
    }
    if !field.nullable {
        values.push(("null", Value::Null));
    }
    if kind == "object" && field.schema["additionalProperties"] != true {
        values.push(("with an unknown field", json!({ "zzz": 1 })));
    }
    if kind == "object" || kind == "boolean" {
        values.push(("a string", json!("x")));
    }
    if kind == "string" {
        // The schema allows short new passwords; the policy decides the minimum length.
        if field.schema["format"] != "password" || field.schema["minLength"].is_u64() {
            values.push(("empty", json!("")));
        }
        values.push(("NUL", json!("a\0b")));
        if let Some(most) = field.schema["maxLength"].as_u64() {
            values.push(("too long", json!("7".repeat(most as usize + 1))));
        }
        if field.schema["pattern"].as_str().is_some_and(|pattern| !matches_pattern(pattern, "a\u{7}b")) {
            values.push(("control characters", json!("a\u{7}b")));
        }
    }
    values
}

fn matches_pattern(pattern: &str, text: &str) -> bool {
    jsonschema::is_valid(&json!({ "pattern": pattern }), &json!(text))
}

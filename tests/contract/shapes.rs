//! The fields of a request's body, out of its schema.

use serde_json::{Map, Value};

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

/// A schema with its reference or its one `allOf` in place.
fn whole(schema: &Value) -> Value {
    let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    match reference {
        Some(reference) => whole(DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap()),
        None => schema.clone(),
    }
}

/// Sets a field, making the objects on the way.
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

//! The examples of `openapi/examples`, attached to the request and response bodies that they illustrate.

use serde_json::{Map, Value};

use super::operations_mut;

// Every example, `<operation>.request` or `<operation>.response`, and its text: `const ALL: &[(&str, &str)]`.
include!(concat!(env!("OUT_DIR"), "/examples.rs"));

/// Returns the example with this file name (without `.json`). Panics if the file is not JSON.
pub(super) fn named(name: &str) -> Option<Value> {
    let (name, text) = ALL.iter().find(|(candidate, _)| *candidate == name)?;
    Some(serde_json::from_str(text).unwrap_or_else(|error| panic!("the example {name}: {error}")))
}

/// Attaches each example to its body.
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

//! The order in which the document's keys are written: what people read first comes first, the rest is
//! alphabetical. Independent of the order inside `serde_json::Map`, which a build feature decides.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// Keys with a place of their own, in this order; all others follow alphabetically.
const FIRST: &[&str] = &[
    "openapi",
    "info",
    "servers",
    "tags",
    "paths",
    "components",
    "operationId",
    "title",
    "name",
    "in",
    "required",
    "summary",
    "description",
    "x-permission",
    "security",
    "parameters",
    "requestBody",
    "responses",
    "headers",
    "content",
    "schema",
    "type",
    "format",
];

fn place(key: &str) -> (usize, &str) {
    (FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len()), key)
}

struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(items) => serializer.collect_seq(items.iter().map(Ordered)),
            Value::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by_key(|(key, _)| place(key));
                let mut map = serializer.serialize_map(Some(sorted.len()))?;
                for (key, value) in sorted {
                    map.serialize_entry(key, &Ordered(value))?;
                }
                map.end()
            }
            plain => plain.serialize(serializer),
        }
    }
}

/// The value as indented text that ends with a line feed.
pub(super) fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(&Ordered(value)).expect("a JSON value has string keys");
    text.push('\n');
    text
}

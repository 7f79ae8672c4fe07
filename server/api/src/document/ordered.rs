//! Key order of the document: the keys that matter most to readers first, the rest alphabetically. Independent of the order
//! in `serde_json::Map`, which depends on a build feature.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// Keys that come first, in this order; all others follow alphabetically.
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

/// Renders the value as indented JSON that ends with a line feed.
pub(super) fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(&Ordered(value)).expect("a JSON value has string keys");
    text.push('\n');
    text
}

//! Response headers: shared components, and references to them.

use serde_json::{Map, Value, json};

use super::components;

/// A response header.
struct Header {
    /// Its name; a trailing `?` marks the optional variant of the same header.
    name: &'static str,
    component: &'static str,
    required: bool,
    description: &'static str,
    schema: fn() -> Value,
}

const fn header(
    name: &'static str,
    component: &'static str,
    required: bool,
    description: &'static str,
    schema: fn() -> Value,
) -> Header {
    Header { name, component, required, description, schema }
}

const HEADERS: &[Header] = &[
    header(
        "X-Request-Id",
        "RequestId",
        true,
        "The id of the request, for finding it in the server's log.",
        text,
    ),
    header(
        "Cache-Control",
        "CacheControl",
        false,
        "Always `no-store`: responses contain personal data.",
        text,
    ),
    header(
        "ETag",
        "EntityTag",
        true,
        "The entity tag of the resource as shown to the caller, for `If-Match` and `If-None-Match`.",
        text,
    ),
    header(
        "Location",
        "Location",
        true,
        "The path of the new resource.",
        || json!({ "type": "string", "format": "uri-reference" }),
    ),
    header(
        "Idempotency-Replayed",
        "IdempotencyReplayed",
        false,
        "`true` if this repeats the response to an earlier request with the same idempotency key.",
        || json!({ "type": "string", "enum": ["true"] }),
    ),
    header("Retry-After", "RetryAfter", true, "The number of seconds after which to retry.", seconds),
    header(
        "Retry-After?",
        "RetryAfterMaybe",
        false,
        "The number of seconds after which to retry, if a retry may help.",
        seconds,
    ),
    header(
        "WWW-Authenticate",
        "Challenge",
        true,
        "The authentication challenge (RFC 6750, section 3).",
        text,
    ),
];

fn text() -> Value {
    json!({ "type": "string" })
}

fn seconds() -> Value {
    json!({ "type": "integer", "format": "int32", "minimum": 1 })
}

/// The headers of one response by name; `X-Request-Id` and `Cache-Control` come with every one.
pub(super) struct References<'a>(pub &'a [&'a str]);

impl References<'_> {
    /// Returns the references for a response's `headers`.
    pub fn value(&self) -> Value {
        let wanted = |name: &str| matches!(name, "X-Request-Id" | "Cache-Control") || self.0.contains(&name);
        let headers = HEADERS.iter().filter(|header| wanted(header.name));
        let references = headers.map(|header| {
            let reference = json!({ "$ref": format!("#/components/headers/{}", header.component) });
            (header.name.trim_end_matches('?').to_owned(), reference)
        });
        Value::Object(references.collect::<Map<_, _>>())
    }
}

/// Writes the headers into the components.
pub(super) fn share(document: &mut Value) {
    let target = components(document, "headers");
    for header in HEADERS {
        let value = json!({
            "description": header.description,
            "required": header.required,
            "schema": (header.schema)(),
        });
        target.insert(header.component.to_owned(), value);
    }
}

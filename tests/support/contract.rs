//! The published document, and the validation of responses against it: the status, the required headers, the content
//! type, the schema of the body, the error code.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use http::{HeaderMap, Method, StatusCode};
use jsonschema::Validator;
use rollcall_api::error;
use serde_json::{Map, Value, json};

/// Text of the published document, as checked in.
pub const TEXT: &str = include_str!("../../openapi/rollcall.json");

/// The parsed document.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap());

/// Every operation of the document.
pub static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(operations);

/// Headers that a response may have only where the document lists them.
const MEANINGFUL: &[&str] = &["etag", "location", "retry-after", "www-authenticate", "idempotency-replayed"];

/// One operation of the document.
#[derive(Debug)]
pub struct Operation {
    pub id: String,
    pub method: Method,
    pub path: String,
    /// The operation's object in the document.
    pub object: Value,
}

impl Operation {
    /// Finds the operation with this id.
    #[track_caller]
    pub fn of(id: &str) -> &'static Self {
        let found = OPERATIONS.iter().find(|operation| operation.id == id);
        found.unwrap_or_else(|| panic!("`{id}` is not in the document"))
    }

    /// Copies the operation without its object, to call it with another path.
    pub fn bare(&self) -> Self {
        Self {
            id: self.id.clone(),
            method: self.method.clone(),
            path: self.path.clone(),
            object: Value::Null,
        }
    }

    /// True if a path matches this operation's template. Dropshot treats `//` as `/`.
    fn owns(&self, path: &str) -> bool {
        let segments = |path: &'_ str| {
            path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let (mine, theirs) = (segments(&self.path), segments(path));
        mine.len() == theirs.len()
            && mine.iter().zip(&theirs).all(|(mine, theirs)| mine.starts_with('{') || mine == theirs)
    }

    /// True if the document's `x-effect` is `write`.
    pub fn writes(&self) -> bool {
        match self.object["x-effect"].as_str() {
            Some("read") => false,
            Some("write") => true,
            other => panic!("{}: x-effect is {other:?}", self.id),
        }
    }

    /// The parameters, resolved.
    pub fn parameters(&self) -> Vec<Value> {
        self.object["parameters"].as_array().cloned().unwrap_or_default()
    }

    /// True if the operation has a parameter of this name.
    pub fn takes(&self, name: &str) -> bool {
        let named = |parameter: &Value| {
            parameter["name"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(name))
        };
        self.parameters().iter().any(named)
    }

    /// True if the operation requires a credential.
    pub fn needs_credential(&self) -> bool {
        self.object["security"] != json!([])
    }

    /// Example of the request's body, where the operation has one.
    pub fn example(&self) -> Option<Value> {
        let example = &self.object["requestBody"]["content"]["application/json"]["example"];
        (!self.object["requestBody"].is_null()).then(|| example.clone())
    }

    /// The schema of the request's body.
    pub fn body_schema(&'static self) -> Value {
        resolve(&self.object["requestBody"]["content"]["application/json"]["schema"]).clone()
    }

    fn response(&'static self, status: StatusCode) -> Option<&'static Value> {
        let responses = &self.object["responses"];
        let exact = responses.get(status.as_str());
        let found = exact.or_else(|| status.is_server_error().then(|| responses.get("5XX")).flatten());
        found.map(resolve)
    }
}

/// A response as seen by the proxy.
pub struct Seen<'a> {
    pub method: &'a Method,
    pub target: &'a str,
    pub status: StatusCode,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

fn operations() -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, object) in item.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            let id = object["operationId"].as_str().unwrap().to_owned();
            found.push(Operation { id, method, path: path.clone(), object: object.clone() });
        }
    }
    found
}

/// Follows references.
pub fn resolve(mut value: &'static Value) -> &'static Value {
    while let Some(reference) = value["$ref"].as_str() {
        value = DOCUMENT
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} leads nowhere"));
    }
    value
}

/// Finds the operation of a response and validates the response; returns the operation's id and the violations.
pub fn check(seen: &Seen<'_>) -> (Option<String>, Vec<String>) {
    let path = seen.target.split('?').next().unwrap_or_default();
    let operation =
        OPERATIONS.iter().find(|operation| operation.method == *seen.method && operation.owns(path));
    let wrong = match operation {
        Some(operation) => of_operation(seen, operation),
        None => of_router(seen),
    };
    let name = operation.map_or("no operation", |operation| &operation.id);
    let place = format!("{} {} ({name}) returned {}", seen.method, seen.target, seen.status.as_u16());
    let wrong =
        wrong.into_iter().map(|what| format!("{place}: {what}\n    {}", excerpt(seen.body))).collect();
    (operation.map(|operation| operation.id.clone()), wrong)
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(300).collect()
}

/// Validates a response of the router, without an operation: a 400, 404 or 405 with the error body.
fn of_router(seen: &Seen<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    if !matches!(seen.status.as_u16(), 400 | 404 | 405) {
        wrong.push("without an operation, only 400, 404 and 405 are possible".to_owned());
    }
    if seen.method != Method::HEAD {
        wrong.extend(against_schema("ApiError", seen.body));
    }
    wrong
}

fn of_operation(seen: &Seen<'_>, operation: &'static Operation) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(response) = operation.response(seen.status) else {
        return vec!["this status is not documented".to_owned()];
    };
    let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap_or("(not ASCII)"));
    let empty = Map::new();
    let documented = response["headers"].as_object().unwrap_or(&empty);
    for (name, object) in documented {
        let object = resolve_header(object);
        match header(name) {
            None if object["required"] == true => wrong.push(format!("the header {name} is missing")),
            None => {}
            Some(value) => wrong.extend(header_fits(name, value, &object["schema"])),
        }
    }
    for name in MEANINGFUL {
        if header(name).is_some() && !documented.keys().any(|key| key.eq_ignore_ascii_case(name)) {
            wrong.push(format!("the header {name} is not documented"));
        }
    }
    if header("x-request-id").is_none() {
        wrong.push("the header x-request-id is missing".to_owned());
    }
    if header("cache-control") != Some("no-store") {
        wrong.push(format!("cache-control is {:?}, not no-store", header("cache-control")));
    }
    let schema = &response["content"]["application/json"]["schema"];
    if schema.is_null() {
        if !seen.body.is_empty() {
            wrong.push("there is a body, where the document has none".to_owned());
        }
        if header("content-type").is_some() {
            wrong.push("there is a content type without a body".to_owned());
        }
        return wrong;
    }
    if header("content-type") != Some("application/json") {
        wrong.push(format!("content-type is {:?}", header("content-type")));
    }
    let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()).unwrap_or_default();
    wrong.extend(against_schema(name, seen.body));
    if seen.status.as_u16() >= 400 {
        wrong.extend(code_fits(seen, header("x-request-id"), response));
    }
    wrong
}

fn resolve_header(object: &Value) -> &Value {
    match object["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null),
        None => object,
    }
}

fn header_fits(name: &str, value: &str, schema: &Value) -> Option<String> {
    let fits = if schema["type"] == "integer" {
        value.parse::<u64>().is_ok_and(|number| number >= schema["minimum"].as_u64().unwrap_or(0))
    } else {
        schema["enum"].as_array().is_none_or(|values| values.iter().any(|allowed| allowed == value))
    };
    (!fits).then(|| format!("the header {name} is {value:?}"))
}

fn code_fits(seen: &Seen<'_>, request_id: Option<&str>, response: &Value) -> Vec<String> {
    let body: Value = serde_json::from_slice(seen.body).unwrap_or_default();
    let mut wrong = Vec::new();
    match body["error_code"].as_str() {
        None => wrong.push("the error has no code".to_owned()),
        Some(code) => match error::ALL.iter().find(|entry| entry.code == code) {
            None => wrong.push(format!("`{code}` is not in the registry")),
            Some(entry) if entry.status != seen.status.as_u16() => {
                wrong.push(format!("`{code}` belongs to {}", entry.status));
            }
            Some(_) if response["content"]["application/json"]["examples"][code].is_null() => {
                wrong.push(format!(
                    "`{code}` is not among the operation's codes (server/api/src/document/codes.rs)"
                ));
            }
            Some(_) => {}
        },
    }
    if body["request_id"].as_str() != request_id {
        wrong.push(format!("the body's request_id is not the header's ({request_id:?})"));
    }
    wrong
}

/// Validates a body against a named schema of the document; returns the violations.
pub fn against_schema(name: &str, body: &[u8]) -> Vec<String> {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return vec!["the body is not JSON".to_owned()];
    };
    let validator = validator(name);
    validator.iter_errors(&value).map(|error| format!("{name}{}: {error}", error.instance_path())).collect()
}

fn validator(name: &str) -> Arc<Validator> {
    static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    static SCHEMAS: LazyLock<Value> = LazyLock::new(|| {
        let mut schemas = DOCUMENT["components"]["schemas"].clone();
        schemas.as_object_mut().unwrap().values_mut().for_each(modernize);
        schemas
    });
    let mut compiled = COMPILED.lock().unwrap();
    let validator = compiled.entry(name.to_owned()).or_insert_with(|| {
        let schema =
            json!({ "$ref": format!("#/components/schemas/{name}"), "components": { "schemas": *SCHEMAS } });
        let validator = jsonschema::options().should_validate_formats(true).build(&schema);
        Arc::new(validator.unwrap_or_else(|error| panic!("the schema {name} is unusable: {error}")))
    });
    Arc::clone(validator)
}

/// Converts a schema of OpenAPI 3.0 to JSON Schema: `nullable` becomes a second type. Forbids additional properties of
/// objects with known ones, because the server must not send a field that is not in the document.
fn modernize(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(modernize),
        Value::Object(members) => {
            members.values_mut().for_each(modernize);
            let is_schema = members.get("type").is_some_and(Value::is_string);
            if is_schema
                && members.get("properties").is_some_and(Value::is_object)
                && !members.contains_key("additionalProperties")
            {
                members.insert("additionalProperties".to_owned(), false.into());
            }
            // A keyword only where it is a boolean; otherwise it is a property's name.
            if members.get("nullable") == Some(&Value::Bool(true)) {
                members.remove("nullable");
                let whole = std::mem::take(members);
                *schema = json!({ "anyOf": [whole, { "type": "null" }] });
            }
        }
        _ => {}
    }
}

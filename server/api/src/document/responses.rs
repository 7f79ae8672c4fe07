//! Responses: the success of each operation, and every error that it can return, each with the body `ApiError` and an example
//! for each code. Responses common to several operations are shared components.

use serde_json::{Map, Value, json};

use super::codes;
use super::components;
use super::headers::{self, References};
use super::operations::Facts;
use crate::error::{
    self, AMBIGUOUS_CREDENTIALS, CONFLICT, ErrorCode, FORBIDDEN, IDEMPOTENCY_IN_PROGRESS,
    INVALID_CREDENTIALS, INVALID_PAGE_TOKEN, INVALID_QUERY, INVALID_REQUEST, QUERY_TOO_COSTLY,
    TOO_MANY_ATTEMPTS, UNAUTHENTICATED,
};

/// Properties common to the errors of one status.
struct Status {
    code: u16,
    /// Name of the component for operations that return the same codes with this status.
    name: &'static str,
    description: &'static str,
    headers: &'static [&'static str],
}

const fn status(
    code: u16,
    name: &'static str,
    description: &'static str,
    headers: &'static [&'static str],
) -> Status {
    Status { code, name, description, headers }
}

const STATUSES: &[Status] = &[
    status(400, "BadRequest", "The request doesn't match this document.", &[]),
    status(401, "Unauthenticated", "The credential is missing, invalid or expired.", &["WWW-Authenticate"]),
    status(403, "Forbidden", "The caller may not do this.", &[]),
    status(404, "NotFound", "The resource doesn't exist, or the caller may not see it.", &[]),
    status(408, "RequestTimeout", "The request body didn't arrive in time.", &[]),
    status(409, "Conflict", "The request conflicts with the current state.", &[]),
    status(412, "PreconditionFailed", "The resource has changed since it was read.", &["ETag"]),
    status(413, "BodyTooLarge", "The request body is too large.", &[]),
    status(415, "UnsupportedMediaType", "The request body is not `application/json`.", &[]),
    status(422, "Unprocessable", "The request is well-formed but breaks a rule of the directory.", &[]),
    status(
        429,
        "TooManyRequests",
        "Too many concurrent requests from the caller; retry after the time in `Retry-After`.",
        &["Retry-After"],
    ),
    status(
        503,
        "Unavailable",
        "The server can't process the request now; retry. A change may have taken effect, or may take effect later: if the \
         connection to the database was lost, the server doesn't know. Read the resource before a retry, or retry with the \
         same `Idempotency-Key`.",
        &["Retry-After?"],
    ),
    status(500, "ServerError", "Internal error.", &[]),
];

/// Responses common to several operations, beside those named in [`STATUSES`]: component, description, codes.
const SHARED: &[(&str, &str, &[ErrorCode])] = &[
    ("BadAnonymousRequest", "The request doesn't match this document.", &[INVALID_REQUEST]),
    (
        "BadPageRequest",
        "The request doesn't match this document, or its page token is invalid.",
        &[INVALID_REQUEST, INVALID_PAGE_TOKEN, AMBIGUOUS_CREDENTIALS],
    ),
    (
        "BadSearchRequest",
        "The request doesn't match this document, its page token is invalid, or its search can't be parsed.",
        &[INVALID_REQUEST, INVALID_PAGE_TOKEN, INVALID_QUERY, AMBIGUOUS_CREDENTIALS],
    ),
    ("BadRequest", STATUSES[0].description, &[INVALID_REQUEST, AMBIGUOUS_CREDENTIALS]),
    ("Unauthenticated", STATUSES[1].description, &[UNAUTHENTICATED]),
    ("InvalidCredentials", "No account can sign in with these credentials.", &[INVALID_CREDENTIALS]),
    ("Forbidden", STATUSES[2].description, &[FORBIDDEN]),
    ("Conflict", "The request conflicted with a concurrent change.", &[CONFLICT]),
    ("QueryTooCostly", "The search takes too long.", &[QUERY_TOO_COSTLY]),
    (
        "TooManyAttempts",
        "Too many attempts, or too many concurrent requests from the caller; retry after the time in `Retry-After`.",
        &[TOO_MANY_ATTEMPTS, error::TOO_MANY_REQUESTS],
    ),
];

/// Returns true for a status whose codes are the same in all operations.
fn uniform(status: u16) -> bool {
    matches!(status, 404 | 408 | 412 | 413 | 415 | 429 | 500 | 503)
}

/// Writes the shared headers, examples and responses into the components.
pub(super) fn share(document: &mut Value) {
    headers::share(document);
    let examples = components(document, "examples");
    for entry in error::ALL {
        let value = json!({
            "request_id": "01941f29-7c00-7aaa-8000-00000000c0de",
            "error_code": entry.code,
            "message": entry.meaning,
        });
        examples.insert(entry.code.to_owned(), json!({ "summary": entry.meaning, "value": value }));
    }
    let target = components(document, "responses");
    target.clear();
    for status in STATUSES.iter().filter(|status| uniform(status.code)) {
        let all = error::ALL.iter().filter(|entry| entry.status == status.code);
        let codes: Vec<ErrorCode> = all.filter(|entry| **entry != TOO_MANY_ATTEMPTS).copied().collect();
        target.insert(status.name.to_owned(), response(status, status.description, &codes));
    }
    for (name, description, codes) in SHARED {
        target.insert((*name).to_owned(), response(of(codes[0].status), description, codes));
    }
    let not_modified = json!({
        "description": "The resource still has an entity tag of `If-None-Match`.",
        "headers": References(&["ETag"]).value(),
    });
    target.insert("NotModified".to_owned(), not_modified);
}

fn of(status: u16) -> &'static Status {
    let found = STATUSES.iter().find(|candidate| candidate.code == status);
    found.unwrap_or_else(|| panic!("no code of the registry has the status {status}"))
}

/// Builds an error response with an example for each of these codes.
fn response(status: &Status, description: &str, codes: &[ErrorCode]) -> Value {
    let examples: Map<String, Value> = codes
        .iter()
        .map(|entry| {
            (entry.code.to_owned(), json!({ "$ref": format!("#/components/examples/{}", entry.code) }))
        })
        .collect();
    let mut names = status.headers.to_vec();
    if codes.contains(&IDEMPOTENCY_IN_PROGRESS) {
        names.push("Retry-After?");
    }
    json!({
        "description": description,
        "headers": References(&names).value(),
        "content": {
            "application/json": {
                "schema": { "$ref": "#/components/schemas/ApiError" },
                "examples": examples,
            },
        },
    })
}

/// Writes the responses of one operation: the success with its headers, and every error that it can return.
pub(super) fn write(responses: &mut Map<String, Value>, facts: &Facts<'_>) {
    responses.retain(|status, _| status.starts_with('2'));
    for (status, response) in responses.iter_mut() {
        let names: &[&str] = match status.as_str() {
            "201" => &["Location", "ETag", "Idempotency-Replayed"],
            "204" => &[],
            _ if facts.if_none_match || facts.if_match => &["ETag"],
            _ => &[],
        };
        response["description"] = facts.spec.success.into();
        response["headers"] = References(names).value();
    }
    if facts.if_none_match {
        responses.insert("304".to_owned(), reference("NotModified"));
    }
    let codes = codes::of(facts);
    for status in STATUSES {
        let own: Vec<ErrorCode> = codes.iter().filter(|code| code.status == status.code).copied().collect();
        if own.is_empty() {
            continue;
        }
        let key = if status.code == 500 { "5XX".to_owned() } else { status.code.to_string() };
        let shared = SHARED.iter().find(|(_, _, codes)| *codes == own.as_slice());
        let value = match shared {
            Some((name, ..)) => reference(name),
            None if uniform(status.code) => reference(status.name),
            None => response(status, status.description, &own),
        };
        responses.insert(key, value);
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/responses/{name}") })
}

/// Drops the shared responses and examples that nothing refers to.
pub(super) fn drop_unused(document: &mut Value) {
    for kind in ["responses", "examples"] {
        let text = document.to_string();
        components(document, kind)
            .retain(|name, _| text.contains(&format!("\"#/components/{kind}/{name}\"")));
    }
}

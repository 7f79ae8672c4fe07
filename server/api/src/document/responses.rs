//! Responses: one shared component for each error status, all with the one `ApiError` body; the headers of every
//! answer; and which statuses an operation can answer.

use serde_json::{Map, Value, json};

use super::components;
use super::operations::Facts;
use crate::access::Access;
use crate::error;

/// A shared error response.
struct Shared {
    /// Its key among an operation's responses.
    status: &'static str,
    name: &'static str,
    description: &'static str,
    /// The codes of this status that it doesn't come with.
    without: &'static [&'static str],
    headers: &'static [&'static str],
}

const CONFLICT_WITH_KEY: &str = "ConflictOrKeyInUse";
const WITH_ATTEMPTS: &str = "TooManyAttempts";

const SHARED: &[Shared] = &[
    shared("400", "BadRequest", "The request is not as this document describes it.", &[]),
    shared(
        "401",
        "Unauthenticated",
        "There is no credential, or it is not, or no longer, good.",
        &["WWW-Authenticate"],
    ),
    shared("403", "Forbidden", "The caller may not do this.", &[]),
    shared("404", "NotFound", "There is no such resource, or none that the caller may see.", &[]),
    shared("408", "RequestTimeout", "The request's body was too slow.", &[]),
    Shared {
        without: &["idempotency_key_reused", "idempotency_in_progress"],
        ..shared("409", "Conflict", "The request contradicts what is there.", &[])
    },
    shared(
        "409",
        CONFLICT_WITH_KEY,
        "The request contradicts what is there, or its idempotency key is in use.",
        &["Retry-After?"],
    ),
    shared("412", "PreconditionFailed", "The resource is no longer the one that was read.", &["ETag"]),
    shared("413", "BodyTooLarge", "The request's body is too large.", &[]),
    shared("415", "UnsupportedMediaType", "The request's body is not `application/json`.", &[]),
    shared(
        "422",
        "Unprocessable",
        "The request is well-formed, but a rule of the directory forbids it.",
        &[],
    ),
    Shared {
        without: &["too_many_attempts"],
        ..shared("429", "TooManyRequests", "Too many requests of the caller at once; wait.", &["Retry-After"])
    },
    shared(
        "429",
        WITH_ATTEMPTS,
        "Too many attempts, or too many requests of the caller at once; wait.",
        &["Retry-After"],
    ),
    shared(
        "503",
        "Unavailable",
        "The server can't do it now; try again. A change may still have taken effect, or take effect later: where the \
         connection to the database was lost meanwhile, the server doesn't know. Read before repeating it, or repeat it \
         with the same `Idempotency-Key`.",
        &["Retry-After?"],
    ),
    shared("5XX", "ServerError", "The server failed.", &[]),
];

const fn shared(
    status: &'static str,
    name: &'static str,
    description: &'static str,
    headers: &'static [&'static str],
) -> Shared {
    Shared { status, name, description, without: &[], headers }
}

/// The headers that answers carry: name, component, whether they always come, meaning, schema.
fn headers() -> Vec<(&'static str, &'static str, bool, &'static str, Value)> {
    let text = || json!({ "type": "string" });
    let seconds = || json!({ "type": "integer", "format": "uint32", "minimum": 1 });
    vec![
        ("x-request-id", "RequestId", true, "The id of the request; finds it in the server's log.", text()),
        ("Cache-Control", "CacheControl", false, "`no-store`: answers are about people.", text()),
        (
            "ETag",
            "EntityTag",
            true,
            "The entity tag of what the caller is shown of the resource, for `If-Match` and `If-None-Match`.",
            text(),
        ),
        (
            "Location",
            "Location",
            true,
            "The path of the new resource.",
            json!({ "type": "string", "format": "uri-reference" }),
        ),
        (
            "idempotency-replayed",
            "IdempotencyReplayed",
            false,
            "`true` where this is the answer that an earlier request with the same idempotency key got.",
            json!({ "type": "string", "enum": ["true"] }),
        ),
        ("Retry-After", "RetryAfter", true, "After how many seconds to try again.", seconds()),
        (
            "Retry-After?",
            "RetryAfterMaybe",
            false,
            "After how many seconds to try again, where that may help.",
            seconds(),
        ),
        ("WWW-Authenticate", "Challenge", true, "How to authenticate (RFC 6750, section 3).", text()),
    ]
}

/// References to headers by name; `x-request-id` and `Cache-Control` come with every answer.
fn header_references(names: &[&str]) -> Value {
    let wanted = |name: &str| matches!(name, "x-request-id" | "Cache-Control") || names.contains(&name);
    headers()
        .into_iter()
        .filter(|(name, ..)| wanted(name))
        .map(|(name, component, ..)| {
            let reference = json!({ "$ref": format!("#/components/headers/{component}") });
            (name.trim_end_matches('?').to_owned(), reference)
        })
        .collect::<Map<_, _>>()
        .into()
}

/// Writes the shared headers and responses into the components.
pub(super) fn share(document: &mut Value) {
    let target = components(document, "headers");
    for (_, component, required, description, schema) in headers() {
        let header = json!({ "description": description, "required": required, "schema": schema });
        target.insert(component.to_owned(), header);
    }
    let target = components(document, "responses");
    target.clear();
    for shared in SHARED {
        target.insert(shared.name.to_owned(), error_response(shared));
    }
    let not_modified = json!({
        "description": "The resource still has the tag that the caller knows.",
        "headers": header_references(&["ETag"]),
    });
    target.insert("NotModified".to_owned(), not_modified);
}

fn error_response(shared: &Shared) -> Value {
    let status = shared.status.replace("5XX", "500");
    let examples: Map<String, Value> = error::ALL
        .iter()
        .filter(|entry| entry.status.to_string() == status && !shared.without.contains(&entry.code))
        .map(|entry| {
            let value = json!({
                "request_id": "01941f29-7c00-7aaa-8000-00000000c0de",
                "error_code": entry.code,
                "message": entry.meaning,
            });
            (entry.code.to_owned(), json!({ "summary": entry.meaning, "value": value }))
        })
        .collect();
    json!({
        "description": shared.description,
        "headers": header_references(shared.headers),
        "content": {
            "application/json": {
                "schema": { "$ref": "#/components/schemas/ApiError" },
                "examples": examples,
            },
        },
    })
}

/// Writes the answers of one operation: the success with its headers, and every error that can happen.
pub(super) fn write(responses: &mut Map<String, Value>, facts: &Facts<'_>) {
    responses.retain(|status, _| status.starts_with('2'));
    for (status, response) in responses.iter_mut() {
        let (description, names): (_, &[&str]) = match status.as_str() {
            "201" => ("Created.", &["Location", "ETag", "idempotency-replayed"]),
            "204" => ("Done; there is no body.", &[]),
            _ if facts.if_none_match || facts.if_match => ("Done.", &["ETag"]),
            _ => ("Done.", &[]),
        };
        response["description"] = description.into();
        response["headers"] = header_references(names);
    }
    let mut refer = |status: &str, name: &str| {
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        responses.insert(status.to_owned(), reference);
    };
    if facts.if_none_match {
        refer("304", "NotModified");
    }
    for shared in SHARED {
        let right_conflict = (shared.name == CONFLICT_WITH_KEY) == facts.creates;
        let right_limit = (shared.name == WITH_ATTEMPTS) == counts_attempts(facts);
        let right = match shared.status {
            "409" => right_conflict,
            "429" => right_limit,
            _ => true,
        };
        if answers(facts, shared.status) && right {
            refer(shared.status, shared.name);
        }
    }
}

/// Whether an operation's calls are counted as attempts at guessing something.
fn counts_attempts(facts: &Facts<'_>) -> bool {
    matches!(
        facts.rule.operation,
        "login"
            | "login_change_password"
            | "register"
            | "session_reauthenticate"
            | "user_password_change"
            | "user_password_verify"
            | "invitation_accept"
    )
}

/// Whether an operation can answer this status.
fn answers(facts: &Facts<'_>, status: &str) -> bool {
    let id = facts.rule.operation;
    let signed_in = facts.rule.access != Access::Public;
    let signs_in = matches!(id, "login" | "login_change_password");
    match status {
        "400" => facts.body || facts.parameters || signed_in,
        "401" => signed_in || signs_in,
        "403" => facts.rule.access.can_forbid() || matches!(id, "login" | "register" | "user_list"),
        "404" => facts.path || matches!(id, "user_list" | "group_create" | "access_check"),
        "408" | "413" | "415" => facts.body,
        "409" => facts.changes,
        "412" => facts.if_match,
        "422" => facts.searches || id == "user_role_list" || facts.body && !matches!(id, "login" | "logout"),
        // One asks with POST and takes no share.
        "429" => facts.changes && id != "access_check" || facts.searches || id == "user_role_list",
        "503" => !matches!(id, "system_health" | "system_version" | "document_view"),
        _ => true,
    }
}

/// Drops the shared responses that no operation refers to.
pub(super) fn drop_unused(document: &mut Value) {
    let paths = document["paths"].to_string();
    components(document, "responses")
        .retain(|name, _| paths.contains(&format!("\"#/components/responses/{name}\"")));
}

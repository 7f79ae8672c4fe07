//! The document's front matter: title, rules common to all operations, licence, servers, tags and the bearer scheme.

use serde_json::{Value, json};

use super::{VERSION, components, operations_mut};
use crate::operations::OPERATIONS;
use crate::types::{PAGE_DEFAULT, PAGE_MAX};

/// The document's title.
pub(super) const TITLE: &str = "Rollcall";

/// The key of the security scheme.
pub(super) const SCHEME: &str = "bearer";

fn description() -> String {
    format!(
        "A self-hosted user directory: users, sign-in, sessions, groups, roles and an audit trail.

## Authentication

`login` returns a bearer token. Send it once per request, as `Authorization: Bearer …`; tokens in query strings are ignored.
The token is looked up on every request, so it stops working as soon as its session ends. Each operation states its allowed
callers, in words and as `x-permission`. `groups:write` includes `groups:read`.

## Errors

Every error has the same body, `{{request_id, error_code, message}}`. Programs should decide by `error_code`: codes are
stable, new ones may be added, and the schema `ApiError` lists them. `message` is for people. `request_id`, which every
response also has in its `X-Request-Id` header, finds the request in the server's log. Unknown paths and methods get a 404
or 405 without `error_code`; `HEAD` is allowed for `/healthz`, `/readyz`, `/v1/version` and `/openapi.json` only. A resource
that the caller may not see gets the same response as one that doesn't exist.

## Paging

A list returns `items` and `next_page`. To get the next page, send `next_page` as `page_token` and leave the other
parameters unchanged; you have reached the last page when `next_page` is `null` or absent. `limit` is 1 to {PAGE_MAX},
{PAGE_DEFAULT} by default. Page tokens are opaque, and bound to the operation, its parameters and what the caller may see.

## Conditional requests

Mutable resources have an `ETag`, a digest of what the response shows: it changes exactly when that changes. A user's
different views, custom data and preferences have different tags. A read with `If-None-Match` of an unchanged resource
returns 304 without a body. A write with `If-Match` is done only if the resource, as the caller is shown it, still has one of
these tags; otherwise it returns 412 with the current tag. `If-Match` never matches weak tags. One field is not part of the
digest, because nobody edits it: a 304 may hide a newer `last_sign_in_at`, and signing in makes no `If-Match` fail.

## Idempotency

Operations that create a resource accept an `Idempotency-Key`. For 24 hours, a request with the same key, method, path and
body returns the first response again, with `Idempotency-Replayed: true`, and creates nothing twice. The same key with
another request returns 409 `idempotency_key_reused`. So does a retry after what the first request created was deleted, left,
used or has expired: use a new key to create it again. So does a retry by a caller who has gained or lost `users:read` since.
A caller who may no longer do it gets the 403 or 404 for that. While the first request is in progress, a retry returns 409
`idempotency_in_progress` with `Retry-After`.

## Concurrency limits

A user, over all of their sessions, may have a few writes and a few searches in progress at once; so may all callers without
a credential from one address together. Further requests wait briefly, then return 429 `too_many_requests` with
`Retry-After`; nothing was changed. A list request with any parameter other than `limit` and `page_token` is a search. Callers
whose searches recently took more than a quarter of a second share half of the server's searches among all of them.

## Partial updates

`PATCH` takes a JSON Merge Patch (RFC 7396) as `application/json`: an absent field keeps its value, `null` clears it.

## Compatibility

Responses may get new fields, and values marked `x-extensible-enum` may get new members: ignore those that you don't know.
Requests are strict: an unknown field or parameter gets a 400.
"
    )
}

/// Fills in the front matter.
pub(super) fn describe(document: &mut Value) {
    document["info"] = json!({
        "title": TITLE,
        "version": VERSION.to_string(),
        "description": description(),
        "contact": { "name": "The maintainers of Rollcall" },
        "license": { "name": "MIT OR Apache-2.0", "url": "https://spdx.org/licenses/" },
    });
    document["servers"] = json!([{ "url": "/", "description": "The server that serves this document." }]);
    let order = tags_by_first_use(document);
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.sort_by_key(|tag| order.iter().position(|name| tag["name"] == *name));
    }
    components(document, "securitySchemes").insert(
        SCHEME.to_owned(),
        json!({
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "rcs_…",
            "description": "The token of a session, as returned by `login` (RFC 6750, section 2.1).",
        }),
    );
}

/// The tags in the order in which the trait first uses them.
fn tags_by_first_use(document: &mut Value) -> Vec<String> {
    let place = |id: &Value| OPERATIONS.iter().position(|spec| id == spec.id);
    let mut tags: Vec<_> = operations_mut(document)
        .into_iter()
        .filter_map(|(_, _, operation)| {
            Some((place(&operation["operationId"]), operation["tags"][0].as_str()?.to_owned()))
        })
        .collect();
    tags.sort();
    let mut seen = std::collections::HashSet::new();
    tags.into_iter().map(|(_, tag)| tag).filter(|tag| seen.insert(tag.clone())).collect()
}

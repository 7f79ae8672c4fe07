//! What the document says before its first operation: title, rules that hold everywhere, licence, servers, tags
//! and the bearer scheme.

use serde_json::{Value, json};

use super::{VERSION, components, operations_mut};
use crate::operations::OPERATIONS;
use crate::types::{PAGE_DEFAULT, PAGE_MAX};

/// The document's title.
pub(super) const TITLE: &str = "Rollcall";

/// The name of the security scheme.
pub(super) const SCHEME: &str = "bearer";

fn description() -> String {
    format!(
        "A directory of people that you host yourself: users, sign-in, sessions, groups.

## Credentials

`login` answers with a bearer token. Send it as `Authorization: Bearer …`, once; in query strings it counts for nothing. It is
looked up on every request, so an ended session is dead on the next one. Each operation says who may call it, in words
and as `x-permission`. `groups:write` includes `groups:read`.

## Errors

Every error has the same body, `{{request_id, error_code, message}}`. Decide by `error_code`: codes are stable, new ones
may come, and `error-codes.txt` lists them. `message` is for people. `request_id`, also in the `X-Request-Id` header of
every answer, finds the request in the server's log. A path or method that no operation has is answered with 404 or 405
and without `error_code`; `HEAD` is allowed for `/healthz`, `/readyz`, `/v1/version` and `/openapi.json` only. A resource that the caller may not see is answered like one that does not exist.

## Paging

A list answers with `items` and `next_page`. Send `next_page` as `page_token`, with the other parameters unchanged, to
get the next page; the walk is over where it is `null` or absent. `limit` is 1 to {PAGE_MAX}, {PAGE_DEFAULT} by default.
Tokens are opaque, and bound to the operation, its parameters and what the caller may see.

## Conditional requests

Resources that change carry an `ETag`, a digest of what the response shows: it changes with that and with nothing else, and
the views of a user, its custom data and its preferences have different ones. With `If-None-Match` a read of an unchanged
resource is a 304 without a body. With `If-Match` a write is done only while the caller would still be shown what was read;
otherwise it is a 412 with the current tag. Weak tags never match there. One field does not count, because nobody edits it:
a 304 may hide a newer `last_sign_in_at`, and signing in makes no `If-Match` fail.

## Idempotency

An operation that creates takes an `Idempotency-Key`. For 24 hours the same key on the same method and path with
the same body gets the first response again, marked `Idempotency-Replayed: true`, and nothing is created twice. The same key
with another request is a 409 `idempotency_key_reused`; so is a retry after what the first request created was deleted, left,
used or has expired, which creates nothing anew, and a retry by a caller who holds `users:read` now and did not then, or the
other way round. Creating it again takes a new key. A caller who may not do it any more gets the 403 or 404 that says so; while the first request is being worked on, it is a 409 `idempotency_in_progress` with
`Retry-After`.

## Fair shares

One user, over all sessions, may have a few changes and a few searches under way at once; so may everybody together who is
not signed in and comes from one address. Further ones wait for a moment, and are a 429 `too_many_requests` with
`Retry-After` where that was not enough. Nothing was done then. A list with any parameter but `limit` and `page_token`
is a search. Callers whose searches took more than a quarter of a second lately share half of the server's searches among
all of them.

## Changing

`PATCH` takes a JSON Merge Patch (RFC 7396) as `application/json`: an absent field keeps its value, `null` clears it.

## Growing

Answers may get new fields, and values marked `x-extensible-enum` may get new members: ignore what you don't know.
Requests are strict: an unknown field or parameter is a 400.
"
    )
}

/// Fills in everything outside the operations and schemas.
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
            "description": "The token of a session, as `login` answers with it (RFC 6750, section 2.1).",
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

//! The registry of error codes: every 4xx and 5xx that Rollcall answers by itself carries one of these. Codes
//! are stable; new ones may come. The body is always `{request_id, error_code, message}`.

use dropshot::{ErrorStatusCode, HttpError};
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};

/// One line of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode {
    /// What stands in `error_code`.
    pub code: &'static str,
    /// The HTTP status that it always comes with.
    pub status: u16,
    /// What it means and what to do.
    pub meaning: &'static str,
}

const fn code(code: &'static str, status: u16, meaning: &'static str) -> ErrorCode {
    ErrorCode { code, status, meaning }
}

/// 400: the request isn't what the document says.
pub const INVALID_REQUEST: ErrorCode = code(
    "invalid_request",
    400,
    "The request is not as the document describes it; the message names the field and the rule.",
);
/// 400: an unusable page token.
pub const INVALID_PAGE_TOKEN: ErrorCode = code(
    "invalid_page_token",
    400,
    "The page token was edited, or comes from another operation, filter, order or caller. Start again without one.",
);
/// 400: an unreadable search, filter or order.
pub const INVALID_QUERY: ErrorCode = code(
    "invalid_query",
    400,
    "The search, filter or sort can't be read; the message names the place, what was expected and the allowed names.",
);
/// 400: more than one credential.
pub const AMBIGUOUS_CREDENTIALS: ErrorCode =
    code("ambiguous_credentials", 400, "The request carries more than one credential; send exactly one.");
/// 401: no usable credential.
pub const UNAUTHENTICATED: ErrorCode = code(
    "unauthenticated",
    401,
    "The request needs a bearer token, or the one it carries is unknown, ended or expired.",
);
/// 401: sign-in failed.
pub const INVALID_CREDENTIALS: ErrorCode = code(
    "invalid_credentials",
    401,
    "Nobody can sign in with this identifier and password. The answer is the same whatever the reason.",
);
/// 403: lacking permission.
pub const FORBIDDEN: ErrorCode = code(
    "forbidden",
    403,
    "The caller may see the resource but not do this; the message names the permission that is missing.",
);
/// 403: the password must be changed first.
pub const PASSWORD_EXPIRED: ErrorCode = code(
    "password_expired",
    403,
    "The password is right but has expired; change it with login_change_password, which needs no session.",
);
/// 403: recent authentication needed.
pub const REAUTHENTICATION_REQUIRED: ErrorCode = code(
    "reauthentication_required",
    403,
    "The operation is sensitive and the sign-in is too old; call session_reauthenticate first.",
);
/// 403: registration is not open.
pub const REGISTRATION_CLOSED: ErrorCode =
    code("registration_closed", 403, "This server does not let people register themselves.");
/// 404: no such resource, or none that the caller may see.
pub const NOT_FOUND: ErrorCode =
    code("not_found", 404, "There is no such resource, or none that the caller may see.");
/// 408: the body was too slow.
pub const REQUEST_TIMEOUT: ErrorCode =
    code("request_timeout", 408, "The request's body did not arrive in time.");
/// 409: username in use.
pub const USERNAME_TAKEN: ErrorCode = code("username_taken", 409, "Another account uses this username.");
/// 409: address in use.
pub const EMAIL_TAKEN: ErrorCode = code("email_taken", 409, "Another account uses this e-mail address.");
/// 409: number in use.
pub const PHONE_TAKEN: ErrorCode = code("phone_taken", 409, "Another account uses this telephone number.");
/// 409: last administrator.
pub const LAST_ADMINISTRATOR: ErrorCode = code(
    "last_administrator",
    409,
    "This would leave the directory without an administrator who can sign in.",
);
/// 409: role name in use.
pub const ROLE_NAME_TAKEN: ErrorCode = code("role_name_taken", 409, "Another role has this name.");
/// 409: slug in use.
pub const SLUG_TAKEN: ErrorCode = code("slug_taken", 409, "Another group has this slug.");
/// 409: built-in role.
pub const BUILT_IN_ROLE: ErrorCode =
    code("built_in_role", 409, "A built-in role can be neither changed nor deleted.");
/// 409: role in use.
pub const ROLE_IN_USE: ErrorCode =
    code("role_in_use", 409, "Somebody holds the role; delete it with `force` and they lose it.");
/// 409: default group.
pub const DEFAULT_GROUP: ErrorCode = code(
    "default_group",
    409,
    "Every user is in the default group: it can't be deleted, left or named otherwise, and has no invitations.",
);
/// 409: last owner.
pub const LAST_OWNER: ErrorCode =
    code("last_owner", 409, "This would leave a group without an owner; make another member an owner first.");
/// 409: already a member.
pub const ALREADY_MEMBER: ErrorCode =
    code("already_member", 409, "The user is a member of the group already.");
/// 409: key reused.
pub const IDEMPOTENCY_KEY_REUSED: ErrorCode =
    code("idempotency_key_reused", 409, "This idempotency key was used before with another request.");
/// 409: key in flight.
pub const IDEMPOTENCY_IN_PROGRESS: ErrorCode = code(
    "idempotency_in_progress",
    409,
    "A request with this idempotency key is being worked on; retry after the time in Retry-After.",
);
/// 409: concurrent change.
pub const CONFLICT: ErrorCode =
    code("conflict", 409, "The request collided with another change; read the resource again and retry.");
/// 412: stale tag.
pub const PRECONDITION_FAILED: ErrorCode = code(
    "precondition_failed",
    412,
    "The resource has changed since the tag in If-Match was read; the ETag header has the current tag.",
);
/// 413: body too large.
pub const BODY_TOO_LARGE: ErrorCode =
    code("body_too_large", 413, "The request's body is larger than the operation allows.");
/// 415: not JSON.
pub const UNSUPPORTED_MEDIA_TYPE: ErrorCode =
    code("unsupported_media_type", 415, "The request's body must be sent as application/json.");
/// 422: wrong password.
pub const PASSWORD_MISMATCH: ErrorCode =
    code("password_mismatch", 422, "The current password is not the one that was sent.");
/// 422: too short for the policy.
pub const PASSWORD_TOO_SHORT: ErrorCode = code(
    "password_too_short",
    422,
    "The new password has fewer characters than this server's policy demands.",
);
/// 422: guessable.
pub const PASSWORD_BLOCKED: ErrorCode = code(
    "password_blocked",
    422,
    "The new password is common, repetitive, easily guessed or made of the user's own names.",
);
/// 422: same as before.
pub const PASSWORD_UNCHANGED: ErrorCode =
    code("password_unchanged", 422, "The new password is the same as the current one.");
/// 422: somebody else's address as a username.
pub const USERNAME_NOT_OWN_EMAIL: ErrorCode = code(
    "username_not_own_email",
    422,
    "A username shaped like an e-mail address or a telephone number must be the user's own.",
);
/// 422: a character that no username may have.
pub const USERNAME_NOT_ALLOWED: ErrorCode = code(
    "username_not_allowed",
    422,
    "The username has a character that RFC 8265 allows in no username, or not in that place, such as an invisible one; \
     the message names it.",
);
/// 422: no way to name the user.
pub const IDENTIFIER_REQUIRED: ErrorCode =
    code("identifier_required", 422, "A user needs at least one of username, email and phone.");
/// 422: wrong kind of role.
pub const WRONG_ROLE_TYPE: ErrorCode = code(
    "wrong_role_type",
    422,
    "The role can't be held there: users hold global roles of type `user`, members hold group roles.",
);
/// 422: unknown permission of Rollcall's own.
pub const UNKNOWN_PERMISSION: ErrorCode = code(
    "unknown_permission",
    422,
    "The permission is in a name space of Rollcall's own, but there is none with this name or it does not belong there.",
);
/// 422: unusable invitation.
pub const INVITATION_INVALID: ErrorCode = code(
    "invitation_invalid",
    422,
    "The invitation is unknown, used, expired, withdrawn, meant for another address, or void because its sender may not send it any more.",
);
/// 422: a proof of nothing.
pub const NOTHING_TO_VERIFY: ErrorCode = code(
    "nothing_to_verify",
    422,
    "The user has no e-mail address, or no telephone number, that could be verified; set it in the same request.",
);
/// 422: a time that is over.
pub const TIME_IN_PAST: ErrorCode = code("time_in_past", 422, "The time must be in the future.");
/// 422: document too large or deep.
pub const DOCUMENT_TOO_LARGE: ErrorCode = code(
    "document_too_large",
    422,
    "The JSON object would be larger or deeper than its limit after this change.",
);
/// 422: a search that would take too long.
pub const QUERY_TOO_COSTLY: ErrorCode = code(
    "query_too_costly",
    422,
    "The search, filter or exact total takes longer than a statement may; narrow it, or ask for an estimate.",
);
/// 429: slow down.
pub const TOO_MANY_ATTEMPTS: ErrorCode = code(
    "too_many_attempts",
    429,
    "Too many attempts for this account or from this address; wait for Retry-After.",
);
/// 429: too much at once.
pub const TOO_MANY_REQUESTS: ErrorCode = code(
    "too_many_requests",
    429,
    "The caller, or an address without a sign-in, has too many requests under way at once; wait for Retry-After.",
);
/// 500: our fault.
pub const INTERNAL: ErrorCode = code(
    "internal",
    500,
    "The server failed; the request id finds the reason in its log. Nothing was changed.",
);
/// 503: later.
pub const UNAVAILABLE: ErrorCode = code(
    "unavailable",
    503,
    "The server is overloaded or its database is away; retry after the time in Retry-After. A change may still take effect.",
);

/// Every code there is.
pub const ALL: &[ErrorCode] = &[
    INVALID_REQUEST,
    INVALID_PAGE_TOKEN,
    INVALID_QUERY,
    AMBIGUOUS_CREDENTIALS,
    UNAUTHENTICATED,
    INVALID_CREDENTIALS,
    FORBIDDEN,
    PASSWORD_EXPIRED,
    REAUTHENTICATION_REQUIRED,
    REGISTRATION_CLOSED,
    NOT_FOUND,
    REQUEST_TIMEOUT,
    USERNAME_TAKEN,
    EMAIL_TAKEN,
    PHONE_TAKEN,
    LAST_ADMINISTRATOR,
    ROLE_NAME_TAKEN,
    SLUG_TAKEN,
    BUILT_IN_ROLE,
    ROLE_IN_USE,
    DEFAULT_GROUP,
    LAST_OWNER,
    ALREADY_MEMBER,
    IDEMPOTENCY_KEY_REUSED,
    IDEMPOTENCY_IN_PROGRESS,
    CONFLICT,
    PRECONDITION_FAILED,
    BODY_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    PASSWORD_MISMATCH,
    PASSWORD_TOO_SHORT,
    PASSWORD_BLOCKED,
    PASSWORD_UNCHANGED,
    USERNAME_NOT_OWN_EMAIL,
    USERNAME_NOT_ALLOWED,
    IDENTIFIER_REQUIRED,
    WRONG_ROLE_TYPE,
    UNKNOWN_PERMISSION,
    INVITATION_INVALID,
    NOTHING_TO_VERIFY,
    TIME_IN_PAST,
    DOCUMENT_TOO_LARGE,
    QUERY_TOO_COSTLY,
    TOO_MANY_ATTEMPTS,
    TOO_MANY_REQUESTS,
    INTERNAL,
    UNAVAILABLE,
];

/// The challenge of a 401 (RFC 6750, section 3).
const CHALLENGE: &str = "Bearer realm=\"rollcall\"";

impl ErrorCode {
    /// The error as Dropshot sends it. `message` reaches the caller: no secrets, no internals.
    pub fn with(self, message: impl Into<String>) -> HttpError {
        let message = message.into();
        let mut error = HttpError {
            status_code: ErrorStatusCode::from_u16(self.status)
                .expect("the registry holds error statuses only"),
            error_code: Some(self.code.to_owned()),
            internal_message: message.clone(),
            external_message: message,
            headers: None,
        };
        let headers = error.headers_mut();
        headers.insert(CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
        if self.status == 401 {
            headers.insert(WWW_AUTHENTICATE, http::HeaderValue::from_static(CHALLENGE));
        }
        error
    }

    /// The same with `Retry-After`, in whole seconds.
    pub fn with_retry(self, message: impl Into<String>, seconds: u64) -> HttpError {
        let mut error = self.with(message);
        error.headers_mut().insert(RETRY_AFTER, seconds.max(1).into());
        error
    }
}

/// The registry as `openapi/error-codes.txt` shows it.
pub fn table() -> String {
    let width = ALL.iter().map(|entry| entry.code.len()).max().unwrap_or(0);
    let mut text = String::from("# GENERATED by `cargo xtask generate`. code · status · meaning\n");
    for entry in ALL {
        text.push_str(&format!("{:width$}  {}  {}\n", entry.code, entry.status, entry.meaning));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_snake_case_and_errors() {
        for (index, entry) in ALL.iter().enumerate() {
            assert!(
                entry.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
                "{}",
                entry.code
            );
            assert!((400..600).contains(&entry.status));
            assert!(ALL[..index].iter().all(|other| other.code != entry.code), "{} stands twice", entry.code);
            entry.with("");
        }
    }
}

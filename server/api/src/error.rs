//! The registry of error codes: every 4xx and 5xx response of an operation carries one of these. Codes are stable; new
//! ones may be added. The body is always `{request_id, error_code, message}`.

use dropshot::{ErrorStatusCode, HttpError};
use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};

/// An entry of the registry: a code with its status and meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode {
    /// Value of `error_code` in the body, in snake_case.
    pub code: &'static str,
    /// HTTP status of every response with this code.
    pub status: u16,
    /// Meaning of the code and remedy, as published in the document.
    pub meaning: &'static str,
}

/// Declares the codes, and [`ALL`] with them.
macro_rules! registry {
    ($($name:ident = $code:literal, $status:literal, $meaning:literal;)*) => {
        $(#[doc = concat!(stringify!($status), ": ", $meaning)]
        pub const $name: ErrorCode = ErrorCode { code: $code, status: $status, meaning: $meaning };)*

        /// Every code, in the order of `openapi/error-codes.txt`.
        pub const ALL: &[ErrorCode] = &[$($name),*];
    };
}

registry! {
    INVALID_REQUEST = "invalid_request", 400,
        "The request doesn't match the document; the message names the field and the rule.";
    INVALID_PAGE_TOKEN = "invalid_page_token", 400,
        "The page token is invalid, or belongs to another operation, query or caller. Start again without one.";
    INVALID_QUERY = "invalid_query", 400,
        "The search, filter or sort can't be parsed; the message gives the position, what was expected and the allowed names.";
    AMBIGUOUS_CREDENTIALS = "ambiguous_credentials", 400,
        "The request carries more than one credential; send exactly one.";
    UNAUTHENTICATED = "unauthenticated", 401,
        "The request needs a bearer token, or the one it carries is unknown, ended or expired.";
    INVALID_CREDENTIALS = "invalid_credentials", 401,
        "No account can sign in with this identifier and password. The response is the same for every reason.";
    FORBIDDEN = "forbidden", 403,
        "The caller may see the resource but may not do this; the message names the missing permission.";
    PASSWORD_EXPIRED = "password_expired", 403,
        "The password is correct but has expired or must be changed; change it with login_change_password, which needs no session.";
    REAUTHENTICATION_REQUIRED = "reauthentication_required", 403,
        "The operation is sensitive and the sign-in is too old; call session_reauthenticate first.";
    REGISTRATION_CLOSED = "registration_closed", 403, "This server doesn't let people register themselves.";
    NOT_FOUND = "not_found", 404, "The resource doesn't exist, or the caller may not see it.";
    REQUEST_TIMEOUT = "request_timeout", 408, "The request body didn't arrive in time.";
    USERNAME_TAKEN = "username_taken", 409, "Another account uses this username.";
    EMAIL_TAKEN = "email_taken", 409, "Another account uses this e-mail address.";
    PHONE_TAKEN = "phone_taken", 409, "Another account uses this telephone number.";
    LAST_ADMINISTRATOR = "last_administrator", 409,
        "This would leave the directory without an administrator who can sign in.";
    ROLE_NAME_TAKEN = "role_name_taken", 409, "Another role has this name.";
    SLUG_TAKEN = "slug_taken", 409, "Another group has this slug.";
    BUILT_IN_ROLE = "built_in_role", 409, "A built-in role can be neither changed nor deleted.";
    ROLE_IN_USE = "role_in_use", 409, "The role has holders; delete it with `force` to take it from them.";
    DEFAULT_GROUP = "default_group", 409,
        "Every user is in the default group: it can't be deleted or left, its slug can't be changed, and it has no invitations.";
    LAST_OWNER = "last_owner", 409,
        "This would leave a group without an owner; make another member an owner first.";
    ALREADY_MEMBER = "already_member", 409, "The user is already a member of the group.";
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused", 409,
        "This idempotency key was used before, with another request or for something that no longer exists.";
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress", 409,
        "A request with this idempotency key is in progress; retry after the time in Retry-After.";
    CONFLICT = "conflict", 409, "The request conflicted with a concurrent change; read the resource again and retry.";
    PRECONDITION_FAILED = "precondition_failed", 412,
        "The resource has changed since the entity tag in If-Match was read; the ETag header has the current tag.";
    BODY_TOO_LARGE = "body_too_large", 413, "The request body is larger than the operation allows.";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", 415,
        "The request body must be sent as application/json.";
    PASSWORD_MISMATCH = "password_mismatch", 422, "The password sent is not the user's current password.";
    PASSWORD_TOO_SHORT = "password_too_short", 422,
        "The new password has fewer characters than this server's policy requires.";
    PASSWORD_BLOCKED = "password_blocked", 422,
        "The new password is common, repetitive, easily guessed or made of the user's own names.";
    PASSWORD_UNCHANGED = "password_unchanged", 422, "The new password is the same as the current one.";
    USERNAME_NOT_OWN_EMAIL = "username_not_own_email", 422,
        "A username shaped like an e-mail address or a telephone number must be the user's own.";
    USERNAME_NOT_ALLOWED = "username_not_allowed", 422,
        "The username has a character that RFC 8265 doesn't allow, at all or in that position, such as an invisible one; or it is a UUID or `me`. The message names the rule.";
    IDENTIFIER_REQUIRED = "identifier_required", 422,
        "A user needs at least one of username, email and phone.";
    WRONG_ROLE_TYPE = "wrong_role_type", 422,
        "The role can't be held there: users hold global roles of type `user`, members of a group hold group roles.";
    UNKNOWN_PERMISSION = "unknown_permission", 422,
        "The permission has a prefix reserved for Rollcall, but no such permission exists or it doesn't belong in a role of this scope.";
    INVITATION_INVALID = "invitation_invalid", 422,
        "The invitation is unknown, used, expired, withdrawn, for another address, or void because its sender may no longer send it.";
    NOTHING_TO_VERIFY = "nothing_to_verify", 422,
        "The user has no e-mail address or telephone number to verify; set it in the same request.";
    TIME_IN_PAST = "time_in_past", 422, "The time must be in the future.";
    DOCUMENT_TOO_LARGE = "document_too_large", 422,
        "The JSON object would be larger or deeper than its limit after this change.";
    QUERY_TOO_COSTLY = "query_too_costly", 422,
        "The search, filter or exact total exceeds the statement timeout; narrow it, or request an estimate.";
    TOO_MANY_ATTEMPTS = "too_many_attempts", 429,
        "Too many attempts for this account or from this address; retry after the time in Retry-After.";
    TOO_MANY_REQUESTS = "too_many_requests", 429,
        "Too many concurrent requests from the caller, or from an address without a credential; retry after the time in Retry-After.";
    INTERNAL = "internal", 500,
        "Internal error; find the cause in the server's log by the request id. Nothing was changed.";
    UNAVAILABLE = "unavailable", 503,
        "The server is overloaded or its database is unavailable; retry after the time in Retry-After. A change may still take effect.";
}

/// The challenge of a 401 (RFC 6750, section 3).
const CHALLENGE: &str = "Bearer realm=\"rollcall\"";

impl ErrorCode {
    /// Builds the error for Dropshot to send. The caller sees `message`, so it must hold no secrets and no internals.
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

    /// Builds the error with `Retry-After`, in whole seconds, at least 1.
    pub fn with_retry(self, message: impl Into<String>, seconds: u64) -> HttpError {
        let mut error = self.with(message);
        error.headers_mut().insert(RETRY_AFTER, seconds.max(1).into());
        error
    }
}

/// Renders the registry as `openapi/error-codes.txt`.
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
            assert!(
                ALL[..index].iter().all(|other| other.code != entry.code),
                "{} is listed twice",
                entry.code
            );
            entry.with("");
        }
    }
}

//! The known values of the document's open sets. A newer server may send others, so these are constants and no
//! enums; a test compares them with the document.

/// The known values of [`types::UserView`](crate::types::UserView): how much of a user an answer shows.
pub mod user_view {
    /// What any signed-in person sees of another.
    pub const CARD: &str = "card";
    /// One's own record.
    pub const OWN: &str = "own";
    /// The record as holders of `users:read` see it.
    pub const FULL: &str = "full";
    /// All of them.
    pub const ALL: &[&str] = &[CARD, OWN, FULL];
}

/// The known values of [`types::CreatedVia`](crate::types::CreatedVia): how an account came to be.
pub mod created_via {
    /// The first administrator, made by the server's command line.
    pub const BOOTSTRAP: &str = "bootstrap";
    /// Made by somebody with `users:write`.
    pub const ADMIN: &str = "admin";
    /// Registered by the person.
    pub const REGISTRATION: &str = "registration";
    /// All of them.
    pub const ALL: &[&str] = &[BOOTSTRAP, ADMIN, REGISTRATION];
}

/// The known values of [`types::RoleScope`](crate::types::RoleScope): where a role is held.
pub mod role_scope {
    /// Everywhere.
    pub const GLOBAL: &str = "global";
    /// Inside a group.
    pub const GROUP: &str = "group";
    /// All of them.
    pub const ALL: &[&str] = &[GLOBAL, GROUP];
}

/// The known values of [`types::RoleType`](crate::types::RoleType): who may hold a role.
pub mod role_type {
    /// Users.
    pub const USER: &str = "user";
    /// Machines.
    pub const MACHINE: &str = "machine";
    /// All of them.
    pub const ALL: &[&str] = &[USER, MACHINE];
}

/// The known values of [`types::AuditResult`](crate::types::AuditResult): what became of a call.
pub mod audit_result {
    /// It was done.
    pub const DONE: &str = "done";
    /// It was refused.
    pub const REFUSED: &str = "refused";
    /// All of them.
    pub const ALL: &[&str] = &[DONE, REFUSED];
}

/// The known values of [`Error::code`](crate::Error::code).
pub mod error_code {
    /// The request is not as the document describes it; the message names the field and the rule.
    pub const INVALID_REQUEST: &str = "invalid_request";
    /// The page token was edited, or comes from another operation, filter, order or caller. Start again without one.
    pub const INVALID_PAGE_TOKEN: &str = "invalid_page_token";
    /// The search, filter or sort can't be read; the message names the place, what was expected and the allowed names.
    pub const INVALID_QUERY: &str = "invalid_query";
    /// The request carries more than one credential; send exactly one.
    pub const AMBIGUOUS_CREDENTIALS: &str = "ambiguous_credentials";
    /// The request needs a bearer token, or the one it carries is unknown, ended or expired.
    pub const UNAUTHENTICATED: &str = "unauthenticated";
    /// Nobody can sign in with this identifier and password. The answer is the same whatever the reason.
    pub const INVALID_CREDENTIALS: &str = "invalid_credentials";
    /// The caller may see the resource but not do this; the message names the permission that is missing.
    pub const FORBIDDEN: &str = "forbidden";
    /// The password is right but has expired; change it with login_change_password, which needs no session.
    pub const PASSWORD_EXPIRED: &str = "password_expired";
    /// The operation is sensitive and the sign-in is too old; call session_reauthenticate first.
    pub const REAUTHENTICATION_REQUIRED: &str = "reauthentication_required";
    /// This server does not let people register themselves.
    pub const REGISTRATION_CLOSED: &str = "registration_closed";
    /// There is no such resource, or none that the caller may see.
    pub const NOT_FOUND: &str = "not_found";
    /// The request's body did not arrive in time.
    pub const REQUEST_TIMEOUT: &str = "request_timeout";
    /// Another account uses this username.
    pub const USERNAME_TAKEN: &str = "username_taken";
    /// Another account uses this e-mail address.
    pub const EMAIL_TAKEN: &str = "email_taken";
    /// Another account uses this telephone number.
    pub const PHONE_TAKEN: &str = "phone_taken";
    /// This would leave the directory without an administrator who can sign in.
    pub const LAST_ADMINISTRATOR: &str = "last_administrator";
    /// This idempotency key was used before with another request.
    pub const IDEMPOTENCY_KEY_REUSED: &str = "idempotency_key_reused";
    /// A request with this idempotency key is being worked on; retry after the time in Retry-After.
    pub const IDEMPOTENCY_IN_PROGRESS: &str = "idempotency_in_progress";
    /// The request collided with another change; read the resource again and retry.
    pub const CONFLICT: &str = "conflict";
    /// The resource has changed since the tag in If-Match was read; the ETag header has the current tag.
    pub const PRECONDITION_FAILED: &str = "precondition_failed";
    /// The request's body is larger than the operation allows.
    pub const BODY_TOO_LARGE: &str = "body_too_large";
    /// The request's body must be sent as application/json.
    pub const UNSUPPORTED_MEDIA_TYPE: &str = "unsupported_media_type";
    /// The current password is not the one that was sent.
    pub const PASSWORD_MISMATCH: &str = "password_mismatch";
    /// The new password has fewer characters than this server's policy demands.
    pub const PASSWORD_TOO_SHORT: &str = "password_too_short";
    /// The new password is common, repetitive, easily guessed or made of the user's own names.
    pub const PASSWORD_BLOCKED: &str = "password_blocked";
    /// The new password is the same as the current one.
    pub const PASSWORD_UNCHANGED: &str = "password_unchanged";
    /// A username shaped like an e-mail address or a telephone number must be the user's own.
    pub const USERNAME_NOT_OWN_EMAIL: &str = "username_not_own_email";
    /// The username has a character that RFC 8265 allows in no username, or not in that place, such as an invisible one; the
    /// message names it.
    pub const USERNAME_NOT_ALLOWED: &str = "username_not_allowed";
    /// A user needs at least one of username, email and phone.
    pub const IDENTIFIER_REQUIRED: &str = "identifier_required";
    /// The JSON object would be larger or deeper than its limit after this change.
    pub const DOCUMENT_TOO_LARGE: &str = "document_too_large";
    /// The search, filter or exact total takes longer than a statement may; narrow it, or ask for an estimate.
    pub const QUERY_TOO_COSTLY: &str = "query_too_costly";
    /// Too many attempts for this account or from this address; wait for Retry-After.
    pub const TOO_MANY_ATTEMPTS: &str = "too_many_attempts";
    pub const TOO_MANY_REQUESTS: &str = "too_many_requests";
    /// The server failed; the request id finds the reason in its log. Nothing was changed.
    pub const INTERNAL: &str = "internal";
    /// The server is overloaded or its database is away; retry after the time in Retry-After.
    pub const UNAVAILABLE: &str = "unavailable";
    /// Another role has this name.
    pub const ROLE_NAME_TAKEN: &str = "role_name_taken";
    /// Another group has this slug.
    pub const SLUG_TAKEN: &str = "slug_taken";
    /// A built-in role can be neither changed nor deleted.
    pub const BUILT_IN_ROLE: &str = "built_in_role";
    /// Somebody holds the role; delete it with `force` and they lose it.
    pub const ROLE_IN_USE: &str = "role_in_use";
    /// Every user is in the default group: it can't be deleted, left or named otherwise, and has no invitations.
    pub const DEFAULT_GROUP: &str = "default_group";
    /// This would leave a group without an owner; make another member an owner first.
    pub const LAST_OWNER: &str = "last_owner";
    /// The user is a member of the group already.
    pub const ALREADY_MEMBER: &str = "already_member";
    /// The role can't be held there: users hold global roles of type `user`, members hold group roles.
    pub const WRONG_ROLE_TYPE: &str = "wrong_role_type";
    /// The permission is in a name space of Rollcall's own, but there is none with this name or it does not belong there.
    pub const UNKNOWN_PERMISSION: &str = "unknown_permission";
    /// The invitation is unknown, used, expired, or meant for another address.
    pub const INVITATION_INVALID: &str = "invitation_invalid";
    /// The user has no e-mail address, or no telephone number, that could be verified; set it in the same request.
    pub const NOTHING_TO_VERIFY: &str = "nothing_to_verify";
    /// The time must be in the future.
    pub const TIME_IN_PAST: &str = "time_in_past";
    /// All of them.
    pub const ALL: &[&str] = &[
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
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    #[test]
    fn known_values_are_those_of_the_document() {
        let document: Value = serde_json::from_str(include_str!("../../openapi/rollcall.json")).unwrap();
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["UserView"]["x-extensible-enum"], json!(super::user_view::ALL));
        assert_eq!(schemas["CreatedVia"]["x-extensible-enum"], json!(super::created_via::ALL));
        assert_eq!(schemas["RoleScope"]["x-extensible-enum"], json!(super::role_scope::ALL));
        assert_eq!(schemas["RoleType"]["x-extensible-enum"], json!(super::role_type::ALL));
        assert_eq!(schemas["AuditResult"]["x-extensible-enum"], json!(super::audit_result::ALL));
        assert_eq!(
            schemas["ApiError"]["properties"]["error_code"]["x-extensible-enum"],
            json!(super::error_code::ALL)
        );
        let open = document.to_string().matches("\"x-extensible-enum\"").count();
        assert_eq!(open, 6, "an open set of the document has no constants here");
    }
}

//! Which error codes an operation can return: those that its parameters, its body and its line in the access table bring
//! with them, and those of its own rules. Its error statuses are the statuses of these codes. The tests hold every response
//! against this list, so a code that is missing here fails the first test that meets it.

use super::operations::Facts;
use crate::access::Access;
use crate::error::{
    self, ALREADY_MEMBER, AMBIGUOUS_CREDENTIALS, BODY_TOO_LARGE, BUILT_IN_ROLE, CONFLICT, DEFAULT_GROUP,
    DOCUMENT_TOO_LARGE, EMAIL_TAKEN, ErrorCode, FORBIDDEN, IDEMPOTENCY_IN_PROGRESS, IDEMPOTENCY_KEY_REUSED,
    IDENTIFIER_REQUIRED, INTERNAL, INVALID_CREDENTIALS, INVALID_PAGE_TOKEN, INVALID_QUERY, INVALID_REQUEST,
    INVITATION_INVALID, LAST_ADMINISTRATOR, LAST_OWNER, NOT_FOUND, NOTHING_TO_VERIFY, PASSWORD_BLOCKED,
    PASSWORD_EXPIRED, PASSWORD_MISMATCH, PASSWORD_TOO_SHORT, PASSWORD_UNCHANGED, PHONE_TAKEN,
    PRECONDITION_FAILED, QUERY_TOO_COSTLY, REAUTHENTICATION_REQUIRED, REGISTRATION_CLOSED, REQUEST_TIMEOUT,
    ROLE_IN_USE, ROLE_NAME_TAKEN, SLUG_TAKEN, TIME_IN_PAST, TOO_MANY_ATTEMPTS, TOO_MANY_REQUESTS,
    UNAUTHENTICATED, UNAVAILABLE, UNKNOWN_PERMISSION, UNSUPPORTED_MEDIA_TYPE, USERNAME_NOT_ALLOWED,
    USERNAME_NOT_OWN_EMAIL, USERNAME_TAKEN, WRONG_ROLE_TYPE,
};

/// The codes of an operation's own rules.
const OWN: &[(&str, &[ErrorCode])] = &[
    ("login", &[INVALID_CREDENTIALS, PASSWORD_EXPIRED, TOO_MANY_ATTEMPTS]),
    (
        "login_change_password",
        &[INVALID_CREDENTIALS, PASSWORD_TOO_SHORT, PASSWORD_BLOCKED, PASSWORD_UNCHANGED, TOO_MANY_ATTEMPTS],
    ),
    (
        "register",
        &[
            REGISTRATION_CLOSED,
            USERNAME_TAKEN,
            EMAIL_TAKEN,
            PHONE_TAKEN,
            PASSWORD_TOO_SHORT,
            PASSWORD_BLOCKED,
            USERNAME_NOT_OWN_EMAIL,
            USERNAME_NOT_ALLOWED,
            IDENTIFIER_REQUIRED,
            INVITATION_INVALID,
            TOO_MANY_ATTEMPTS,
        ],
    ),
    ("session_reauthenticate", &[PASSWORD_MISMATCH, TOO_MANY_ATTEMPTS]),
    ("user_list", &[FORBIDDEN, NOT_FOUND]),
    (
        "user_create",
        &[
            USERNAME_TAKEN,
            EMAIL_TAKEN,
            PHONE_TAKEN,
            PASSWORD_TOO_SHORT,
            PASSWORD_BLOCKED,
            USERNAME_NOT_OWN_EMAIL,
            USERNAME_NOT_ALLOWED,
            IDENTIFIER_REQUIRED,
            NOTHING_TO_VERIFY,
            DOCUMENT_TOO_LARGE,
        ],
    ),
    (
        "user_update",
        &[
            USERNAME_TAKEN,
            EMAIL_TAKEN,
            PHONE_TAKEN,
            USERNAME_NOT_OWN_EMAIL,
            USERNAME_NOT_ALLOWED,
            IDENTIFIER_REQUIRED,
            NOTHING_TO_VERIFY,
        ],
    ),
    ("user_delete", &[LAST_ADMINISTRATOR, LAST_OWNER]),
    ("user_suspend", &[LAST_ADMINISTRATOR, TIME_IN_PAST]),
    ("user_custom_data_update", &[DOCUMENT_TOO_LARGE]),
    ("user_custom_data_replace", &[DOCUMENT_TOO_LARGE]),
    ("user_preferences_update", &[DOCUMENT_TOO_LARGE]),
    ("user_password_set", &[PASSWORD_TOO_SHORT, PASSWORD_BLOCKED]),
    (
        "user_password_change",
        &[PASSWORD_MISMATCH, PASSWORD_TOO_SHORT, PASSWORD_BLOCKED, PASSWORD_UNCHANGED, TOO_MANY_ATTEMPTS],
    ),
    ("user_password_verify", &[PASSWORD_EXPIRED, PASSWORD_MISMATCH, TOO_MANY_ATTEMPTS]),
    ("group_create", &[NOT_FOUND, SLUG_TAKEN, DOCUMENT_TOO_LARGE]),
    ("group_update", &[SLUG_TAKEN, DEFAULT_GROUP, DOCUMENT_TOO_LARGE]),
    ("group_delete", &[DEFAULT_GROUP]),
    ("group_member_add", &[ALREADY_MEMBER, WRONG_ROLE_TYPE]),
    ("group_member_update", &[LAST_OWNER, WRONG_ROLE_TYPE]),
    ("group_member_remove", &[DEFAULT_GROUP, LAST_OWNER]),
    ("group_invitation_create", &[DEFAULT_GROUP, WRONG_ROLE_TYPE]),
    ("invitation_accept", &[ALREADY_MEMBER, INVITATION_INVALID, TOO_MANY_ATTEMPTS]),
    ("role_create", &[ROLE_NAME_TAKEN, WRONG_ROLE_TYPE, UNKNOWN_PERMISSION]),
    ("role_update", &[ROLE_NAME_TAKEN, BUILT_IN_ROLE, WRONG_ROLE_TYPE, UNKNOWN_PERMISSION]),
    ("role_delete", &[BUILT_IN_ROLE, ROLE_IN_USE]),
    ("user_role_add", &[WRONG_ROLE_TYPE]),
    ("user_role_replace", &[LAST_ADMINISTRATOR, WRONG_ROLE_TYPE]),
    ("user_role_remove", &[LAST_ADMINISTRATOR]),
    ("audit_event_list", &[NOT_FOUND]),
    ("access_check", &[NOT_FOUND]),
];

/// The codes that an operation can return, in the registry's order.
pub(super) fn of(facts: &Facts<'_>) -> Vec<ErrorCode> {
    let own =
        OWN.iter().find(|(operation, _)| *operation == facts.rule.operation).map_or(&[][..], |(_, own)| own);
    error::ALL.iter().filter(|code| own.contains(code) || brought(facts, **code)).copied().collect()
}

/// Whether the shape of an operation brings a code with it.
fn brought(facts: &Facts<'_>, code: ErrorCode) -> bool {
    let signed_in = facts.rule.access != Access::Public;
    // One asks with POST.
    let changes = facts.changes && facts.rule.operation != "access_check";
    match code {
        INVALID_REQUEST => facts.body || facts.parameters || signed_in,
        AMBIGUOUS_CREDENTIALS | UNAUTHENTICATED => signed_in,
        INVALID_PAGE_TOKEN => facts.pages,
        INVALID_QUERY => facts.searches,
        FORBIDDEN => facts.rule.access.can_forbid(),
        REAUTHENTICATION_REQUIRED => facts.rule.fresh,
        NOT_FOUND => facts.path,
        REQUEST_TIMEOUT | BODY_TOO_LARGE | UNSUPPORTED_MEDIA_TYPE => facts.body,
        CONFLICT => changes,
        IDEMPOTENCY_KEY_REUSED | IDEMPOTENCY_IN_PROGRESS => facts.creates,
        PRECONDITION_FAILED => facts.if_match,
        QUERY_TOO_COSTLY => facts.searches,
        TOO_MANY_REQUESTS => changes || facts.searches,
        UNAVAILABLE => !matches!(facts.rule.operation, "system_health" | "system_version" | "document_view"),
        INTERNAL => true,
        _ => false,
    }
}

/// The operations that [`OWN`] names.
#[cfg(test)]
pub(super) fn listed() -> impl Iterator<Item = (&'static str, &'static [ErrorCode])> {
    OWN.iter().copied()
}

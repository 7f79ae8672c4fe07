//! The error codes that an operation can return: those implied by its parameters, body and access rule, and those of its own
//! rules. Its error statuses are the statuses of these codes. The contract tests compare every response with this list, so a
//! code that is missing here fails the first test that receives it.

use super::operations::Facts;
use crate::access::Access;
use crate::error::{
    self, AMBIGUOUS_CREDENTIALS, BODY_TOO_LARGE, CONFLICT, ErrorCode, FORBIDDEN, IDEMPOTENCY_IN_PROGRESS,
    IDEMPOTENCY_KEY_REUSED, INTERNAL, INVALID_PAGE_TOKEN, INVALID_QUERY, INVALID_REQUEST, NOT_FOUND,
    PRECONDITION_FAILED, QUERY_TOO_COSTLY, REAUTHENTICATION_REQUIRED, REQUEST_TIMEOUT, TOO_MANY_ATTEMPTS,
    TOO_MANY_REQUESTS, UNAUTHENTICATED, UNAVAILABLE, UNSUPPORTED_MEDIA_TYPE,
};

/// The codes that an operation can return, in the registry's order.
pub(super) fn of(facts: &Facts<'_>) -> Vec<ErrorCode> {
    let own = facts.spec.errors;
    error::ALL.iter().filter(|code| own.contains(code) || implied(facts, **code)).copied().collect()
}

/// Returns true if the shape of an operation implies the code.
fn implied(facts: &Facts<'_>, code: ErrorCode) -> bool {
    let signed_in = facts.spec.access != Access::Public;
    let writes = facts.spec.writes();
    match code {
        INVALID_REQUEST => facts.body || facts.parameters || signed_in,
        AMBIGUOUS_CREDENTIALS | UNAUTHENTICATED => signed_in,
        INVALID_PAGE_TOKEN => facts.pages,
        INVALID_QUERY => facts.searches,
        FORBIDDEN => facts.spec.access.can_forbid(),
        REAUTHENTICATION_REQUIRED => facts.spec.recent_auth,
        NOT_FOUND => facts.path,
        REQUEST_TIMEOUT | BODY_TOO_LARGE | UNSUPPORTED_MEDIA_TYPE => facts.body,
        CONFLICT => writes,
        IDEMPOTENCY_KEY_REUSED | IDEMPOTENCY_IN_PROGRESS => facts.creates,
        PRECONDITION_FAILED => facts.if_match,
        QUERY_TOO_COSTLY => facts.searches,
        TOO_MANY_ATTEMPTS => facts.spec.counts_attempts,
        TOO_MANY_REQUESTS => writes || facts.searches,
        UNAVAILABLE => !facts.spec.without_database,
        INTERNAL => true,
        _ => false,
    }
}

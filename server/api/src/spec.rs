//! The facts about an operation that its signature can't express: who may call it, what it does to the data, which errors its
//! own rules add. The document, the policy, the audit trail and the tests read them here and nowhere else.

use crate::access::Access;
use crate::error::ErrorCode;

/// What an operation does to the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing. Only a forbidden call is recorded.
    Read,
    /// Changes something. Every call that is understood is recorded, done or rejected.
    Write,
}

impl Effect {
    /// The value of `x-effect` in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// The resource that a list filters and sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Users.
    User,
    /// Groups.
    Group,
    /// Members of a group.
    Member,
    /// Roles.
    Role,
    /// Events of the audit trail.
    AuditEvent,
}

/// The users whom an operation protects from callers who hold less than they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protects {
    /// Nobody: it changes no other user, or only what its permission is for.
    Nobody,
    /// Users who hold one of Rollcall's own permissions that the caller lacks.
    Rank,
    /// Users who hold any permission that the caller lacks and may not give, globally or in a group: with such an operation
    /// the caller could sign in as the user.
    Account,
}

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct OperationSpec {
    /// The name of the trait's method and the document's `operationId`.
    pub id: &'static str,
    /// The callers that policy lets in.
    pub access: Access,
    /// Demands a password check in the last minutes (`session_reauthenticate`) of a caller who acts on their own account.
    pub recent_auth: bool,
    /// The users who are out of the caller's reach.
    pub protects: Protects,
    /// Reads or writes.
    pub effect: Effect,
    /// Counted as an attempt at guessing a password or an invitation, and limited by it: a 429 `too_many_attempts`.
    pub counts_attempts: bool,
    /// Accepts a call without a body as one with `{}`: its parameter is an `OptionalBody`, which Dropshot can't document.
    pub body_optional: bool,
    /// Works without the database, so that it never returns 503 for it.
    pub without_database: bool,
    /// The resource of a list with `q`, `filter` and `sort`.
    pub lists: Option<Listed>,
    /// Queries of such a list: one with `q`, one with `filter`, one with `sort`. A test sends them.
    pub queries: [&'static str; 3],
    /// The description of its 2xx response.
    pub success: &'static str,
    /// The error codes of its own rules, beside those that its parameters, its body and its access bring with them.
    pub errors: &'static [ErrorCode],
}

/// An operation that reads.
pub(crate) const fn read(id: &'static str, access: Access) -> OperationSpec {
    OperationSpec {
        id,
        access,
        recent_auth: false,
        protects: Protects::Nobody,
        effect: Effect::Read,
        counts_attempts: false,
        body_optional: false,
        without_database: false,
        lists: None,
        queries: [""; 3],
        success: "",
        errors: &[],
    }
}

/// An operation that writes.
pub(crate) const fn write(id: &'static str, access: Access) -> OperationSpec {
    OperationSpec { effect: Effect::Write, ..read(id, access) }
}

impl OperationSpec {
    pub(crate) const fn recent_auth(self) -> Self {
        Self { recent_auth: true, ..self }
    }

    pub(crate) const fn protects(self, protects: Protects) -> Self {
        Self { protects, ..self }
    }

    pub(crate) const fn counts_attempts(self) -> Self {
        Self { counts_attempts: true, ..self }
    }

    pub(crate) const fn body_optional(self) -> Self {
        Self { body_optional: true, ..self }
    }

    pub(crate) const fn without_database(self) -> Self {
        Self { without_database: true, ..self }
    }

    pub(crate) const fn lists(self, lists: Listed, queries: [&'static str; 3]) -> Self {
        Self { lists: Some(lists), queries, ..self }
    }

    pub(crate) const fn returns(self, success: &'static str) -> Self {
        Self { success, ..self }
    }

    pub(crate) const fn rejects(self, errors: &'static [ErrorCode]) -> Self {
        Self { errors, ..self }
    }

    /// The operation of an endpoint, by Dropshot's name for it. `HEAD` is specified with its `GET`.
    pub fn of(operation_id: &str) -> Option<&'static Self> {
        let id = operation_id.strip_suffix("_head").unwrap_or(operation_id);
        crate::operations::OPERATIONS.iter().find(|spec| spec.id == id)
    }

    /// Whether calls of it change anything.
    pub fn writes(&self) -> bool {
        self.effect == Effect::Write
    }
}

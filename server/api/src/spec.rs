//! Facts about an operation that its signature can't express: its access rule, its effect on the data, the errors of its own
//! rules. The document, the policy, the audit trail and the tests all use these facts.

use crate::access::Access;
use crate::error::ErrorCode;

/// Effect of an operation on the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing. Only forbidden calls get an audit event.
    Read,
    /// Changes data. Every well-formed call gets an audit event, successful or rejected.
    Write,
}

impl Effect {
    /// Value of `x-effect` in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// The resource that a list operation filters and sorts.
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

/// The users that an operation protects from callers who hold fewer permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protects {
    /// Nobody: the operation changes no other user, or only what its permission is meant for.
    Nobody,
    /// Users who hold one of Rollcall's own permissions that the caller lacks.
    Rank,
    /// Users who hold any permission that the caller lacks and may not grant, globally or in a group: the operation could let
    /// the caller sign in as the user.
    Account,
}

/// The facts about one operation.
#[derive(Clone, Copy, Debug)]
pub struct OperationSpec {
    /// Name of the trait's method and `operationId` in the document.
    pub id: &'static str,
    /// The callers that the policy allows.
    pub access: Access,
    /// Requires a recent password check (`session_reauthenticate`) of callers who act on their own account; otherwise 403
    /// `reauthentication_required`.
    pub recent_auth: bool,
    /// The users for whom the operation returns 403 to callers with fewer permissions.
    pub protects: Protects,
    /// Read or write.
    pub effect: Effect,
    /// Counts as an attempt to guess a password or an invitation token; too many attempts get a 429 `too_many_attempts`.
    pub counts_attempts: bool,
    /// Accepts a request without a body like one with `{}`: its parameter is an `OptionalBody`, which Dropshot can't document.
    pub body_optional: bool,
    /// Works without the database, and therefore never returns 503.
    pub without_database: bool,
    /// The resource of a list with `q`, `filter` and `sort`.
    pub lists: Option<Listed>,
    /// Example queries of such a list: one with `q`, one with `filter`, one with `sort`. A test sends them.
    pub queries: [&'static str; 3],
    /// Description of the 2xx response.
    pub success: &'static str,
    /// Error codes of its own rules, in addition to those implied by its parameters, body and access rule.
    pub errors: &'static [ErrorCode],
}

/// Creates the facts of an operation that reads.
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

/// Creates the facts of an operation that writes.
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

    /// Returns the facts of an endpoint by Dropshot's operation id. A `HEAD` endpoint has those of its `GET`.
    pub fn of(operation_id: &str) -> Option<&'static Self> {
        let id = operation_id.strip_suffix("_head").unwrap_or(operation_id);
        crate::operations::OPERATIONS.iter().find(|spec| spec.id == id)
    }

    /// Returns true if the operation can change data.
    pub fn writes(&self) -> bool {
        self.effect == Effect::Write
    }
}

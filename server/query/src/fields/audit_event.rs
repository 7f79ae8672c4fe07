//! The fields of audit events.

use crate::field::{Field, Fields, Kind};

/// A field of audit events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table describes the fields")]
pub enum AuditEventField {
    Id,
    At,
    Operation,
    Result,
    ErrorCode,
    ActorId,
    SessionId,
    TargetKind,
    TargetId,
    Address,
    RequestId,
}

impl Fields for AuditEventField {
    const TABLE: &'static [Field<Self>] = &[
        Field::new(Self::Id, "id", Kind::Id, "B-tree").everyone(),
        Field::new(Self::At, "at", Kind::Time, "B-tree").everyone().sorted(),
        Field::new(Self::Operation, "operation", Kind::Word, "B-tree").everyone().searched(),
        Field::new(Self::Result, "result", Kind::Word, "walks by time").everyone().searched(),
        Field::new(Self::ErrorCode, "error_code", Kind::Word, "walks by time").everyone().searched(),
        Field::new(Self::ActorId, "actor_id", Kind::Id, "B-tree").everyone(),
        Field::new(Self::SessionId, "session_id", Kind::Id, "walks by time"),
        Field::new(Self::TargetKind, "target_kind", Kind::Word, "walks by time").everyone(),
        Field::new(Self::TargetId, "target_id", Kind::Id, "B-tree").everyone(),
        Field::new(Self::Address, "address", Kind::Word, "walks by time"),
        Field::new(Self::RequestId, "request_id", Kind::Word, "walks by time").everyone(),
    ];
}

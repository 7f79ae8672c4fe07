//! Conversions from database rows to the types of the API. No row is serialized itself.

use chrono::{DateTime, Utc};
use rollcall_api::access::Permission;
use rollcall_api::types::{
    AuditEvent, AuditEventId, AuditResult, CreatedVia, Group, GroupId, Invitation, InvitationId, JsonObject,
    Profile, Role, RoleId, RoleScope, RoleType, Session, SessionId, User, UserId, UserView,
};
use rollcall_policy::Actor;
use rollcall_store::audit::EventRow;
use rollcall_store::groups::GroupRow;
use rollcall_store::invitations::InvitationRecord;
use rollcall_store::roles::RoleRecord;
use rollcall_store::sessions::SessionRow;
use rollcall_store::users::UserRecord;
use serde_json::Value;
use uuid::Uuid;

use crate::conditions::Representation;
use crate::error::AppResult;

/// The view of a user that an actor gets.
pub fn view_of(actor: &Actor, user: Uuid) -> UserView {
    if actor.user == UserId::from(user) {
        UserView::Own
    } else if actor.holds(Permission::UsersRead) {
        UserView::Full
    } else {
        UserView::Card
    }
}

/// A user in a view, as JSON and with its entity tag.
pub fn shown(view: UserView, record: UserRecord, now: DateTime<Utc>) -> AppResult<Representation> {
    Representation::of_user(user_with_view(view, record, now))
}

/// A user in the view that an actor gets.
pub fn user(actor: &Actor, record: UserRecord, now: DateTime<Utc>) -> User {
    let view = view_of(actor, record.id);
    user_with_view(view, record, now)
}

/// A user in a view. An expired suspension is not shown, even if the cleanup has not ended it yet.
pub fn user_with_view(view: UserView, record: UserRecord, now: DateTime<Utc>) -> User {
    let card = User {
        id: record.id.into(),
        view,
        username: record.username,
        name: record.name,
        avatar_url: record.avatar_url,
        email: None,
        email_verified: None,
        phone: None,
        phone_verified: None,
        profile: None,
        custom_data: None,
        roles: None,
        groups: None,
        suspended: None,
        suspended_reason: None,
        suspended_until: None,
        is_superuser: None,
        is_staff: None,
        has_password: None,
        password_changed_at: None,
        password_expires_at: None,
        created_via: None,
        created_at: None,
        updated_at: None,
        last_sign_in_at: None,
    };
    if view == UserView::Card {
        return card;
    }
    let suspended = is_suspended(record.suspended, record.suspended_until, now);
    User {
        email_verified: record.email.is_some().then_some(record.email_verified),
        email: record.email,
        phone_verified: record.phone.is_some().then_some(record.phone_verified),
        phone: record.phone,
        profile: Some(profile(record.profile)),
        custom_data: Some(object(record.custom_data)),
        is_superuser: Some(record.roles.iter().any(|role| role == "administrator")),
        is_staff: Some(record.is_staff),
        roles: Some(record.roles),
        groups: Some(record.groups),
        suspended: Some(suspended),
        suspended_reason: record.suspended_reason.filter(|_| suspended),
        suspended_until: record.suspended_until.filter(|_| suspended),
        has_password: Some(record.has_password),
        password_changed_at: record.password_changed_at,
        password_expires_at: record.password_expires_at,
        created_via: CreatedVia::parse(&record.created_via),
        created_at: Some(record.created_at),
        updated_at: Some(record.updated_at),
        last_sign_in_at: record.last_sign_in_at,
        ..card
    }
}

fn profile(value: Value) -> Profile {
    // Only validated profiles are written; one from an older server that does not parse is left out.
    serde_json::from_value(value).unwrap_or_default()
}

/// Converts a JSON object from the database.
pub fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(members) => JsonObject(members),
        _ => JsonObject::default(),
    }
}

/// Returns true if a suspension is in force.
pub fn is_suspended(flag: bool, until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    flag && until.is_none_or(|until| until > now)
}

/// Converts a role.
pub fn role(record: RoleRecord) -> Role {
    Role {
        id: RoleId::from(record.id),
        name: record.name,
        scope: RoleScope(record.scope),
        r#type: RoleType(record.kind),
        description: record.description,
        permissions: record.permissions,
        is_default: record.is_default,
        built_in: record.built_in,
        created_at: record.created_at,
        updated_at: record.updated_at,
    }
}

/// Converts an invitation.
pub fn invitation(record: InvitationRecord) -> Invitation {
    Invitation {
        id: InvitationId::from(record.id),
        group_id: GroupId::from(record.group_id),
        roles: record.roles,
        email: record.email,
        invited_by: record.invited_by.map(UserId::from),
        created_at: record.created_at,
        expires_at: record.expires_at,
    }
}

/// Converts an audit event. Details of hidden targets, and the addresses and sessions of other users, are only for
/// callers who may see all events.
pub fn event(mut row: EventRow, caller: Uuid, all: bool) -> AuditEvent {
    let mut detail = object(row.detail);
    if !all {
        detail.0.remove("hidden");
        if row.actor_id != Some(caller) {
            (row.session_id, row.address) = (None, None);
        }
    }
    AuditEvent {
        id: AuditEventId::from(row.id),
        at: row.at,
        operation: row.operation,
        result: AuditResult(row.result),
        error_code: row.error_code,
        actor_id: row.actor_id.map(UserId::from),
        session_id: row.session_id.map(SessionId::from),
        target_kind: row.target_kind,
        target_id: row.target_id,
        address: row.address.and_then(|address| address.parse().ok()),
        request_id: row.request_id,
        detail,
    }
}

/// Converts a session; `current` is the id of the caller's.
pub fn session(row: SessionRow, current: Uuid) -> Session {
    Session {
        id: SessionId::from(row.id),
        user_id: row.user_id.into(),
        current: row.id == current,
        created_at: row.created_at,
        authenticated_at: row.authenticated_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
        address: row.address.and_then(|address| address.parse().ok()),
        user_agent: row.user_agent,
    }
}

/// Converts a group.
pub fn group(row: GroupRow) -> Group {
    Group {
        id: GroupId::from(row.id),
        slug: row.slug,
        name: row.name,
        description: row.description,
        custom_data: object(row.custom_data),
        default: row.is_default,
        mfa_required: row.mfa_required,
        created_by: row.created_by.map(UserId::from),
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

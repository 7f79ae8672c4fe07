//! Checks that a caller may grant roles. The rule is in policy (`rollcall_policy::grant`); this module passes it the
//! caller's permissions for each kind of request.

use chrono::{DateTime, Utc};
use rollcall_api::access::Permission;
use rollcall_api::error;
use rollcall_policy::Actor;
use rollcall_policy::grant::{Giving, first_missing};
use rollcall_store::invitations::{self, InvitationRecord};
use rollcall_store::roles::{self, RoleRecord};
use rollcall_store::{Conn, grants};
use uuid::Uuid;

use crate::error::{AppResult, reject};
use crate::operation::Caller;
use crate::views::is_suspended;

/// Rejects granting or revoking a user's global role unless the caller holds its permissions.
pub fn ensure_everywhere(actor: &Actor, role: &RoleRecord, field: &str) -> AppResult<()> {
    match first_missing(&actor.permissions, Giving::Everywhere, &role.permissions) {
        None => Ok(()),
        Some(missing) => reject(
            error::FORBIDDEN,
            format!("{field}: you don't hold {missing} yourself, which the role {} contains", role.name),
        ),
    }
}

/// Rejects making a role a default one, which grants it to every new user, or changing a default role's permissions,
/// unless the caller may grant it to users.
pub fn ensure_default(actor: &Actor, permissions: &[String], field: &str) -> AppResult<()> {
    if !actor.holds(Permission::RolesAssign) {
        let message =
            format!("{field}: to decide what every new user gets, you need the permission roles:assign");
        return reject(error::FORBIDDEN, message);
    }
    match first_missing(&actor.permissions, Giving::Everywhere, permissions) {
        None => Ok(()),
        Some(missing) => reject(
            error::FORBIDDEN,
            format!("{field}: you don't hold {missing} yourself, which every new user would hold"),
        ),
    }
}

/// Rejects defining, changing or deleting a role that has, before or after, permissions that the caller may not
/// decide about.
pub fn ensure_definition(actor: &Actor, permissions: &[String]) -> AppResult<()> {
    match first_missing(&actor.permissions, Giving::ByDefinition, permissions) {
        None => Ok(()),
        Some(missing) if Permission::parse(missing).is_some_and(Permission::in_group) => reject(
            error::FORBIDDEN,
            format!("permissions: roles with {missing} need the permission groups:write"),
        ),
        Some(missing) => reject(error::FORBIDDEN, format!("permissions: you don't hold {missing} yourself")),
    }
}

/// Rejects granting or revoking roles in a group, unless the caller holds their permissions there, owns the group, or
/// may write all groups.
pub async fn ensure_in_group<'a>(
    conn: &Conn,
    caller: &Caller,
    group: Uuid,
    roles: impl IntoIterator<Item = &'a RoleRecord>,
) -> AppResult<()> {
    let in_group = grants::in_group(conn, caller.id(), group).await?;
    for role in roles {
        let missing = first_missing(&caller.actor.permissions, Giving::InGroup(&in_group), &role.permissions);
        if let Some(missing) = missing {
            let message = format!(
                "roles: you don't hold {missing} in this group, which the role {} contains",
                role.name
            );
            return reject(error::FORBIDDEN, message);
        }
    }
    Ok(())
}

/// Checks that an invitation's sender could still send it: is not suspended, may invite, and may grant its roles as
/// they are now. Permissions in the group count only if the sender has been a member without interruption.
pub async fn is_invitation_backed(
    conn: &Conn,
    invitation: &InvitationRecord,
    roles: &[RoleRecord],
    now: DateTime<Utc>,
) -> AppResult<bool> {
    let Some(sender) = invitation.invited_by else { return Ok(false) };
    let Some(inviter) = invitations::inviter(conn, sender, invitation.group_id).await? else {
        return Ok(false);
    };
    let void = inviter.invitations_void_before.is_some_and(|until| invitation.created_at <= until);
    if void || is_suspended(inviter.suspended, inviter.suspended_until, now) {
        return Ok(false);
    }
    let everywhere = roles::permissions_of(conn, sender).await?;
    // Leaving the group and joining again does not restore the invitation.
    let in_group = match inviter.joined_at {
        Some(joined) if joined <= invitation.created_at => {
            grants::in_group(conn, sender, invitation.group_id).await?
        }
        _ => Vec::new(),
    };
    let may_invite = everywhere.iter().any(|held| held == Permission::GroupsWrite.as_str())
        || in_group.iter().any(|held| held == Permission::GroupAdmin.as_str());
    let may_give = |role: &RoleRecord| {
        first_missing(&everywhere, Giving::InGroup(&in_group), &role.permissions).is_none()
    };
    Ok(may_invite && roles.iter().all(may_give))
}

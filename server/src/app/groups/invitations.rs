//! Invitations: pending memberships. The token is shown once; the caller delivers it.

use std::sync::Arc;

use chrono::TimeDelta;
use rollcall_api::error;
use rollcall_api::extract::{Bearer, IdempotencyKey, JsonBody};
use rollcall_api::operations::VERIFICATION;
use rollcall_api::reply::{Created, NoContent, Ok200};
use rollcall_api::types::{
    Email, GroupId, GroupRef, InvitationAccept, InvitationCreate, InvitationCreated, InvitationPage,
    InvitationPath, PageQuery, UserGroup, fold,
};
use rollcall_policy::{Actor, Decision, Resource, decide};
use rollcall_store::connect::Connection;
use rollcall_store::groups::{self, GroupKey};
use rollcall_store::invitations::{self, InvitationRecord, NewInvitation};
use rollcall_store::roles::{self, RoleRecord};
use rollcall_store::users::{self, UserChanges, UserKey};
use rollcall_store::{Conn, idempotency, seed};
use serde_json::json;
use uuid::Uuid;

use crate::app::groups::members::{group_roles, lock_group};
use crate::app::groups::visible;
use crate::app::users::identifiers;
use crate::app::users::user_resource;
use crate::conditions::Representation;
use crate::credentials::throttle;
use crate::error::{AppResult, not_found, reject};
use crate::granting::{ensure_in_group, is_invitation_backed};
use crate::idempotency::{Attempt, Made};
use crate::listing::page::Paging;
use crate::operation::{Change, Operation, Target};
use crate::secrets::token::{Token, TokenHash};
use crate::views;

/// Default lifetime of an invitation: seven days.
const DEFAULT_SECONDS: u32 = 7 * 24 * 3600;
/// Allowed lifetimes.
const SECONDS: std::ops::RangeInclusive<u32> = 60..=30 * 24 * 3600;

/// Lists a group's invitations.
pub async fn group_invitation_list(
    op: Arc<Operation>,
    credential: Bearer,
    group: GroupRef,
    query: PageQuery,
) -> AppResult<Ok200<InvitationPage>> {
    let (_, row) = visible(&op, &credential, &group).await?;
    let parent = row.id.to_string();
    let paging = Paging::open(&op, &query, &[&parent])?;
    let (after, limit, now) = (paging.after_id(), paging.rows(), op.now());
    let list =
        |conn: Arc<Connection>| async move { Ok(invitations::list(&conn, row.id, after, limit, now).await?) };
    let rows = op.reading(list).await?;
    Ok(Ok200::new(paging.page(rows, |row| row.id, views::invitation)))
}

/// Creates an invitation.
pub async fn group_invitation_create(
    op: Arc<Operation>,
    credential: Bearer,
    group: GroupRef,
    key: IdempotencyKey,
    body: JsonBody<InvitationCreate>,
) -> AppResult<Created<InvitationCreated>> {
    let new = body.value;
    let seconds = new.expires_in_seconds.unwrap_or(DEFAULT_SECONDS);
    if !SECONDS.contains(&seconds) {
        let message = format!("expires_in_seconds: must be {} to {}", SECONDS.start(), SECONDS.end());
        return reject(error::INVALID_REQUEST, message);
    }
    let mut change = op.begin(&credential).await?;
    let row = lock_group(&mut change, &group, None).await?;
    if row.is_default {
        return reject(error::DEFAULT_GROUP, "every user is in this group already");
    }
    let roles = group_roles(change.conn(), new.roles).await?;
    ensure_in_group(change.conn(), change.caller()?, row.id, &roles).await?;
    let attempt = Attempt::new(&op, Made::Invitation, Some(change.caller()?), key, &body.raw);
    if let Some(replay) = attempt.claim(&op, &change).await? {
        return Ok(replay);
    }
    let (now, token) = (op.now(), Token::invitation());
    let email = new.email.map(Email::into_string);
    let invitation = NewInvitation {
        id: op.app.new_id(),
        group_id: row.id,
        token_hash: token.hash().0.to_vec(),
        email_folded: email.as_deref().map(fold),
        email,
        invited_by: Some(change.caller()?.id()),
        created_at: now,
        expires_at: now + TimeDelta::seconds(i64::from(seconds)),
    };
    let ids: Vec<_> = roles.iter().map(|role| role.id).collect();
    invitations::insert(change.conn(), &invitation, &ids).await?;
    let Some(record) = invitations::find(change.conn(), invitation.id).await? else { return not_found() };
    let detail = json!({ "group": row.id, "roles": record.roles });
    let location = format!("/v1/groups/{}/invitations/{}", row.id, invitation.id);
    // The stored response has no token, which could be read from the database.
    let kept = InvitationCreated { invitation: views::invitation(record), token: None };
    let tag = Representation::of(&kept)?.tag().to_owned();
    attempt.keep(&op, &change, invitation.id, &location, &tag, &kept).await?;
    change.commit(Target::Invitation(invitation.id), detail).await?;
    let response = InvitationCreated { token: Some(token.expose().to_owned()), ..kept };
    Ok(Created::new(response).located(&location).tagged(&tag))
}

/// Withdraws an invitation.
pub async fn group_invitation_delete(
    op: Arc<Operation>,
    credential: Bearer,
    path: InvitationPath,
) -> AppResult<NoContent> {
    let mut change = op.begin(&credential).await?;
    let row = lock_group(&mut change, &path.group, None).await?;
    if !invitations::delete(change.conn(), row.id, path.invitation.uuid()).await? {
        return not_found();
    }
    idempotency::forget(change.conn(), &[path.invitation.uuid()]).await?;
    change.commit(Target::Invitation(path.invitation.uuid()), json!({ "group": row.id })).await?;
    Ok(NoContent::done())
}

/// Accepts an invitation.
pub async fn invitation_accept(
    op: Arc<Operation>,
    credential: Bearer,
    body: InvitationAccept,
) -> AppResult<Ok200<UserGroup>> {
    op.authenticate(&credential).await?.authorize(|_, ()| Resource::Directory)?;
    throttle::count(&op, None).await?;
    let mut change = op.begin(&credential).await?;
    change.authorize(Resource::Directory)?;
    let user = change.caller()?.id();
    let Some(user) = users::lock(change.conn(), UserKey::Id(user)).await? else { return not_found() };
    let email = user.email.as_deref().map(fold);
    let claimed = claim(&op, change.conn(), body.token.as_str(), email.as_deref()).await?;
    let joining = Joining { id: user.id, email: user.email.as_deref(), email_verified: user.email_verified };
    let group = join(&op, &change, joining, claimed).await?;
    let Some(row) = groups::find(change.conn(), GroupKey::Id(group.uuid())).await? else {
        return not_found();
    };
    let Some(membership) = groups::membership(change.conn(), row.id, user.id).await? else {
        return not_found();
    };
    change.commit(Target::Group(row.id), json!({ "user": user.id, "roles": membership.roles })).await?;
    throttle::refund_source(&op).await;
    Ok(Ok200::new(UserGroup {
        group: views::group(row),
        roles: membership.roles,
        joined_at: membership.joined_at,
    }))
}

/// Checks that an invitation's sender could set the accepting user's address to verified. The token itself proves
/// nothing: the sender has it as well as the mailbox, and may give it to anybody.
async fn may_verify(conn: &Conn, sender: Option<Uuid>, user: Uuid) -> AppResult<bool> {
    let Some(sender) = sender else { return Ok(false) };
    let permissions = roles::permissions_of(conn, sender).await?;
    let actor = Actor { user: sender.into(), permissions, fresh: false };
    let resource = user_resource(conn, &actor, user, VERIFICATION.protects).await?;
    Ok(decide(&VERIFICATION, Some(&actor), resource) == Decision::Allow)
}

/// An invitation that the bearer of its token may use, with its roles.
#[derive(Debug)]
pub struct Claimed {
    invitation: InvitationRecord,
    roles: Vec<RoleRecord>,
}

/// Rejects a token that nobody with this address could use now. Changes and locks nothing.
pub async fn ensure_live(op: &Operation, conn: &Conn, token: &str, email: Option<&str>) -> AppResult<()> {
    let Some(hash) = TokenHash::of_invitation(token) else { return invalid() };
    usable(op, conn, invitations::find_live(conn, &hash.0, op.now()).await?, email).await?;
    Ok(())
}

/// Finds the invitation of a token that a user with this address may use, and locks it until the transaction ends.
pub async fn claim(op: &Operation, conn: &Conn, token: &str, email: Option<&str>) -> AppResult<Claimed> {
    let Some(hash) = TokenHash::of_invitation(token) else { return invalid() };
    usable(op, conn, invitations::claim(conn, &hash.0, op.now()).await?, email).await
}

/// Validates an invitation: it is for this address, and its sender may still grant its roles.
async fn usable(
    op: &Operation,
    conn: &Conn,
    found: Option<(InvitationRecord, Vec<Uuid>)>,
    email: Option<&str>,
) -> AppResult<Claimed> {
    let Some((invitation, mut role_ids)) = found else { return invalid() };
    if invitation.email_folded.is_some() && invitation.email_folded.as_deref() != email {
        return invalid();
    }
    if role_ids.is_empty() {
        // Its roles have been deleted since.
        role_ids.push(seed::MEMBER);
    }
    let roles = roles::find_all(conn, &role_ids).await?;
    if !is_invitation_backed(conn, &invitation, &roles, op.now()).await? {
        return invalid();
    }
    Ok(Claimed { invitation, roles })
}

fn invalid<T>() -> AppResult<T> {
    reject(
        error::INVITATION_INVALID,
        "the invitation is unknown, used, expired, withdrawn, for another address, or its sender may not send it any more",
    )
}

/// The user who accepts an invitation.
#[derive(Clone, Copy, Debug)]
pub struct Joining<'a> {
    /// The user.
    pub id: Uuid,
    /// The user's e-mail address.
    pub email: Option<&'a str>,
    /// True if the address is verified already.
    pub email_verified: bool,
}

/// Uses an invitation and adds the user to its group. Verifies the address that it was for, if its sender could.
pub async fn join(
    op: &Operation,
    change: &Change,
    user: Joining<'_>,
    claimed: Claimed,
) -> AppResult<GroupId> {
    let Claimed { invitation, roles } = claimed;
    op.about(Target::Group(invitation.group_id));
    if groups::is_member(change.conn(), invitation.group_id, user.id).await? {
        return reject(error::ALREADY_MEMBER, "you are a member of the group already");
    }
    let (now, ids) = (op.now(), roles.iter().map(|role| role.id).collect::<Vec<_>>());
    groups::join(change.conn(), invitation.group_id, user.id, &ids, now).await?;
    let proves = match (&invitation.email, user.email) {
        (Some(invited), Some(own)) => identifiers::is_same_mailbox(invited, own),
        _ => false,
    };
    if proves && !user.email_verified && may_verify(change.conn(), invitation.invited_by, user.id).await? {
        let proved = UserChanges { email_verified: Some(true), ..UserChanges::default() };
        users::update_state(change.conn(), user.id, proved, now).await?;
    }
    invitations::delete(change.conn(), invitation.group_id, invitation.id).await?;
    idempotency::forget(change.conn(), &[invitation.id]).await?;
    Ok(invitation.group_id.into())
}

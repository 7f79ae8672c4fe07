//! Invitations: pending memberships. The token is shown once; the caller delivers it.

use std::sync::Arc;

use chrono::TimeDelta;
use rollcall_api::error;
use rollcall_api::extract::{Bearer, IdempotencyKey, JsonBody};
use rollcall_api::reply::{Created, NoContent, Ok200};
use rollcall_api::types::{
    Email, GroupId, GroupRef, InvitationAccept, InvitationCreate, InvitationCreated, InvitationPage,
    InvitationPath, PageQuery, UserGroup, fold,
};
use rollcall_policy::Resource;
use rollcall_store::groups::{self, GroupKey};
use rollcall_store::idempotency;
use rollcall_store::invitations::{self, NewInvitation};
use rollcall_store::users::{self, UserKey, UserRecord};
use serde_json::json;

use crate::app::idempotency::Attempt;
use crate::app::members::{group_roles, may_grant, seat, target};
use crate::app::paging::Paging;
use crate::app::{throttle, views};
use crate::error::{AppResult, not_found, refuse};
use crate::operation::{Change, Operation, Target};
use crate::secrets::token::{Token, TokenHash};

/// How long an invitation can be accepted where nobody says otherwise: seven days.
const DEFAULT_SECONDS: u32 = 7 * 24 * 3600;
/// The shortest and the longest time.
const SECONDS: std::ops::RangeInclusive<u32> = 60..=30 * 24 * 3600;

/// List a group's invitations.
pub async fn group_invitation_list(
    op: Arc<Operation>,
    credential: Bearer,
    group: GroupRef,
    query: PageQuery,
) -> AppResult<Ok200<InvitationPage>> {
    let fetched = op.read(&credential, &group).await?.found()?;
    let resource = match fetched.ids(|row| row.as_ref().map(|row| row.id)) {
        (caller, Some(group)) => seat(&*op.app.store.read().await?, group, caller.id(), false).await?,
        (_, None) => Resource::Directory,
    };
    let (_, row) = fetched.authorize(|_, _| resource)?;
    let Some(row) = row else { return not_found() };
    let parent = row.id.to_string();
    let paging = Paging::open(&op, &query, &[&parent])?;
    let connection = op.app.store.read().await?;
    let rows = invitations::list(&connection, row.id, paging.after_id(), paging.rows(), op.now()).await?;
    Ok(Ok200::new(paging.page(rows, |row| row.id, views::invitation)))
}

/// Invite somebody.
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
        return refuse(error::INVALID_REQUEST, message);
    }
    let mut change = op.begin(&credential).await?;
    let row = target(&mut change, &group, None).await?;
    let attempt = Attempt::new(Some(change.caller()?.id()), key, &body.raw);
    if let Some(replay) = attempt.claim(&op, &change).await? {
        return Ok(replay);
    }
    if row.is_default {
        return refuse(error::DEFAULT_GROUP, "every user is in this group already");
    }
    let roles = group_roles(change.conn(), new.roles).await?;
    may_grant(change.conn(), change.caller()?, row.id, &roles).await?;
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
    // What is kept for a retry has no token: it could be read out of the database.
    let kept = InvitationCreated { invitation: views::invitation(record), token: None };
    attempt.keep(&op, &change, invitation.id, &location, "1", &kept).await?;
    change.commit(Target::Invitation(invitation.id), detail).await?;
    let answer = InvitationCreated { token: Some(token.expose().to_owned()), ..kept };
    Ok(Created::new(answer).located(&location).tagged("1"))
}

/// Withdraw an invitation.
pub async fn group_invitation_delete(
    op: Arc<Operation>,
    credential: Bearer,
    path: InvitationPath,
) -> AppResult<NoContent> {
    let mut change = op.begin(&credential).await?;
    let row = target(&mut change, &path.group, None).await?;
    idempotency::forget(change.conn(), path.invitation.uuid()).await?;
    if !invitations::delete(change.conn(), row.id, path.invitation.uuid()).await? {
        return not_found();
    }
    change.commit(Target::Invitation(path.invitation.uuid()), json!({ "group": row.id })).await?;
    Ok(NoContent::done())
}

/// Accept an invitation.
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
    let group = join(&op, &change, &user, body.token.as_str()).await?;
    throttle::gave(change.conn(), op.address).await?;
    let Some(row) = groups::find(change.conn(), GroupKey::Id(group.uuid())).await? else {
        return not_found();
    };
    let Some(membership) = groups::membership(change.conn(), row.id, user.id).await? else {
        return not_found();
    };
    change.commit(Target::Group(row.id), json!({ "user": user.id, "roles": membership.roles })).await?;
    Ok(Ok200::new(UserGroup {
        group: views::group(row),
        roles: membership.roles,
        joined_at: membership.joined_at,
    }))
}

/// Uses an invitation up and makes its group the user's.
pub async fn join(op: &Operation, change: &Change, user: &UserRecord, token: &str) -> AppResult<GroupId> {
    let invalid = || {
        refuse(error::INVITATION_INVALID, "the invitation is unknown, used, expired, or for another address")
    };
    let Some(hash) = TokenHash::of_invitation(token) else { return invalid() };
    let now = op.now();
    let Some((invitation, roles)) = invitations::claim(change.conn(), &hash.0, now).await? else {
        return invalid();
    };
    let own = user.email.as_deref().map(fold);
    if invitation.email_folded.is_some() && (invitation.email_folded != own || !user.email_verified) {
        return invalid();
    }
    op.about(Target::Group(invitation.group_id));
    if groups::is_member(change.conn(), invitation.group_id, user.id).await? {
        return refuse(error::ALREADY_MEMBER, "you are a member of the group already");
    }
    groups::join(change.conn(), invitation.group_id, user.id, &roles, now).await?;
    groups::touch_members(change.conn(), invitation.group_id, Some(user.id), now).await?;
    invitations::delete(change.conn(), invitation.group_id, invitation.id).await?;
    Ok(invitation.group_id.into())
}

//! The current session.

use std::sync::Arc;

use rollcall_api::extract::Bearer;
use rollcall_api::reply::{NoContent, Ok200};
use rollcall_api::types::{CurrentSession, Logout, SessionCreated, SessionReauthenticate, UserRef, UserView};
use rollcall_policy::Resource;
use rollcall_store::sessions::SessionRow;
use rollcall_store::{passwords, sessions};
use serde_json::json;

use crate::credentials::throttle;
use crate::credentials::{not_expired, relock_unchanged, renew_session, verify_current_password};
use crate::error::{AppResult, not_found};
use crate::operation::{Operation, Target};
use crate::views;

/// Signs out.
pub async fn logout(op: Arc<Operation>, credential: Bearer, body: Logout) -> AppResult<NoContent> {
    let mut change = op.begin(&credential).await?;
    change.authorize(Resource::Directory)?;
    let (user, session) = (change.caller()?.id(), change.caller()?.credential.session_id);
    let ended = if body.everywhere {
        sessions::delete_all(change.conn(), user, None).await?
    } else {
        usize::from(sessions::delete(change.conn(), user, session).await?)
    };
    change
        .commit(Target::User(user), json!({ "everywhere": body.everywhere, "ended_sessions": ended }))
        .await?;
    Ok(NoContent::done())
}

/// Returns the current session.
pub async fn session_view(op: Arc<Operation>, credential: Bearer) -> AppResult<Ok200<CurrentSession>> {
    let fetched = op.read(&credential, &UserRef::Me).await?;
    let (caller, record) = fetched.found()?.authorize(|_, _| Resource::Directory)?;
    let credential = caller.credential;
    let row = SessionRow {
        id: credential.session_id,
        user_id: credential.user_id,
        created_at: credential.created_at,
        authenticated_at: credential.authenticated_at,
        last_used_at: credential.last_used_at,
        expires_at: credential.expires_at,
        address: credential.address,
        user_agent: credential.user_agent,
    };
    let current = row.id;
    Ok(Ok200::new(CurrentSession {
        session: views::session(row, current),
        user: views::user_with_view(UserView::Own, record, op.now()),
        permissions: caller.actor.permissions,
    }))
}

/// Checks the caller's password again.
pub async fn session_reauthenticate(
    op: Arc<Operation>,
    credential: Bearer,
    body: SessionReauthenticate,
) -> AppResult<Ok200<SessionCreated>> {
    let (caller, ()) = op.authenticate(&credential).await?.authorize(|_, ()| Resource::Directory)?;
    let user = caller.id();
    let checked = op.reading(|conn| async move { Ok(passwords::by_id(&conn, user).await?) }).await?;
    let Some(checked) = checked else { return not_found() };
    op.about(Target::Session(caller.credential.session_id));
    verify_current_password(&op, &checked, body.password.expose()).await?;
    not_expired(&op, &checked, "the password has expired or must be changed; use user_password_change")
        .await?;
    let mut change = op.begin(&credential).await?;
    change.authorize(Resource::Directory)?;
    let user = relock_unchanged(&op, &change, &checked).await?;
    let created = renew_session(&op, &change, caller.credential.session_id).await?;
    change.commit(Target::Session(caller.credential.session_id), json!({})).await?;
    throttle::clear_attempts(&op, user.id).await;
    Ok(Ok200::new(created))
}

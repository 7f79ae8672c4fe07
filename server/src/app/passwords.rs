//! Setting and changing passwords.

use std::sync::Arc;

use rollcall_api::error;
use rollcall_api::extract::Bearer;
use rollcall_api::reply::{NoContent, Ok200};
use rollcall_api::types::{SessionCreated, UserPasswordChange, UserPasswordSet, UserPasswordVerify, UserRef};
use rollcall_store::users::{self, UserChanges, UserRecord};
use rollcall_store::{passwords, sessions};
use serde_json::json;

use crate::app::users::{lock_user, user_resource};
use crate::credentials::throttle;
use crate::credentials::{
    new_password, not_expired, personal_words, relock_unchanged, renew_session, verify_current_password,
};
use crate::error::{AppResult, not_found, reject};
use crate::operation::{Caller, Operation, Target};
use crate::views::is_suspended;

/// Sets a user's password.
pub async fn user_password_set(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    body: UserPasswordSet,
) -> AppResult<NoContent> {
    let (_, record) = subject(&op, &credential, &user).await?;
    let own = [&record.username, &record.email, &record.name, &record.phone]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let hash = op.hash("password", body.password.expose(), own).await?;
    let mut change = op.begin(&credential).await?;
    let record = lock_user(&mut change, &user).await?;
    // A previous holder of the account must not return through an invitation that they sent.
    let changes = UserChanges {
        invitations_void_before: Some(Some(op.now())),
        ..new_password(&op, hash, body.must_change)
    };
    users::update_state(change.conn(), record.id, changes, op.now()).await?;
    let ended = sessions::delete_all(change.conn(), record.id, None).await?;
    let detail = json!({ "must_change": body.must_change, "ended_sessions": ended });
    change.commit(Target::User(record.id), detail).await?;
    throttle::reset(&op, record.id).await;
    Ok(NoContent::done())
}

/// Changes the caller's password.
pub async fn user_password_change(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    body: UserPasswordChange,
) -> AppResult<Ok200<SessionCreated>> {
    let (caller, record) = subject(&op, &credential, &user).await?;
    let checked = op.reading(|conn| async move { Ok(passwords::by_id(&conn, record.id).await?) }).await?;
    let Some(checked) = checked else { return not_found() };
    verify_current_password(&op, &checked, body.current_password.expose()).await?;
    if body.current_password.expose() == body.new_password.expose() {
        return reject(error::PASSWORD_UNCHANGED, "new_password: must differ from the current password");
    }
    let hash = op.hash("new_password", body.new_password.expose(), personal_words(&checked)).await?;
    let mut change = op.begin(&credential).await?;
    lock_user(&mut change, &user).await?;
    let locked = relock_unchanged(&op, &change, &checked).await?;
    let changes = new_password(&op, hash, false);
    users::update_state(change.conn(), locked.id, changes, op.now()).await?;
    let session = caller.credential.session_id;
    let ended = sessions::delete_all(change.conn(), locked.id, Some(session)).await?;
    let created = renew_session(&op, &change, session).await?;
    change.commit(Target::User(locked.id), json!({ "ended_sessions": ended })).await?;
    throttle::clear_attempts(&op, locked.id).await;
    Ok(Ok200::new(created))
}

/// Checks a user's password.
pub async fn user_password_verify(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    body: UserPasswordVerify,
) -> AppResult<NoContent> {
    let (_, record) = subject(&op, &credential, &user).await?;
    let checked = op.reading(|conn| async move { Ok(passwords::by_id(&conn, record.id).await?) }).await?;
    let Some(checked) = checked else { return not_found() };
    verify_current_password(&op, &checked, body.password.expose()).await?;
    if is_suspended(checked.suspended, checked.suspended_until, op.now()) {
        return reject(error::PASSWORD_MISMATCH, "the user can't sign in with this password");
    }
    not_expired(&op, &checked, "the password is correct, but has expired or must be changed").await?;
    let mut change = op.begin(&credential).await?;
    lock_user(&mut change, &user).await?;
    relock_unchanged(&op, &change, &checked).await?;
    change.commit(Target::User(checked.id), json!({})).await?;
    throttle::clear_attempts(&op, checked.id).await;
    Ok(NoContent::done())
}

/// Authorizes the caller for the user in the path: before anything is hashed, and again in the transaction.
async fn subject(op: &Operation, credential: &Bearer, user: &UserRef) -> AppResult<(Caller, UserRecord)> {
    let fetched = op.read(credential, user).await?.found()?;
    let (caller, record) = fetched.before_policy();
    let (actor, id, protects) = (&caller.actor, record.id, op.spec.protects);
    let resource = op.reading(|conn| async move { user_resource(&conn, actor, id, protects).await }).await?;
    fetched.authorize(|_, _| resource)
}

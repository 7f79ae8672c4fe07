//! Signing in without a session.

use std::sync::Arc;

use rollcall_api::error;
use rollcall_api::reply::Ok200;
use rollcall_api::types::{Identifier, Login, LoginChangePassword, NameKey, PasswordAttempt, SessionCreated};
use rollcall_policy::Resource;
use rollcall_store::passwords::{self, PasswordRow};
use rollcall_store::sessions;
use rollcall_store::users;
use serde_json::json;

use crate::credentials::throttle::{self, Account};
use crate::credentials::{new_password, not_expired, personal_words, relock_unchanged, start_session};
use crate::error::{AppResult, Error, reject};
use crate::operation::{Operation, Target};
use crate::secrets::password::Verified;
use crate::views::is_suspended;

/// Signs in.
pub async fn login(op: Arc<Operation>, body: Login) -> AppResult<Ok200<SessionCreated>> {
    match sign_in(&op, &body).await {
        // A concurrent sign-in of the same user has upgraded the hash since it was read: check against the new one.
        Err(Error::Rejected { code: error::CONFLICT, .. }) => sign_in(&op, &body).await,
        response => response,
    }
}

async fn sign_in(op: &Arc<Operation>, body: &Login) -> AppResult<Ok200<SessionCreated>> {
    let (user, verified) = authenticate_password(op, &body.identifier, &body.password).await?;
    not_expired(op, &user, "the password has expired or must be changed; use login_change_password").await?;
    let mut change = op.begin_public().await?;
    change.authorize(Resource::Directory)?;
    let user = relock_unchanged(op, &change, &user).await?;
    let created = start_session(op, &change, &user, verified.upgrade).await?;
    change.commit(Target::User(user.id), json!({ "session": created.session.id })).await?;
    throttle::clear_attempts(op, user.id).await;
    Ok(Ok200::new(created))
}

/// Changes a password and signs in.
pub async fn login_change_password(
    op: Arc<Operation>,
    body: LoginChangePassword,
) -> AppResult<Ok200<SessionCreated>> {
    let (user, _) = authenticate_password(&op, &body.identifier, &body.password).await?;
    if body.password.expose() == body.new_password.expose() {
        return reject(error::PASSWORD_UNCHANGED, "new_password: must differ from the current password");
    }
    let hash = op.hash("new_password", body.new_password.expose(), personal_words(&user)).await?;
    let mut change = op.begin_public().await?;
    change.authorize(Resource::Directory)?;
    let user = relock_unchanged(&op, &change, &user).await?;
    let ended = sessions::delete_all(change.conn(), user.id, None).await?;
    users::update_state(change.conn(), user.id, new_password(&op, hash, false), op.now()).await?;
    let created = start_session(&op, &change, &user, None).await?;
    change
        .commit(Target::User(user.id), json!({ "session": created.session.id, "ended_sessions": ended }))
        .await?;
    throttle::clear_attempts(&op, user.id).await;
    Ok(Ok200::new(created))
}

/// Finds the user and checks the password. The response and the work are the same for every failure: one lookup, one
/// count, one hash.
async fn authenticate_password(
    op: &Operation,
    identifier: &Identifier,
    password: &PasswordAttempt,
) -> AppResult<(PasswordRow, Verified)> {
    let name = &NameKey::of(identifier.as_str());
    let user = op.reading(|conn| async move { Ok(passwords::by_identifier(&conn, name).await?) }).await?;
    let account = match &user {
        Some(user) => {
            op.about(Target::User(user.id));
            Account::User(user.id)
        }
        None => Account::Unknown(&name.folded),
    };
    throttle::count(op, Some(&account)).await?;
    let kept = user.as_ref().and_then(|user| user.password_hash.as_deref());
    let verified = op.verify(password.expose(), kept).await?;
    match user {
        Some(user) if verified.matches && !is_suspended(user.suspended, user.suspended_until, op.now()) => {
            Ok((user, verified))
        }
        _ => reject(error::INVALID_CREDENTIALS, "no user can sign in with this identifier and password"),
    }
}

//! Code shared by the operations that check a password: the check itself, and the sessions that it starts.

pub mod throttle;

use rollcall_api::error;
use rollcall_api::types::{SessionCreated, UserView};
use rollcall_store::passwords::{self, PasswordRow};
use rollcall_store::sessions::{self, NewSession};
use rollcall_store::users::{self, UserChanges, UserKey};

use crate::context::seconds;
use crate::credentials::throttle::Account;
use crate::error::{AppResult, not_found, reject};
use crate::operation::{Change, Operation};
use crate::secrets::password::Verified;
use crate::secrets::token::Token;
use crate::views::{self, is_suspended};

/// Checks a signed-in user's password and counts it as an attempt; a wrong one is a 422.
pub async fn verify_current_password(
    operation: &Operation,
    row: &PasswordRow,
    password: &str,
) -> AppResult<Verified> {
    throttle::count(operation, Some(&Account::User(row.id))).await?;
    let verified = operation.verify(password, row.password_hash.as_deref()).await?;
    if verified.matches {
        Ok(verified)
    } else {
        reject(error::PASSWORD_MISMATCH, "the current password is wrong")
    }
}

/// Rejects a correct password that has expired or must be changed. It does not count as a failed attempt.
pub async fn not_expired(operation: &Operation, row: &PasswordRow, message: &str) -> AppResult<()> {
    if row.password_expires_at.is_none_or(|expires| expires > operation.now()) {
        return Ok(());
    }
    throttle::clear_attempts(operation, row.id).await;
    reject(error::PASSWORD_EXPIRED, message)
}

/// Locks a user's row and checks that the state from before the transaction still holds: the same hash, not
/// suspended. Fails with a conflict otherwise.
pub async fn relock_unchanged(
    operation: &Operation,
    change: &Change,
    checked: &PasswordRow,
) -> AppResult<PasswordRow> {
    let suspended = |row: &PasswordRow| is_suspended(row.suspended, row.suspended_until, operation.now());
    match passwords::lock_hash(change.conn(), checked.id).await? {
        Some(row) if row.password_hash == checked.password_hash && !suspended(&row) => Ok(row),
        _ => reject(error::CONFLICT, "the password was changed meanwhile; retry"),
    }
}

/// The changes of a user that set a new password hash.
pub fn new_password(operation: &Operation, hash: String, must_change: bool) -> UserChanges {
    let now = operation.now();
    let expires = if must_change { Some(now) } else { operation.app.password_expiry(now) };
    UserChanges {
        password_hash: Some(Some(hash)),
        password_changed_at: Some(Some(now)),
        password_expires_at: Some(expires),
        ..UserChanges::default()
    }
}

/// The user's names, which must not make up the password.
pub fn personal_words(row: &PasswordRow) -> Vec<String> {
    [&row.username, &row.email, &row.name, &row.phone].into_iter().flatten().cloned().collect()
}

/// Starts a session for a user with a locked row. `upgrade` is the same password, hashed with newer parameters.
pub async fn start_session(
    operation: &Operation,
    change: &Change,
    user: &PasswordRow,
    upgrade: Option<String>,
) -> AppResult<SessionCreated> {
    let now = operation.now();
    let token = Token::session();
    users::signed_in(change.conn(), user.id, upgrade, now).await?;
    let session = NewSession {
        id: operation.app.new_id(),
        user_id: user.id,
        token_hash: token.hash().0.to_vec(),
        created_at: now,
        authenticated_at: now,
        last_used_at: now,
        expires_at: now + seconds(operation.app.config.session.lifetime_seconds),
        address: Some(operation.address.to_string()),
        user_agent: operation.user_agent.clone(),
    };
    let keep = i64::from(operation.app.config.session.max_per_user);
    let row = sessions::insert(change.conn(), &session, keep).await?;
    session_created(operation, change, row, &token).await
}

/// Replaces a session's token.
pub async fn renew_session(
    operation: &Operation,
    change: &Change,
    session: uuid::Uuid,
) -> AppResult<SessionCreated> {
    let token = Token::session();
    match sessions::renew(change.conn(), session, &token.hash().0, operation.now()).await? {
        Some(row) => session_created(operation, change, row, &token).await,
        None => reject(error::UNAUTHENTICATED, "the session has ended"),
    }
}

async fn session_created(
    operation: &Operation,
    change: &Change,
    row: sessions::SessionRow,
    token: &Token,
) -> AppResult<SessionCreated> {
    let Some(record) = users::find(change.conn(), UserKey::Id(row.user_id)).await? else {
        return not_found();
    };
    let current = row.id;
    Ok(SessionCreated {
        token: token.expose().to_owned(),
        session: views::session(row, current),
        user: views::user_with_view(UserView::Own, record, operation.now()),
    })
}

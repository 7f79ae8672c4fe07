//! The sessions of a user.

use std::sync::Arc;

use rollcall_api::extract::Bearer;
use rollcall_api::reply::{NoContent, Ok200};
use rollcall_api::types::{PageQuery, SessionPage, SessionPath, UserRef};
use rollcall_store::connect::Connection;
use rollcall_store::sessions;
use serde_json::json;

use crate::app::users::{about, lock_user};
use crate::error::{AppResult, not_found};
use crate::listing::page::Paging;
use crate::operation::{Operation, Target};
use crate::views;

/// Lists a user's sessions.
pub async fn user_session_list(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
    query: PageQuery,
) -> AppResult<Ok200<SessionPage>> {
    let fetched = op.read(&credential, &user).await?;
    let (caller, record) = fetched.found()?.authorize(|_, record| about(record))?;
    let parent = record.id.to_string();
    let paging = Paging::open(&op, &query, &[&parent])?;
    let now = op.now();
    let (before, limit, used_after) = (paging.after_id(), paging.rows(), now - op.app.idle_timeout());
    let list = |conn: Arc<Connection>| async move {
        Ok(sessions::list(&conn, record.id, before, limit, now, used_after).await?)
    };
    let rows = op.reading(list).await?;
    let current = caller.credential.session_id;
    Ok(Ok200::new(paging.page(rows, |row| row.id, |row| views::session(row, current))))
}

/// Ends a session.
pub async fn user_session_delete(
    op: Arc<Operation>,
    credential: Bearer,
    path: SessionPath,
) -> AppResult<NoContent> {
    let mut change = op.begin(&credential).await?;
    let record = lock_user(&mut change, &path.user).await?;
    let session = path.session.uuid();
    if !sessions::delete(change.conn(), record.id, session).await? {
        return not_found();
    }
    change.commit(Target::Session(session), json!({ "user": record.id })).await?;
    Ok(NoContent::done())
}

/// Ends all of a user's sessions.
pub async fn user_session_delete_all(
    op: Arc<Operation>,
    credential: Bearer,
    user: UserRef,
) -> AppResult<NoContent> {
    let mut change = op.begin(&credential).await?;
    let record = lock_user(&mut change, &user).await?;
    let ended = sessions::delete_all(change.conn(), record.id, None).await?;
    change.commit(Target::User(record.id), json!({ "ended_sessions": ended })).await?;
    Ok(NoContent::done())
}

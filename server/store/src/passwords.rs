//! Reads for password checks. No other module reads password hashes.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_api::types::NameKey;
use uuid::Uuid;

use crate::error::StoreResult;
use crate::schema::users;

/// A user's columns for the password check.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(diesel::pg::Pg))]
pub struct PasswordRow {
    pub id: Uuid,
    pub username: Option<String>,
    pub email: Option<String>,
    pub name: Option<String>,
    pub phone: Option<String>,
    pub suspended: bool,
    pub suspended_until: Option<DateTime<Utc>>,
    pub password_hash: Option<String>,
    pub password_expires_at: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for PasswordRow {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PasswordRow").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Finds a user by any of their identifiers, or by id. A username cannot equal another user's email address
/// or phone number, so each matches at most one user. A username in the form of another user's id does not
/// shadow that id.
pub async fn by_identifier(
    mut conn: &AsyncPgConnection,
    identifier: &NameKey,
) -> StoreResult<Option<PasswordRow>> {
    let forms = identifier.forms();
    let id = Uuid::try_parse(&identifier.folded).ok().filter(|_| identifier.folded.len() == ID_LENGTH);
    let matches = users::username_folded
        .eq_any(&forms)
        .or(users::email_folded.eq_any(&forms))
        .or(users::phone.eq(&identifier.folded))
        .or(users::id.nullable().eq(id));
    type Found = (PasswordRow, Option<String>, Option<String>);
    let mut rows: Vec<Found> = users::table
        .filter(matches)
        .limit(4)
        .select((PasswordRow::as_select(), users::username_folded, users::email_folded))
        .load(&mut conn)
        .await?;
    if let Some(own) = rows.iter().position(|(row, ..)| Some(row.id) == id) {
        return Ok(Some(rows.swap_remove(own).0));
    }
    // A user who kept the older folding takes precedence.
    let kept = |(_, username, email): &Found| {
        identifier.kept.is_some() && [username, email].contains(&&identifier.kept)
    };
    if rows.iter().any(kept) {
        rows.retain(kept);
    }
    let mut rows = rows.into_iter().map(|(row, ..)| row);
    match (rows.next(), rows.next()) {
        (Some(only), None) => Ok(Some(only)),
        _ => Ok(None),
    }
}

/// Length of an id as the API writes it; other UUID formats are not ids.
const ID_LENGTH: usize = 36;

/// Loads a user by id.
pub async fn by_id(mut conn: &AsyncPgConnection, id: Uuid) -> StoreResult<Option<PasswordRow>> {
    let query = users::table.filter(users::id.eq(id)).select(PasswordRow::as_select());
    Ok(query.get_result(&mut conn).await.optional()?)
}

/// Locks the user's row and returns the current hash, to verify that a check made before the transaction
/// still holds.
pub async fn lock_hash(mut conn: &AsyncPgConnection, id: Uuid) -> StoreResult<Option<PasswordRow>> {
    let query = users::table.filter(users::id.eq(id)).select(PasswordRow::as_select()).for_no_key_update();
    Ok(query.get_result(&mut conn).await.optional()?)
}

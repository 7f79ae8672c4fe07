//! Update of folded columns that were written before folding removed invisible characters.

use std::sync::LazyLock;

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_api::types::fold;
use uuid::Uuid;

use crate::derived::GroupColumns;
use crate::error::{StoreError, StoreResult};
use crate::schema::{groups, invitations, users};

/// Ranges of the characters that folding removes (Default_Ignorable_Code_Point). Characters neither gain nor
/// lose that property.
const INVISIBLE: &[(u32, u32)] = &[
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
];

/// Concatenation of a user's folded columns.
const COLUMNS: &str = "coalesce(username_folded, '') || coalesce(email_folded, '') || coalesce(name_folded, '') \
     || coalesce(given_name_folded, '') || coalesce(family_name_folded, '')";

/// Number of rows read at once.
const BATCH: i64 = 500;

/// Condition on a user whose columns need folding again. Its index stays nearly empty.
pub(crate) static STALE: LazyLock<String> = LazyLock::new(|| format!("({COLUMNS}) ~ '{}'", invisible()));

/// A Postgres regular expression that matches one of the characters.
fn invisible() -> String {
    let ranges: String = INVISIBLE.iter().map(|(from, to)| format!(r"\U{from:08X}-\U{to:08X}")).collect();
    format!("[{ranges}]")
}

/// Folds outdated columns again and returns the users whose username or address would then equal another
/// user's. Those keep the older folding, under which no other user can be found.
pub(crate) async fn run(conn: &mut AsyncPgConnection) -> StoreResult<Vec<Uuid>> {
    let (mut last, mut colliding) = (Uuid::nil(), Vec::new());
    loop {
        let rows: Vec<Row> = users::table
            .filter(sql::<Bool>(&STALE))
            .filter(users::id.gt(last))
            .order(users::id)
            .limit(BATCH)
            .select(Row::as_select())
            .load(conn)
            .await?;
        let Some(row) = rows.last() else { break };
        last = row.id;
        for row in rows {
            // The columns derived from the names follow in `derived::refresh`.
            let target = users::table.find(row.id);
            diesel::update(target).set(users::search.eq(None::<String>)).execute(conn).await?;
            if !identifiers(conn, &row).await? {
                colliding.push(row.id);
            }
        }
    }
    others(conn).await?;
    Ok(colliding)
}

/// Folds the names of groups and the addresses of invitations again. They are few, so all are scanned.
async fn others(conn: &mut AsyncPgConnection) -> StoreResult<()> {
    let stale = |column: &str| sql::<Bool>(&format!("{column} ~ '{}'", invisible()));
    let columns = (groups::id, groups::slug, groups::name);
    let rows: Vec<(Uuid, String, String)> =
        groups::table.filter(stale("name_folded")).select(columns).load(conn).await?;
    for (id, slug, name) in rows {
        let same = groups::table
            .filter(groups::id.eq(id))
            .filter(groups::slug.eq(&slug))
            .filter(groups::name.eq(&name));
        diesel::update(same).set(GroupColumns::of(&slug, &name)).execute(conn).await?;
    }
    let rows: Vec<(Uuid, String)> = invitations::table
        .filter(stale("email_folded"))
        .select((invitations::id, invitations::email.assume_not_null()))
        .load(conn)
        .await?;
    for (id, email) in rows {
        let target = invitations::table.filter(invitations::id.eq(id));
        diesel::update(target).set(invitations::email_folded.eq(fold(&email))).execute(conn).await?;
    }
    Ok(())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(diesel::pg::Pg))]
struct Row {
    id: Uuid,
    username: Option<String>,
    email: Option<String>,
    username_folded: Option<String>,
    email_folded: Option<String>,
}

/// Returns true if the identifiers are up to date afterwards.
async fn identifiers(conn: &mut AsyncPgConnection, row: &Row) -> StoreResult<bool> {
    let username = row.username.as_deref().map(fold);
    let email = row.email.as_deref().map(fold);
    if (&username, &email) == (&row.username_folded, &row.email_folded) {
        return Ok(true);
    }
    let wanted: Vec<&String> = username.iter().chain(&email).collect();
    let theirs = users::username_folded
        .eq_any(&wanted)
        .or(users::email_folded.eq_any(&wanted))
        .or(users::phone.eq_any(&wanted));
    let others = users::table.filter(users::id.ne(row.id)).filter(theirs);
    if diesel::select(exists(others)).get_result(conn).await? {
        return Ok(false);
    }
    let same = users::table
        .filter(users::id.eq(row.id))
        .filter(users::username.is_not_distinct_from(&row.username))
        .filter(users::email.is_not_distinct_from(&row.email));
    let folded = (users::username_folded.eq(&username), users::email_folded.eq(&email));
    match diesel::update(same).set(folded).execute(conn).await.map_err(StoreError::from) {
        Ok(_) => Ok(true),
        // Another user took the name meanwhile.
        Err(StoreError::Taken(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_invisible_character_and_no_other() {
        for character in '\0'..=char::MAX {
            let code = u32::from(character);
            let found = INVISIBLE.iter().any(|(from, to)| (*from..=*to).contains(&code));
            assert_eq!(found, rollcall_api::types::is_invisible(character), "U+{code:04X}");
        }
    }
}

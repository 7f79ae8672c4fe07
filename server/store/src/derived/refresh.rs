//! Recomputes the derived columns of rows of another version, or from before the columns existed.

use diesel::prelude::*;
use diesel::sql_types::{Array, Binary, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use super::{GroupColumns, RoleColumns, UserColumns, UserNames, stale};
use crate::error::StoreResult;
use crate::schema::{groups, roles, users};

/// Number of users derived in one batch; their rows stay locked meanwhile.
pub const BATCH: i64 = 500;

/// Derives one batch inside a transaction and returns the number of rows. Rows locked by other transactions
/// are skipped: the transaction that changes them derives them, or the next run does.
pub async fn refresh(conn: &AsyncPgConnection) -> StoreResult<usize> {
    Ok(refresh_users(conn).await? + refresh_groups(conn).await? + refresh_roles(conn).await?)
}

async fn refresh_users(mut conn: &AsyncPgConnection) -> StoreResult<usize> {
    let rows: Vec<(Uuid, UserNames)> = users::table
        .filter(diesel::dsl::sql::<Bool>(stale!()))
        .order(users::id)
        .limit(BATCH)
        .select((users::id, UserNames::as_select()))
        .for_no_key_update()
        .skip_locked()
        .load(&mut conn)
        .await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let ids: Vec<Uuid> = rows.iter().map(|(id, _)| *id).collect();
    let columns: Vec<UserColumns> = rows.iter().map(|(_, names)| UserColumns::of(names)).collect();
    let texts = |text: fn(&UserColumns) -> Option<&str>| columns.iter().map(text).collect::<Vec<_>>();
    let keys = |place: usize| {
        columns.iter().map(|column| column.sort_keys.get(place).cloned().flatten()).collect::<Vec<_>>()
    };
    // One statement for all rows: one statement per row takes ten times as long.
    diesel::sql_query(
        "UPDATE users SET name_folded = derived.name, given_name_folded = derived.given, \
             family_name_folded = derived.family, search = derived.search, \
             sort_keys = ARRAY[username_key, name_key, given_key, family_key] \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             AS derived(id, name, given, family, search, username_key, name_key, given_key, family_key) \
         WHERE users.id = derived.id",
    )
    .bind::<Array<SqlUuid>, _>(&ids)
    .bind::<Array<Nullable<Text>>, _>(texts(|column| column.name_folded.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(texts(|column| column.given_name_folded.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(texts(|column| column.family_name_folded.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(texts(|column| Some(&column.search)))
    .bind::<Array<Nullable<Binary>>, _>(keys(0))
    .bind::<Array<Nullable<Binary>>, _>(keys(1))
    .bind::<Array<Nullable<Binary>>, _>(keys(2))
    .bind::<Array<Nullable<Binary>>, _>(keys(3))
    .execute(&mut conn)
    .await?;
    Ok(rows.len())
}

async fn refresh_groups(mut conn: &AsyncPgConnection) -> StoreResult<usize> {
    let rows: Vec<(Uuid, String, String)> = groups::table
        .filter(diesel::dsl::sql::<Bool>(stale!()))
        .order(groups::id)
        .limit(BATCH)
        .select((groups::id, groups::slug, groups::name))
        .for_no_key_update()
        .skip_locked()
        .load(&mut conn)
        .await?;
    for (id, slug, name) in &rows {
        diesel::update(groups::table.find(id)).set(GroupColumns::of(slug, name)).execute(&mut conn).await?;
    }
    Ok(rows.len())
}

async fn refresh_roles(mut conn: &AsyncPgConnection) -> StoreResult<usize> {
    let rows: Vec<(Uuid, String, Option<String>)> = roles::table
        .filter(diesel::dsl::sql::<Bool>(stale!()))
        .order(roles::id)
        .limit(BATCH)
        .select((roles::id, roles::name, roles::description))
        .for_no_key_update()
        .skip_locked()
        .load(&mut conn)
        .await?;
    for (id, name, description) in &rows {
        let columns = RoleColumns::of(name, description.as_deref());
        diesel::update(roles::table.find(id)).set(columns).execute(&mut conn).await?;
    }
    Ok(rows.len())
}

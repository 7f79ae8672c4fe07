//! The indexes behind lists, built beside the running servers: `CREATE INDEX CONCURRENTLY` can't run in a migration's
//! transaction, and a plain one would keep everybody from writing for as long as it takes. Also fills columns that a
//! migration added empty. Everything here can be broken off and run again.

use std::sync::LazyLock;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use rollcall_api::types::fold;
use serde_json::Value;
use uuid::Uuid;

use crate::error::StoreResult;
use crate::refold;
use crate::schema::{groups, roles, users};
use crate::users::FoldedNames;

/// An index: its name and what follows `ON`.
type Index = (&'static str, &'static str);

/// Rows whose folded names are missing: written before there were such columns.
const UNFOLDED: Index = (
    "users_unfolded_index",
    "users (id) WHERE (name IS NOT NULL AND name_folded IS NULL) \
     OR (profile ->> 'given_name' IS NOT NULL AND given_name_folded IS NULL) \
     OR (profile ->> 'family_name' IS NOT NULL AND family_name_folded IS NULL)",
);

/// Rows whose columns were folded by an older rule.
static STALE_FOLDING: LazyLock<String> = LazyLock::new(|| format!("users (id) WHERE {}", *refold::STALE));

/// For each field that lists are sorted by: the rows that have a value in its order, and those that have none in that of
/// their ids. Equal, range and prefix conditions use the first as well.
const ORDERED: &[Index] = &[
    ("users_username_null_index", "users (id) WHERE username_folded IS NULL"),
    ("users_email_null_index", "users (id) WHERE email_folded IS NULL"),
    ("users_name_index", "users (name_folded, id) WHERE name_folded IS NOT NULL"),
    ("users_name_null_index", "users (id) WHERE name_folded IS NULL"),
    ("users_given_name_index", "users (given_name_folded, id) WHERE given_name_folded IS NOT NULL"),
    ("users_given_name_null_index", "users (id) WHERE given_name_folded IS NULL"),
    ("users_family_name_index", "users (family_name_folded, id) WHERE family_name_folded IS NOT NULL"),
    ("users_family_name_null_index", "users (id) WHERE family_name_folded IS NULL"),
    ("users_last_sign_in_index", "users (last_sign_in_at, id) WHERE last_sign_in_at IS NOT NULL"),
    ("users_last_sign_in_null_index", "users (id) WHERE last_sign_in_at IS NULL"),
    ("users_created_index", "users (created_at, id)"),
    ("users_updated_index", "users (updated_at, id)"),
    ("users_suspended_index", "users (suspended, id)"),
    ("users_password_index", "users (id) WHERE password_hash IS NOT NULL"),
    ("users_passwordless_index", "users (id) WHERE password_hash IS NULL"),
    ("users_created_via_index", "users (created_via, id)"),
    ("groups_name_index", "groups (name_folded, id)"),
    ("groups_created_index", "groups (created_at, id)"),
    ("groups_updated_index", "groups (updated_at, id)"),
    ("group_members_joined_index", "group_members (group_id, joined_at, user_id)"),
    ("role_permissions_permission_index", "role_permissions (permission, role_id)"),
];

/// What is contained in objects. Without `fastupdate` a search never reads a pending list that writers filled.
const CONTAINED: &[Index] = &[
    ("users_custom_data_index", "users USING gin (custom_data jsonb_path_ops) WITH (fastupdate = off)"),
    ("users_profile_index", "users USING gin (profile jsonb_path_ops) WITH (fastupdate = off)"),
    ("groups_custom_data_index", "groups USING gin (custom_data jsonb_path_ops) WITH (fastupdate = off)"),
];

/// What is contained in texts; needs the extension pg_trgm. The expression is the column `search` of `user_records`.
const TRIGRAMS: Index = (
    "users_search_index",
    "users USING gin ((E'\\n' || coalesce(username_folded, '') || E'\\n' || coalesce(email_folded, '') || E'\\n' \
     || coalesce(phone, '') || E'\\n' || coalesce(name_folded, '') || E'\\n' || coalesce(given_name_folded, '') \
     || E'\\n' || coalesce(family_name_folded, '') || E'\\n') gin_trgm_ops) WITH (fastupdate = off)",
);

/// What there is to tell an operator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    /// Indexes that were built now.
    pub built: Vec<&'static str>,
    /// Users who keep an older folding of their username or address, because in today's it is another user's.
    pub colliding: Vec<Uuid>,
    /// Why words can't be searched by an index, where they can't.
    pub without_trigrams: Option<String>,
}

/// Builds what is missing and fills what is empty.
pub async fn prepare(conn: &mut AsyncPgConnection) -> StoreResult<Prepared> {
    let mut prepared = Prepared::default();
    ensure(conn, &UNFOLDED, &mut prepared).await?;
    fold_names(conn).await?;
    if is_unicode(conn).await? {
        ensure(conn, &("users_stale_folding_index", &STALE_FOLDING), &mut prepared).await?;
        prepared.colliding = refold::run(conn).await?;
    }
    for index in ORDERED.iter().chain(CONTAINED) {
        ensure(conn, index, &mut prepared).await?;
    }
    match conn.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_trgm").await {
        Ok(()) => ensure(conn, &TRIGRAMS, &mut prepared).await?,
        Err(error) => prepared.without_trigrams = Some(error.to_string()),
    }
    if !prepared.built.is_empty() {
        // An index on an expression has no statistics before the next ANALYZE, and the planner guesses.
        conn.batch_execute("ANALYZE users; ANALYZE groups; ANALYZE group_members; ANALYZE role_permissions")
            .await?;
    }
    Ok(prepared)
}

#[derive(QueryableByName)]
struct IndexState {
    #[diesel(sql_type = Bool)]
    valid: bool,
}

/// Says whether the database can have characters beyond one byte.
async fn is_unicode(conn: &mut AsyncPgConnection) -> StoreResult<bool> {
    let encoding = sql::<Bool>("current_setting('server_encoding') = 'UTF8'");
    Ok(diesel::select(encoding).get_result(conn).await?)
}

async fn ensure(
    conn: &mut AsyncPgConnection,
    (name, on): &Index,
    prepared: &mut Prepared,
) -> StoreResult<()> {
    let state: Option<IndexState> =
        diesel::sql_query("SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass($1)")
            .bind::<Text, _>(*name)
            .get_result(conn)
            .await
            .optional()?;
    match state {
        Some(IndexState { valid: true }) => return Ok(()),
        // One that was broken off stays behind and is of no use.
        Some(IndexState { valid: false }) => {
            conn.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).await?;
        }
        None => {}
    }
    conn.batch_execute(&format!("CREATE INDEX CONCURRENTLY {name} ON {on}")).await?;
    prepared.built.push(name);
    Ok(())
}

/// How many rows are filled at once: what their writers may have to wait for.
const BATCH: i64 = 500;

async fn fold_names(conn: &mut AsyncPgConnection) -> StoreResult<()> {
    let mut last = Uuid::nil();
    loop {
        let unfolded = users::name
            .is_not_null()
            .and(users::name_folded.is_null())
            .or(users::profile
                .retrieve_as_text("given_name")
                .is_not_null()
                .and(users::given_name_folded.is_null()))
            .or(users::profile
                .retrieve_as_text("family_name")
                .is_not_null()
                .and(users::family_name_folded.is_null()));
        let rows: Vec<(Uuid, Option<String>, Value)> = users::table
            .filter(unfolded)
            .filter(users::id.gt(last))
            .order(users::id)
            .select((users::id, users::name, users::profile))
            .limit(BATCH)
            .load(conn)
            .await?;
        for (id, name, profile) in &rows {
            // Where the row is changed meanwhile, the newer server that does it writes these columns as well.
            let same = users::table
                .filter(users::id.eq(id))
                .filter(users::name.is_not_distinct_from(name))
                .filter(users::profile.eq(profile));
            let folded = FoldedNames::of(Some(name.as_deref()), Some(profile));
            diesel::update(same).set(folded).execute(conn).await?;
        }
        match rows.last() {
            Some((id, ..)) => last = *id,
            None => break,
        }
    }
    let unnamed: Vec<(Uuid, String)> = groups::table
        .filter(groups::name_folded.is_null())
        .select((groups::id, groups::name))
        .load(conn)
        .await?;
    for (id, name) in unnamed {
        let same = groups::table.filter(groups::id.eq(id)).filter(groups::name.eq(&name));
        diesel::update(same).set(groups::name_folded.eq(fold(&name))).execute(conn).await?;
    }
    let undescribed: Vec<(Uuid, Option<String>)> = roles::table
        .filter(roles::description.is_not_null().and(roles::description_folded.is_null()))
        .select((roles::id, roles::description))
        .load(conn)
        .await?;
    for (id, text) in undescribed {
        let same = roles::table.filter(roles::id.eq(id)).filter(roles::description.eq(&text));
        let folded = text.as_deref().map(fold);
        diesel::update(same).set(roles::description_folded.eq(folded)).execute(conn).await?;
    }
    Ok(())
}

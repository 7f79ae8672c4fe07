//! The indexes behind lists, built beside the running servers: `CREATE INDEX CONCURRENTLY` can't run in a migration's
//! transaction, and a plain one would keep everybody from writing for as long as it takes. Also fills columns that a
//! migration added empty. Everything here can be broken off and run again.

use std::sync::LazyLock;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use uuid::Uuid;

use crate::derived::{self, stale};
use crate::error::StoreResult;
use crate::refold;

/// An index: its name and what follows `ON`.
type Index = (&'static str, &'static str);

/// Rows whose derived columns are missing or of another version. The names have the version that they are for.
const STALE: &[Index] = &[
    ("users_stale_1_index", concat!("users (id) WHERE ", stale!())),
    ("groups_stale_1_index", concat!("groups (id) WHERE ", stale!())),
];

/// Rows whose columns were folded by an older rule.
static STALE_FOLDING: LazyLock<String> = LazyLock::new(|| format!("users (id) WHERE {}", *refold::STALE));

/// Indexes of earlier servers that nothing uses any more.
const OBSOLETE: &[&str] = &[
    "users_unfolded_index",
    "users_search_index",
    "users_username_null_index",
    "users_name_null_index",
    "users_given_name_null_index",
    "users_family_name_null_index",
];

/// For each field that lists are sorted by: the rows that have a value in its order, and those that have none in that of
/// their ids. Folded texts have their own: equal and prefix conditions use those.
///
/// Those on keys have every row: the planner takes no statistics of an expression from an index that hasn't.
const ORDERED: &[Index] = &[
    ("users_username_order_index", "users ((sort_keys[1]), id)"),
    ("users_username_last_index", "users (id) WHERE sort_keys[1] IS NULL"),
    ("users_email_null_index", "users (id) WHERE email_folded IS NULL"),
    ("users_name_index", "users (name_folded, id) WHERE name_folded IS NOT NULL"),
    ("users_name_order_index", "users ((sort_keys[2]), id)"),
    ("users_name_last_index", "users (id) WHERE sort_keys[2] IS NULL"),
    ("users_given_name_index", "users (given_name_folded, id) WHERE given_name_folded IS NOT NULL"),
    ("users_given_name_order_index", "users ((sort_keys[3]), id)"),
    ("users_given_name_last_index", "users (id) WHERE sort_keys[3] IS NULL"),
    ("users_family_name_index", "users (family_name_folded, id) WHERE family_name_folded IS NOT NULL"),
    ("users_family_name_order_index", "users ((sort_keys[4]), id)"),
    ("users_family_name_last_index", "users (id) WHERE sort_keys[4] IS NULL"),
    ("users_last_sign_in_index", "users (last_sign_in_at, id) WHERE last_sign_in_at IS NOT NULL"),
    ("users_last_sign_in_null_index", "users (id) WHERE last_sign_in_at IS NULL"),
    ("users_created_index", "users (created_at, id)"),
    ("users_updated_index", "users (updated_at, id)"),
    ("users_suspended_index", "users (suspended, id)"),
    ("users_password_index", "users (id) WHERE password_hash IS NOT NULL"),
    ("users_passwordless_index", "users (id) WHERE password_hash IS NULL"),
    ("users_created_via_index", "users (created_via, id)"),
    ("groups_name_index", "groups (name_folded, id)"),
    ("groups_name_order_index", "groups (name_key, id)"),
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

/// What is contained in texts; needs the extension pg_trgm.
const TRIGRAMS: Index =
    ("users_words_index", "users USING gin (search gin_trgm_ops) WITH (fastupdate = off)");

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
    if is_unicode(conn).await? {
        ensure(conn, &("users_stale_folding_index", &STALE_FOLDING), &mut prepared).await?;
        prepared.colliding = refold::run(conn).await?;
    }
    for index in STALE {
        ensure(conn, index, &mut prepared).await?;
    }
    loop {
        conn.batch_execute("BEGIN").await?;
        let derived = derived::refresh(conn).await?;
        conn.batch_execute("COMMIT").await?;
        if derived == 0 {
            break;
        }
    }
    for index in ORDERED.iter().chain(CONTAINED) {
        ensure(conn, index, &mut prepared).await?;
    }
    match conn.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_trgm").await {
        Ok(()) => ensure(conn, &TRIGRAMS, &mut prepared).await?,
        Err(error) => prepared.without_trigrams = Some(error.to_string()),
    }
    for name in OBSOLETE {
        conn.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).await?;
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

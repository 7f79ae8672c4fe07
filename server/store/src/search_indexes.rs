//! The indexes of lists, built beside running servers: `CREATE INDEX CONCURRENTLY` cannot run in a
//! migration's transaction, and a plain `CREATE INDEX` would block all writes until it is done. Also fills
//! columns that a migration added empty. Every step can be interrupted and run again.

use std::sync::LazyLock;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use uuid::Uuid;

use crate::derived::{self, stale};
use crate::error::StoreResult;
use crate::refold;

/// An index: its name and the text after `ON`.
type Index = (&'static str, &'static str);

/// Indexes of rows whose derived columns are missing or of another version. Their names contain the version.
const STALE: &[Index] = &[
    ("users_stale_1_index", concat!("users (id) WHERE ", stale!())),
    ("groups_stale_1_index", concat!("groups (id) WHERE ", stale!())),
];

/// Index of rows whose columns were folded by an older rule.
static STALE_FOLDING: LazyLock<String> = LazyLock::new(|| format!("users (id) WHERE {}", *refold::STALE));

/// Indexes of earlier versions that no statement uses any more.
const OBSOLETE: &[&str] = &[
    "users_unfolded_index",
    "users_search_index",
    "users_username_null_index",
    "users_name_null_index",
    "users_given_name_null_index",
    "users_family_name_null_index",
];

/// For each sortable field, an index of the rows with a value in the field's order, and one of the rows
/// without a value in the order of their ids. Folded texts have separate ones, for equality and prefix
/// conditions.
///
/// Indexes on sort keys contain every row: the planner takes no statistics of an expression from a partial
/// index.
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

/// Indexes for containment in JSON objects. Without `fastupdate` a search never reads a pending list filled
/// by writers.
const CONTAINED: &[Index] = &[
    ("users_custom_data_index", "users USING gin (custom_data jsonb_path_ops) WITH (fastupdate = off)"),
    ("users_profile_index", "users USING gin (profile jsonb_path_ops) WITH (fastupdate = off)"),
    ("groups_custom_data_index", "groups USING gin (custom_data jsonb_path_ops) WITH (fastupdate = off)"),
];

/// Index for substrings of texts; needs the extension pg_trgm.
const TRIGRAMS: Index =
    ("users_words_index", "users USING gin (search gin_trgm_ops) WITH (fastupdate = off)");

/// Outcome of index preparation, reported at startup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    /// Indexes built by this run.
    pub built: Vec<&'static str>,
    /// Users who keep an older folding of their username or address, because the current one equals another
    /// user's.
    pub colliding: Vec<Uuid>,
    /// The reason for the missing trigram index, if it could not be built.
    pub without_trigrams: Option<String>,
}

/// Builds missing indexes and fills empty columns.
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
        // A new index on an expression has no statistics before the next ANALYZE, and the planner would
        // guess.
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

/// True if the database's encoding is UTF-8, so that texts may contain any Unicode character.
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
        // An interrupted build leaves an invalid index behind.
        Some(IndexState { valid: false }) => {
            conn.batch_execute(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).await?;
        }
        None => {}
    }
    conn.batch_execute(&format!("CREATE INDEX CONCURRENTLY {name} ON {on}")).await?;
    prepared.built.push(name);
    Ok(())
}

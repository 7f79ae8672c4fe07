//! Conditions for a user or group in every form in which a caller can name it, so that one query serves all
//! of them.

use diesel::expression::{AppearsOnTable, Expression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types;
use rollcall_api::types::{GroupRef, UserRef};

use crate::groups::GroupKey;
use crate::schema::{groups, sessions, users};
use crate::users::UserKey;

impl<'a> UserKey<'a> {
    /// The key of a user reference; `caller` is the hash of the caller's token.
    pub fn of(user: &'a UserRef, caller: &'a [u8]) -> Self {
        match user {
            UserRef::Me => Self::Session(caller),
            UserRef::Id(id) => Self::Id(id.uuid()),
            UserRef::Name(name) => Self::Name(name),
        }
    }
}

impl<'a> From<&'a GroupRef> for GroupKey<'a> {
    fn from(group: &'a GroupRef) -> Self {
        match group {
            GroupRef::Id(id) => Self::Id(id.uuid()),
            GroupRef::Slug(slug) => Self::Slug(slug),
        }
    }
}

/// Makes a key usable as a condition on a table. Its SQL depends on the variant, so statements are cached by
/// their text.
macro_rules! condition {
    ($key:ty, $column:ty) => {
        impl Expression for $key {
            type SqlType = sql_types::Bool;
        }

        impl<Table> AppearsOnTable<Table> for $key where $column: AppearsOnTable<Table> {}

        impl ValidGrouping<()> for $key {
            type IsAggregate = is_aggregate::No;
        }

        impl QueryId for $key {
            type QueryId = ();
            const HAS_STATIC_QUERY_ID: bool = false;
        }
    };
}

condition!(UserKey<'_>, users::id);
condition!(GroupKey<'_>, groups::id);

impl QueryFragment<Pg> for UserKey<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Self::Id(id) => {
                users::id.walk_ast(out.reborrow())?;
                out.push_sql(" = ");
                out.push_bind_param::<sql_types::Uuid, _>(id)
            }
            Self::Name(name) => {
                users::username_folded.walk_ast(out.reborrow())?;
                out.push_sql(" = ");
                let Some(kept) = &name.kept else {
                    return out.push_bind_param::<sql_types::Text, _>(&name.folded);
                };
                // A user who kept the older folding takes precedence.
                out.push_sql("coalesce((SELECT kept.username_folded FROM ");
                users::table.walk_ast(out.reborrow())?;
                out.push_sql(" AS kept WHERE kept.username_folded = ");
                out.push_bind_param::<sql_types::Text, _>(kept)?;
                out.push_sql("), ");
                out.push_bind_param::<sql_types::Text, _>(&name.folded)?;
                out.push_sql(")");
                Ok(())
            }
            Self::Session(hash) => {
                users::id.walk_ast(out.reborrow())?;
                out.push_sql(" = (SELECT ");
                sessions::user_id.walk_ast(out.reborrow())?;
                out.push_sql(" FROM ");
                sessions::table.walk_ast(out.reborrow())?;
                out.push_sql(" WHERE ");
                sessions::token_hash.walk_ast(out.reborrow())?;
                out.push_sql(" = ");
                out.push_bind_param::<sql_types::Binary, _>(hash)?;
                out.push_sql(")");
                Ok(())
            }
        }
    }
}

/// A deleted group cannot be found by slug, even while its row still exists.
impl QueryFragment<Pg> for GroupKey<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(");
        match self {
            Self::Id(id) => {
                groups::id.walk_ast(out.reborrow())?;
                out.push_sql(" = ");
                out.push_bind_param::<sql_types::Uuid, _>(id)?;
            }
            Self::Slug(slug) => {
                groups::slug.walk_ast(out.reborrow())?;
                out.push_sql(" = ");
                out.push_bind_param::<sql_types::Text, _>(slug)?;
            }
        }
        out.push_sql(" AND NOT ");
        groups::deleted.walk_ast(out.reborrow())?;
        out.push_sql(")");
        Ok(())
    }
}

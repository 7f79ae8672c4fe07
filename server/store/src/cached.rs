//! Prepared statements for updates. Diesel prepares every update anew, because the fields that are set may differ; those of a
//! statement here are always the same, or of a few kinds, and a preparation is a round trip.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;

/// A statement that a connection keeps, once it is prepared, under its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cached<T>(T);

/// Statements that may be kept.
pub(crate) trait Cache: Sized {
    /// Prepares it once for each connection and text. Not for statements whose text varies with what they are given, such as
    /// a list of rows.
    fn cached(self) -> Cached<Self> {
        Cached(self)
    }
}

impl<T> Cache for T {}

impl<T> QueryId for Cached<T> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T: Query> Query for Cached<T> {
    type SqlType = T::SqlType;
}

impl<T: QueryFragment<Pg>> QueryFragment<Pg> for Cached<T> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

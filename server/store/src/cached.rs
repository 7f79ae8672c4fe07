//! Prepared statements for updates. Diesel prepares every update anew, because the set of assigned fields may
//! differ. The statements wrapped here always assign the same fields, or one of a few sets, and each
//! preparation costs a round trip.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;

/// A statement that a connection prepares once and caches under its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cached<T>(T);

/// Statements that may be cached.
pub(crate) trait Cache: Sized {
    /// Prepares the statement once for each connection and text. Not for statements whose text depends on
    /// their input, such as a list of rows.
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

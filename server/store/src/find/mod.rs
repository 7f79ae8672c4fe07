//! Filtered and sorted lists: conditions with bound parameters from the typed tree of `rollcall-query`, and
//! the condition that continues after a page's last row.

mod columns;
mod condition;
mod ids;
mod keyset;
mod relations;
mod resources;
mod words;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_query::{Filter, SortKey};
use serde_json::Value;
use uuid::Uuid;

use crate::error::{StoreError, StoreResult};
use condition::Condition;
pub use ids::Ids;
pub use keyset::{Phase, Position};
pub use resources::Resource;

/// A caller's request for a page of a list.
#[derive(Clone, Debug)]
pub struct Find<F> {
    /// The filter; without one, all rows match.
    pub filter: Option<Filter<F>>,
    /// The order; the id breaks ties.
    pub sort: Vec<SortKey<F>>,
    /// The position to start after.
    pub after: Option<Position>,
    /// Ids of the roles and groups that the filter names, once looked up.
    pub ids: Ids,
}

impl<F: Resource> Find<F> {
    /// Looks up the ids of the roles and groups that the filter names.
    pub async fn resolve_names(&self, conn: &AsyncPgConnection) -> StoreResult<Self> {
        let ids = match &self.filter {
            Some(filter) => Ids::of(conn, filter).await?,
            None => Ids::default(),
        };
        Ok(Self { ids, ..self.clone() })
    }

    /// The statements that produce the list: one, or two if the first sort field is nullable, for the rows
    /// with a value and for those without. Each can use a single index.
    pub fn phases(&self) -> StoreResult<Vec<Phase>> {
        keyset::phases(self)
    }

    /// The condition for counting, without the page's position.
    pub fn count_condition(&self, how: Total) -> Condition {
        match how {
            Total::Exact => self.condition(),
            Total::Estimate => self.condition().without_index_hints(),
        }
    }

    /// The condition without the page's position.
    pub fn condition(&self) -> Condition {
        match &self.filter {
            Some(filter) => condition::of(filter, &self.ids),
            None => Condition::everything(),
        }
    }
}

/// Method of counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// Counts row by row.
    Exact,
    /// Takes the planner's estimate.
    Estimate,
}

/// The rows of a list, collected over its statements.
#[derive(Debug)]
pub struct Rows<R> {
    limit: i64,
    rows: Vec<(R, Position)>,
}

impl<R> Rows<R> {
    /// An empty collection of at most `limit` rows.
    pub fn new(limit: i64) -> Self {
        Self { limit, rows: Vec::new() }
    }

    /// Number of rows still missing.
    pub fn wanted(&self) -> i64 {
        self.limit - i64::try_from(self.rows.len()).unwrap_or(i64::MAX)
    }

    /// Adds rows with their sort keys.
    pub fn add(&mut self, rows: Vec<(R, Value)>, id: impl Fn(&R) -> Uuid) {
        self.rows.extend(rows.into_iter().map(|(row, keys)| {
            let keys = if let Value::Array(keys) = keys { keys } else { Vec::new() };
            let position = Position { keys, id: id(&row) };
            (row, position)
        }));
    }

    /// All collected rows.
    pub fn all(self) -> Vec<(R, Position)> {
        self.rows
    }
}

/// The planner's estimate of a query's row count.
pub async fn estimate<Q>(mut conn: &AsyncPgConnection, query: Q) -> StoreResult<i64>
where
    Q: QueryFragment<Pg> + Send,
{
    let plan: Value = Explain(query).get_result(&mut conn).await?;
    let rows = plan.pointer("/0/Plan/Plan Rows").and_then(Value::as_f64);
    // Plans contain whole numbers, far below the maximum of `i64`.
    #[expect(clippy::cast_possible_truncation, reason = "a count of rows")]
    rows.map(|rows| rows as i64)
        .ok_or_else(|| StoreError::Defect("a plan without a number of rows".to_owned()))
}

/// The plan of a query instead of its rows.
#[derive(Clone, Copy, Debug)]
struct Explain<Q>(Q);

impl<Q> QueryId for Explain<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q> Query for Explain<Q> {
    type SqlType = diesel::sql_types::Json;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Explain<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql("EXPLAIN (FORMAT JSON) ");
        self.0.walk_ast(out.reborrow())
    }
}

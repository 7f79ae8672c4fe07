//! Lists that are narrowed and ordered by callers: from the typed tree of `rollcall-query` to conditions with bound
//! parameters, from a page's last row to the condition that goes on after it.

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

/// What a caller wants of a list.
#[derive(Clone, Debug)]
pub struct Find<F> {
    /// Only these.
    pub filter: Option<Filter<F>>,
    /// In this order; the id decides between equals.
    pub sort: Vec<SortKey<F>>,
    /// After this row.
    pub after: Option<Position>,
    /// What the filter names, once it is looked up.
    pub ids: Ids,
}

impl<F: Resource> Find<F> {
    /// The same with the ids of the roles and groups that its filter names.
    pub async fn looked_up(&self, conn: &AsyncPgConnection) -> StoreResult<Self> {
        let ids = match &self.filter {
            Some(filter) => Ids::of(conn, filter).await?,
            None => Ids::default(),
        };
        Ok(Self { ids, ..self.clone() })
    }

    /// The statements that give the list: one, or where the first field of the order may be without a value one for the
    /// rows that have it and one for those that don't. Each can be answered out of one index.
    pub fn phases(&self) -> StoreResult<Vec<Phase>> {
        keyset::phases(self)
    }

    /// The condition alone, for counting.
    pub fn counted(&self, how: Total) -> Condition {
        match how {
            Total::Exact => self.condition(),
            Total::Estimate => self.condition().without_helpers(),
        }
    }

    /// The condition alone.
    pub fn condition(&self) -> Condition {
        match &self.filter {
            Some(filter) => condition::of(filter, &self.ids),
            None => Condition::everything(),
        }
    }
}

/// How to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// Row by row.
    Exact,
    /// As the planner expects it.
    Estimate,
}

/// The rows of a list, gathered phase by phase.
#[derive(Debug)]
pub struct Rows<R> {
    limit: i64,
    rows: Vec<(R, Position)>,
}

impl<R> Rows<R> {
    /// None yet, of at most `limit`.
    pub fn new(limit: i64) -> Self {
        Self { limit, rows: Vec::new() }
    }

    /// How many are still wanted.
    pub fn wanted(&self) -> i64 {
        self.limit - i64::try_from(self.rows.len()).unwrap_or(i64::MAX)
    }

    /// Adds rows with their keys.
    pub fn add(&mut self, rows: Vec<(R, Value)>, id: impl Fn(&R) -> Uuid) {
        self.rows.extend(rows.into_iter().map(|(row, keys)| {
            let keys = if let Value::Array(keys) = keys { keys } else { Vec::new() };
            let position = Position { keys, id: id(&row) };
            (row, position)
        }));
    }

    /// All of them.
    pub fn all(self) -> Vec<(R, Position)> {
        self.rows
    }
}

/// How many rows Postgres's planner expects of a query.
pub async fn estimate<Q>(mut conn: &AsyncPgConnection, query: Q) -> StoreResult<i64>
where
    Q: QueryFragment<Pg> + Send,
{
    let plan: Value = Explain(query).get_result(&mut conn).await?;
    let rows = plan.pointer("/0/Plan/Plan Rows").and_then(Value::as_f64);
    // Plans count rows as whole numbers, far below what an i64 holds.
    #[expect(clippy::cast_possible_truncation, reason = "a count of rows")]
    rows.map(|rows| rows as i64)
        .ok_or_else(|| StoreError::Defect("a plan without a number of rows".to_owned()))
}

/// A query's plan instead of its rows.
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

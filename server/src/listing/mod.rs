//! Lists with `q`, `filter`, `sort` and `total`: parses these parameters and selects the connection for the query.

pub mod page;

use std::sync::Arc;

use futures::FutureExt;
use rollcall_api::error;
use rollcall_api::types::{ListQuery, Page, PageQuery, Text, TextRule, TotalKind};
use rollcall_query::{Fields, Filter, QueryError, Sight, SortKey};
use rollcall_store::connect::Connection;
use rollcall_store::derived;
use rollcall_store::find::{Find, Ids, Position, Total};
use rollcall_store::{Conn, MaybeLost, StoreError, StoreResult};

use crate::connections::Searching;
use crate::error::{AppResult, Error};
use crate::listing::page::Paging;
use crate::operation::Operation;

/// A list request.
#[derive(Debug)]
pub struct Finding<'a, F> {
    /// The caller's search, filter and order.
    pub find: Find<F>,
    /// The kind of total, if one is requested.
    pub total: Option<Total>,
    paging: Paging<'a>,
    plain: bool,
}

/// The connection of a list.
#[derive(Debug)]
pub enum FindConnection {
    /// Plain lists use a shared connection, as other reads do.
    Shared(Arc<Connection>),
    /// Searches and filters of callers run on connections of their own.
    Search(Box<Searching>),
}

impl std::ops::Deref for FindConnection {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        match self {
            Self::Shared(connection) => connection,
            Self::Search(connection) => connection,
        }
    }
}

impl<'a, F: Fields> Finding<'a, F> {
    /// Parses a list's parameters. `binding` must be the same on every page; `order` is the default order.
    pub fn read(
        op: &'a Operation,
        query: &ListQuery,
        sight: Sight,
        binding: &[&str],
        order: Vec<SortKey<F>>,
    ) -> AppResult<Self> {
        let (q, filter, sort) = (written(&query.q), written(&query.filter), written(&query.sort));
        let mut parts = Vec::new();
        if let Some(q) = q {
            parts.push(rollcall_query::search(q, sight).map_err(refused)?);
        }
        if let Some(filter) = filter {
            parts.push(rollcall_query::filter(filter, sight).map_err(refused)?);
        }
        let sorted = sort.map(|sort| rollcall_query::sort(sort, sight)).transpose().map_err(refused)?;
        let sees = match sight {
            Sight::Whole => "whole",
            Sight::Card => "card",
        };
        let mut whole =
            vec![sees, q.unwrap_or_default(), filter.unwrap_or_default(), sort.unwrap_or_default()];
        whole.extend_from_slice(binding);
        if sort.is_some() {
            // A token contains the sort keys of its row, which can't be compared with keys of another version.
            whole.push(derived::VERSION);
        }
        let page = PageQuery { limit: query.limit, page_token: query.page_token.clone() };
        let paging = Paging::open(op, &page, &whole)?;
        let total = query.total.map(|kind| match kind {
            TotalKind::Exact => Total::Exact,
            TotalKind::Estimate => Total::Estimate,
        });
        Ok(Self {
            plain: parts.is_empty() && sorted.is_none() && total.is_none(),
            find: Find {
                filter: (!parts.is_empty()).then_some(Filter::All(parts)),
                sort: sorted.unwrap_or(order),
                after: paging.after.clone(),
                ids: Ids::default(),
            },
            total,
            paging,
        })
    }

    /// Marks the list as narrowed by parameters of its own too.
    pub fn narrowed(self, narrowed: bool) -> Self {
        Self { plain: self.plain && !narrowed, ..self }
    }

    /// Runs the query on the connection for it; if that connection fails, runs the whole query once more on a new
    /// one.
    pub async fn fetch<T, Q>(&self, op: &Operation, read: impl Fn(FindConnection) -> Q) -> AppResult<T>
    where
        Q: Future<Output = StoreResult<T>>,
    {
        let once = |conn| read(conn).map(map_timeout);
        if self.plain {
            return op.reading(|conn| once(FindConnection::Shared(conn))).await;
        }
        let search = async || AppResult::Ok(FindConnection::Search(Box::new(op.search().await?)));
        match once(search().await?).await {
            Err(fault) if fault.is_lost() => once(search().await?).await,
            other => other,
        }
    }

    /// Counts, if the caller requested a total.
    pub async fn counted<Q>(&self, count: impl FnOnce(Total) -> Q) -> StoreResult<Option<i64>>
    where
        Q: Future<Output = StoreResult<i64>>,
    {
        match self.total {
            Some(how) => Ok(Some(count(how).await?)),
            None => Ok(None),
        }
    }

    /// Number of rows to load.
    pub fn rows(&self) -> i64 {
        self.paging.rows()
    }

    /// The page with the rows and the total, if one was counted.
    pub fn page<R, T>(
        self,
        rows: Vec<(R, Position)>,
        total: Option<i64>,
        item: impl FnMut(R) -> T,
    ) -> Page<T> {
        let page = self.paging.ordered_page(rows, item);
        Page { total: total.and_then(|total| u64::try_from(total).ok()), ..page }
    }
}

fn written<R: TextRule>(text: &Option<Text<R>>) -> Option<&str> {
    text.as_ref().map(Text::as_str)
}

fn refused(wrong: QueryError) -> Error {
    Error::rejected(error::INVALID_QUERY, wrong.to_string())
}

/// Maps a timeout of a search to an error that the caller can fix.
pub fn map_timeout<T>(result: StoreResult<T>) -> AppResult<T> {
    match result {
        Err(StoreError::TooSlow) => {
            let message =
                "the search exceeds the limit on time or memory; narrow it, or request an estimated total";
            Err(Error::rejected(error::QUERY_TOO_COSTLY, message))
        }
        result => Ok(result?),
    }
}

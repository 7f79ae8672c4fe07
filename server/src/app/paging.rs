//! Pages: one row more than asked for tells whether there is a next one.

use rollcall_api::error;
use rollcall_api::types::{Page, PageQuery};
use uuid::Uuid;

use crate::error::AppResult;
use crate::operation::Operation;

/// A page that is being read.
#[derive(Debug)]
pub struct Paging<'a> {
    operation: &'a Operation,
    binding: Vec<&'a str>,
    size: usize,
    /// The last id of the page before.
    pub after: Option<Uuid>,
}

impl<'a> Paging<'a> {
    /// Opens the token of a query. `binding` is what else must be the same on every page: the list's parent, what the
    /// caller may see.
    pub fn open(operation: &'a Operation, query: &PageQuery, binding: &[&'a str]) -> AppResult<Self> {
        let mut whole = vec![operation.rule.operation];
        whole.extend_from_slice(binding);
        let after = match &query.page_token {
            None => None,
            Some(token) => match operation.app.pages.open(&whole, &token.0) {
                Some(last) => Some(last),
                None => {
                    let message =
                        "page_token: was edited, or belongs to another list; start again without it";
                    return Err(error::INVALID_PAGE_TOKEN.with(message).into());
                }
            },
        };
        let size = query.limit.unwrap_or_default().get() as usize;
        Ok(Self { operation, binding: whole, size, after })
    }

    /// How many rows to ask the database for.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.size + 1).unwrap_or(i64::MAX)
    }

    /// The page out of the rows.
    pub fn page<R, T>(self, mut rows: Vec<R>, id: impl Fn(&R) -> Uuid, item: impl FnMut(R) -> T) -> Page<T> {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let last = rows.last().filter(|_| more).map(id);
        let next_page = last.map(|last| self.operation.app.pages.seal(&self.binding, last));
        Page { items: rows.into_iter().map(item).collect(), next_page }
    }
}

//! Pages: a next page exists if the query returns one row more than the page holds.

use rollcall_api::error;
use rollcall_api::types::{Page, PageQuery};
use rollcall_store::find::Position;
use serde_json::Value;
use uuid::Uuid;

use crate::error::{AppResult, Error};
use crate::operation::Operation;

/// A page request.
#[derive(Debug)]
pub struct Paging<'a> {
    operation: &'a Operation,
    binding: Vec<String>,
    size: usize,
    /// The last row of the previous page.
    pub after: Option<Position>,
}

impl<'a> Paging<'a> {
    /// Opens the token of a query. `binding` must be the same on every page: the list's parent, its filter and order,
    /// the caller's view.
    pub fn open(operation: &'a Operation, query: &PageQuery, binding: &[&str]) -> AppResult<Self> {
        let mut whole = vec![operation.spec.id.to_owned()];
        whole.extend(binding.iter().map(|part| (*part).to_owned()));
        let after = match &query.page_token {
            None => None,
            Some(token) => match operation.app.pages.open(&whole, &token.0).as_deref().and_then(read) {
                Some(last) => Some(last),
                None => {
                    let message =
                        "page_token: was edited, or belongs to another list; start again without it";
                    return Err(Error::rejected(error::INVALID_PAGE_TOKEN, message));
                }
            },
        };
        let size = query.limit.unwrap_or_default().get() as usize;
        Ok(Self { operation, binding: whole, size, after })
    }

    /// The last id of the previous page, for lists ordered by id only.
    pub fn after_id(&self) -> Option<Uuid> {
        self.after.as_ref().map(|position| position.id)
    }

    /// Number of rows to load.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.size + 1).unwrap_or(i64::MAX)
    }

    /// The page with rows that are ordered by id.
    pub fn page<R, T>(self, rows: Vec<R>, id: impl Fn(&R) -> Uuid, item: impl FnMut(R) -> T) -> Page<T> {
        let rows = rows.into_iter().map(|row| {
            let position = Position { keys: Vec::new(), id: id(&row) };
            (row, position)
        });
        self.ordered_page(rows.collect(), item)
    }

    /// The page with rows and their positions.
    pub fn ordered_page<R, T>(self, mut rows: Vec<(R, Position)>, mut item: impl FnMut(R) -> T) -> Page<T> {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let last = rows.last().filter(|_| more).map(|(_, position)| written(position));
        let next_page = last.map(|last| self.operation.app.pages.seal(&self.binding, &last));
        Page { items: rows.into_iter().map(|(row, _)| item(row)).collect(), next_page, total: None }
    }
}

/// Number of bytes of keys up to which a token holds them uncompressed. Compatibility forms can turn one letter into
/// eighteen, so three names can become too long for a token; such keys are repetitive and compress well.
const PLAIN_MAX: usize = 1024;

/// A position as encoded in a token: the id, then the keys, if any.
fn written(position: &Position) -> Vec<u8> {
    let mut bytes = position.id.as_bytes().to_vec();
    if position.keys.is_empty() {
        return bytes;
    }
    let keys = Value::from(position.keys.clone()).to_string().into_bytes();
    if keys.len() > PLAIN_MAX {
        bytes.extend(miniz_oxide::deflate::compress_to_vec_zlib(&keys, 6));
    } else {
        bytes.extend(keys);
    }
    bytes
}

fn read(bytes: &[u8]) -> Option<Position> {
    let (id, keys) = bytes.split_at_checked(16)?;
    let id = Uuid::from_slice(id).ok()?;
    let keys = match keys.first() {
        None => Vec::new(),
        Some(b'[') => serde_json::from_slice(keys).ok()?,
        Some(_) => serde_json::from_slice(&miniz_oxide::inflate::decompress_to_vec_zlib(keys).ok()?).ok()?,
    };
    Some(Position { keys, id })
}

//! Pages: one row more than asked for tells whether there is a next one.

use rollcall_api::error;
use rollcall_api::types::{Page, PageQuery};
use rollcall_store::find::Position;
use serde_json::Value;
use uuid::Uuid;

use crate::error::{AppResult, Error};
use crate::operation::Operation;

/// A page that is being read.
#[derive(Debug)]
pub struct Paging<'a> {
    operation: &'a Operation,
    binding: Vec<String>,
    size: usize,
    /// The last row of the page before.
    pub after: Option<Position>,
}

impl<'a> Paging<'a> {
    /// Opens the token of a query. `binding` is what else must be the same on every page: the list's parent, its filter
    /// and order, what the caller may see.
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

    /// The last id of the page before, for lists that are ordered by nothing else.
    pub fn after_id(&self) -> Option<Uuid> {
        self.after.as_ref().map(|position| position.id)
    }

    /// How many rows to ask the database for.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.size + 1).unwrap_or(i64::MAX)
    }

    /// The page out of rows that are ordered by their ids.
    pub fn page<R, T>(self, rows: Vec<R>, id: impl Fn(&R) -> Uuid, item: impl FnMut(R) -> T) -> Page<T> {
        let rows = rows.into_iter().map(|row| {
            let position = Position { keys: Vec::new(), id: id(&row) };
            (row, position)
        });
        self.ordered_page(rows.collect(), item)
    }

    /// The page out of rows with their positions.
    pub fn ordered_page<R, T>(self, mut rows: Vec<(R, Position)>, mut item: impl FnMut(R) -> T) -> Page<T> {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let last = rows.last().filter(|_| more).map(|(_, position)| written(position));
        let next_page = last.map(|last| self.operation.app.pages.seal(&self.binding, &last));
        Page { items: rows.into_iter().map(|(row, _)| item(row)).collect(), next_page, total: None }
    }
}

/// How many bytes of keys stand in a token as they are. Compatible forms can make eighteen letters of one, so three
/// names can become too long for a token; such keys repeat themselves, and get small.
const PLAIN_MAX: usize = 1024;

/// A position as it stands in a token: the id, then the keys, if there are any.
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

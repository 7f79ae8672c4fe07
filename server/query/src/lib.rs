//! Query languages of lists: search text, SCIM filters, JSON Logic and sort orders, parsed into one typed tree.
//!
//! A front end parses text into a [`syntax::Syntax`], which has positions but no fields; [`check`] looks up every name in the
//! resource's table of fields and returns a [`Filter`]. This crate doesn't know SQL: the store translates the tree, with bound
//! parameters only.

pub mod check;
pub mod error;
pub mod field;
pub mod fields;
pub mod filter;
mod input;
pub mod json_logic;
mod json_text;
pub mod pattern;
pub mod regex;
pub mod scim;
pub mod search;
pub mod sort;
pub mod syntax;

pub use check::Sight;
pub use error::{QueryError, QueryResult};
pub use field::{Field, Fields, Kind};
pub use filter::{Case, Filter, Order, Test, TextTest};
pub use pattern::Pattern;
pub use sort::{Direction, SortKey};

/// Maximum length of `q`, in characters.
pub const SEARCH_MAX: usize = 512;
/// Maximum length of `filter`, in characters: fits 100 ids, and fits into a URL of 64 KiB even if every character takes twelve
/// there.
pub const FILTER_MAX: usize = 4_096;
/// Maximum length of `sort`, in characters.
pub const SORT_MAX: usize = 200;
/// Maximum number of fields in `sort`.
pub const SORT_KEYS_MAX: usize = 3;
/// Maximum number of comparisons in `q` or `filter`.
pub const TERMS_MAX: usize = 50;
/// Maximum number of values in `in (…)`.
pub const VALUES_MAX: usize = 100;
/// Maximum nesting depth of `filter`.
pub const DEPTH_MAX: usize = 16;
/// Maximum length of a regular expression, in characters.
pub const REGEX_MAX: usize = 200;
/// Maximum number of regular expressions in `filter`. Postgres caches 32 compiled ones per connection; with more, it would
/// compile each of them again for every row.
pub const REGEXES_MAX: usize = 8;
/// Maximum length of a regular expression with its counted repetitions expanded, in characters.
pub const REGEX_SIZE_MAX: u32 = regex::SIZE_MAX;
/// Maximum number of its optional parts, expanded in the same way.
pub const REGEX_OPTIONAL_MAX: u32 = regex::OPTIONAL_MAX;

/// Parses `q`, text as typed into a search bar. Text of spaces only matches everything. Fails with the position and what was
/// expected.
pub fn search<F: Fields>(text: &str, sight: Sight) -> QueryResult<Filter<F>> {
    error::check_length("q", text, SEARCH_MAX)?;
    search::parse(text).and_then(|syntax| check::filter(&syntax, sight)).map_err(|error| error.of("q"))
}

/// Parses `filter`: JSON Logic if it starts with `{`, otherwise SCIM filter syntax. Fails with the position and what was expected.
pub fn filter<F: Fields>(text: &str, sight: Sight) -> QueryResult<Filter<F>> {
    error::check_length("filter", text, FILTER_MAX)?;
    let syntax = if text.trim_start().starts_with('{') { json_logic::parse(text) } else { scim::parse(text) };
    syntax.and_then(|syntax| check::filter(&syntax, sight)).map_err(|error| error.of("filter"))
}

/// Parses `sort`: field names separated by commas, with `-` before a descending one. Fails with the position and what was
/// expected.
pub fn sort<F: Fields>(text: &str, sight: Sight) -> QueryResult<Vec<SortKey<F>>> {
    error::check_length("sort", text, SORT_MAX)?;
    sort::parse(text, sight).map_err(|error| error.of("sort"))
}

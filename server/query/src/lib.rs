//! How lists are narrowed and ordered: three languages (the search bar's, SCIM's filters, JSON Logic), one typed tree.
//!
//! A front end turns text into a [`syntax::Syntax`], which knows positions but no fields; [`check`] looks every name up
//! in the resource's table of fields and gives a [`Filter`]. Nothing here knows SQL: the store makes that of it, with
//! bound parameters only.

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

/// How many characters a search may have.
pub const SEARCH_MAX: usize = 512;
/// How many characters a filter may have: room for 100 ids, and for every character written as twelve in a URL, which may have
/// 64 KiB.
pub const FILTER_MAX: usize = 4_096;
/// How many characters a sort may have.
pub const SORT_MAX: usize = 200;
/// How many fields a list may be sorted by.
pub const SORT_KEYS_MAX: usize = 3;
/// How many comparisons a filter or search may have.
pub const TERMS_MAX: usize = 50;
/// How many values `in (…)` may have.
pub const VALUES_MAX: usize = 100;
/// How deep a filter may be nested.
pub const DEPTH_MAX: usize = 16;
/// How many characters a regular expression may have.
pub const REGEX_MAX: usize = 200;
/// How many regular expressions a filter may have. Postgres keeps 32 compiled ones for each connection; a filter with more
/// would have each compiled anew for every row.
pub const REGEXES_MAX: usize = 8;
/// How many characters a regular expression may have once its counted repetitions are written out.
pub const REGEX_SIZE_MAX: u32 = regex::SIZE_MAX;
/// How many of its parts may be optional, written out likewise.
pub const REGEX_OPTIONAL_MAX: u32 = regex::OPTIONAL_MAX;

/// Reads a search: what people type into a search bar. Nothing but spaces finds everything.
pub fn search<F: Fields>(text: &str, sight: Sight) -> QueryResult<Filter<F>> {
    error::fits("q", text, SEARCH_MAX)?;
    search::parse(text).and_then(|syntax| check::filter(&syntax, sight)).map_err(|error| error.of("q"))
}

/// Reads a filter: JSON Logic where it starts with `{`, else SCIM's language.
pub fn filter<F: Fields>(text: &str, sight: Sight) -> QueryResult<Filter<F>> {
    error::fits("filter", text, FILTER_MAX)?;
    let syntax = if text.trim_start().starts_with('{') { json_logic::parse(text) } else { scim::parse(text) };
    syntax.and_then(|syntax| check::filter(&syntax, sight)).map_err(|error| error.of("filter"))
}

/// Reads an order: names separated by commas, `-` before those that descend.
pub fn sort<F: Fields>(text: &str, sight: Sight) -> QueryResult<Vec<SortKey<F>>> {
    error::fits("sort", text, SORT_MAX)?;
    sort::parse(text, sight).map_err(|error| error.of("sort"))
}

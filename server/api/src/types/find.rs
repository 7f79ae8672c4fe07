//! The parameters that narrow and order a list: `q`, `filter`, `sort` and `total`.

use rollcall_query::{FILTER_MAX, SEARCH_MAX, SORT_MAX};
use schemars::JsonSchema;
use serde::Deserialize;

use super::page::{PageLimit, PageToken};
use super::text::{Text, TextRule};

/// The rule of [`SearchText`].
#[derive(Debug)]
pub struct SearchTextRule;

impl TextRule for SearchTextRule {
    const NAME: &'static str = "SearchText";
    const DESCRIPTION: &'static str = "Search text, as typed into a search bar.";
    const MIN: u32 = 0;
    const MAX: u32 = SEARCH_MAX as u32;
    const PARAMETER: Option<&'static str> = Some("q");
    const EXPECTED: &'static str = "";
    const COMPOSED: bool = false;

    fn pattern() -> Option<String> {
        None
    }

    fn accepts(_: &str) -> bool {
        true
    }
}

/// Search text as sent, not yet parsed.
pub type SearchText = Text<SearchTextRule>;

/// The rule of [`FilterText`].
#[derive(Debug)]
pub struct FilterTextRule;

impl TextRule for FilterTextRule {
    const NAME: &'static str = "FilterText";
    const DESCRIPTION: &'static str =
        "A filter expression: SCIM filter syntax, or JSON Logic if it begins with `{`.";
    const MAX: u32 = FILTER_MAX as u32;
    const PARAMETER: Option<&'static str> = Some("filter");
    const EXPECTED: &'static str = "";
    const COMPOSED: bool = false;

    fn pattern() -> Option<String> {
        None
    }

    fn accepts(_: &str) -> bool {
        true
    }
}

/// A filter as sent, not yet parsed.
pub type FilterText = Text<FilterTextRule>;

/// The rule of [`SortText`].
#[derive(Debug)]
pub struct SortTextRule;

impl TextRule for SortTextRule {
    const NAME: &'static str = "SortText";
    const DESCRIPTION: &'static str = "Field names separated by commas, with `-` before a descending one.";
    const MAX: u32 = SORT_MAX as u32;
    const PARAMETER: Option<&'static str> = Some("sort");
    const EXPECTED: &'static str = "";
    const COMPOSED: bool = false;

    fn pattern() -> Option<String> {
        None
    }

    fn accepts(_: &str) -> bool {
        true
    }
}

/// A sort order as sent, not yet parsed.
pub type SortText = Text<SortTextRule>;

/// The way to count the matches of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TotalKind {
    /// Counts the matches: slow in large directories.
    Exact,
    /// The estimate of the database's planner: fast, and may be far off.
    Estimate,
}

/// The parameters of a list that can be filtered and sorted.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Search text, as typed into a search bar: words that must all match, `field:value` with `*` and `?`, and `-` before
    /// terms that must not match.
    #[serde(default)]
    pub q: Option<SearchText>,
    /// A filter expression for programs: SCIM filter syntax (RFC 7644, section 3.4.2.2), or JSON Logic if it begins with
    /// `{`.
    #[serde(default)]
    pub filter: Option<FilterText>,
    /// The sort order: up to three fields separated by commas, with `-` before a descending one. Missing values sort last;
    /// ties are broken by id.
    #[serde(default)]
    pub sort: Option<SortText>,
    /// Include the total number of matches in the response.
    #[serde(default)]
    pub total: Option<TotalKind>,
    /// The maximum number of items on the page: 1 to 200, 50 by default.
    #[serde(default)]
    pub limit: Option<PageLimit>,
    /// The `next_page` value of the previous page. Bound to the operation, its other parameters and what the caller may
    /// see; an edited or foreign token gets a 400.
    #[serde(default)]
    pub page_token: Option<PageToken>,
}

//! What narrows and orders a list: the parameters `q`, `filter`, `sort` and `total`.

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
    const DESCRIPTION: &'static str = "What people type into a search bar.";
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

/// A search, as it was sent.
pub type SearchText = Text<SearchTextRule>;

/// The rule of [`FilterText`].
#[derive(Debug)]
pub struct FilterTextRule;

impl TextRule for FilterTextRule {
    const NAME: &'static str = "FilterText";
    const DESCRIPTION: &'static str = "A filter: SCIM's language, or JSON Logic where it begins with `{`.";
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

/// A filter, as it was sent.
pub type FilterText = Text<FilterTextRule>;

/// The rule of [`SortText`].
#[derive(Debug)]
pub struct SortTextRule;

impl TextRule for SortTextRule {
    const NAME: &'static str = "SortText";
    const DESCRIPTION: &'static str = "Names of fields separated by commas, `-` before those that descend.";
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

/// An order, as it was sent.
pub type SortText = Text<SortTextRule>;

/// How to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TotalKind {
    /// Count them: costs time in large directories.
    Exact,
    /// As many as the database's planner expects: costs nothing, and may be far off.
    Estimate,
}

/// The parameters of a list that can be narrowed and ordered.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// A search, as people type it into a search bar: words that must all be there, `field:value` with `*` and `?`, `-`
    /// for what must not.
    #[serde(default)]
    pub q: Option<SearchText>,
    /// A filter, as programs write it: SCIM's language (RFC 7644, section 3.4.2.2), or JSON Logic where it begins with
    /// `{`.
    #[serde(default)]
    pub filter: Option<FilterText>,
    /// The order: up to three fields separated by commas, `-` before those that descend. What has no value comes last;
    /// the id decides between equals.
    #[serde(default)]
    pub sort: Option<SortText>,
    /// Whether the answer says how many there are in all.
    #[serde(default)]
    pub total: Option<TotalKind>,
    /// How many items the page may have: 1 to 200, 50 by default.
    #[serde(default)]
    pub limit: Option<PageLimit>,
    /// Where to go on: the `next_page` of the page before. Bound to the operation, its other parameters and what the
    /// caller may see; an edited or foreign one is a 400.
    #[serde(default)]
    pub page_token: Option<PageToken>,
}

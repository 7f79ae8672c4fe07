//! Finding users, groups, members and roles: results of each query language, order, pages, and rejected
//! queries.
//!
//! [`fixtures`] has the fixtures; the rest are tables of queries and expected results.

mod bad_queries;
mod costly;
mod cvat;
mod dioptra;
mod field_visibility;
mod fixtures;
mod groups;
mod limits;
mod logto;
mod members;
mod names_in_order;
mod order;
mod page_tokens;
mod posix;
mod roles;
mod scim;
mod totals;
mod words;

use serde::Serialize;
use serde_json::Value;

use rollcall_client::Paged;

use fixtures::Fixtures;

/// Every item of a list, page after page, as JSON.
async fn walk<'a, L>(list: L) -> Vec<Value>
where
    L: Paged<'a>,
    L::Item: Serialize,
{
    let items = list.stream().collect().await.unwrap();
    items.into_iter().map(|item| serde_json::to_value(item).unwrap()).collect()
}

/// One text field of each item.
fn texts(items: &[Value], pointer: &str) -> Vec<String> {
    items
        .iter()
        .map(|item| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned())
        .collect()
}

/// The parameter that a table tests.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Search,
    Filter,
}

/// Collected differences from the expected results, so that a table is read to its end.
#[derive(Debug, Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn unless_equal(&mut self, what: &str, found: &[String], expected: &[String]) {
        if found != expected {
            self.0.push(format!("{what}\n    found    {found:?}\n    expected {expected:?}"));
        }
    }

    #[track_caller]
    fn none(self) {
        assert!(self.0.is_empty(), "{} responses are wrong:\n{}", self.0.len(), self.0.join("\n"));
    }
}

/// Lists users for each row of a table: the query and the expected users (see [`Fixtures::named`]).
async fn table(fixtures: &Fixtures, ask: Ask, rows: &[(&str, &str)]) {
    let mut wrong = Wrong::default();
    for (query, expected) in rows {
        let list = fixtures.admin.user_list().limit(200u32);
        let list = match ask {
            Ask::Search => list.q(*query),
            Ask::Filter => list.filter(*query),
        };
        let found = match list.send().await {
            Ok(page) => page.items.iter().map(|user| fixtures.label(user.id.0)).collect(),
            Err(error) => vec![format!("{error}")],
        };
        wrong.unless_equal(query, &found, &fixtures.named(expected));
    }
    wrong.none();
}

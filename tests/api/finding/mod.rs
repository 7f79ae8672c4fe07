//! Finding people, groups, members and roles: what each language finds, in which order, page by page, and what is refused.
//!
//! [`cast`] has the people; everything else is tables over them: what is asked, who is found.

mod bad_queries;
mod cast;
mod costly;
mod cvat;
mod dioptra;
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
mod sight;
mod totals;
mod words;

use serde::Serialize;
use serde_json::Value;

use rollcall_client::Paged;

use cast::Cast;

/// Every item of a list, page after page, as JSON.
async fn walk<'a, L>(list: L) -> Vec<Value>
where
    L: Paged<'a>,
    L::Item: Serialize,
{
    let items = list.stream().collect().await.unwrap();
    items.into_iter().map(|item| serde_json::to_value(item).unwrap()).collect()
}

/// What one text field of each item says.
fn texts(items: &[Value], pointer: &str) -> Vec<String> {
    items
        .iter()
        .map(|item| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned())
        .collect()
}

/// Which of the three parameters a table is about.
#[derive(Clone, Copy, Debug)]
enum Ask {
    Search,
    Filter,
}

/// What was found other than it should be; a table is read to its end.
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
        assert!(self.0.is_empty(), "{} answers are wrong:\n{}", self.0.len(), self.0.join("\n"));
    }
}

/// Asks for users, row by row of a table: the query, and whom it finds (see [`Cast::named`]).
async fn table(cast: &Cast, ask: Ask, rows: &[(&str, &str)]) {
    let mut wrong = Wrong::default();
    for (query, expected) in rows {
        let list = cast.admin.user_list().limit(200u32);
        let list = match ask {
            Ask::Search => list.q(*query),
            Ask::Filter => list.filter(*query),
        };
        let found = match list.send().await {
            Ok(page) => page.items.iter().map(|user| cast.label(user.id.0)).collect(),
            Err(error) => vec![format!("{error}")],
        };
        wrong.unless_equal(query, &found, &cast.named(expected));
    }
    wrong.none();
}

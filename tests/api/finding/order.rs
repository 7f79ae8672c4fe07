//! The order of lists and the walk over them: for every page size, the same rows in the same order. The
//! expected order is computed here from the responses.

use std::cmp::Ordering;

use chrono::DateTime;
use icu_collator::CollatorBorrowed;
use icu_collator::options::CollatorOptions;
use rollcall_api::types::fold;
use rollcall_client::Paged;
use serde::Serialize;
use serde_json::Value;

use super::{texts, walk};
use crate::support::{Person, TestServer};

/// Users with and without every sortable field, with many duplicates and no unique value.
const PEOPLE: &str = "\
    INSERT INTO users (id, username, username_folded, email, email_folded, phone, name, name_folded, profile, \
        given_name_folded, family_name_folded, suspended, created_via, created_at, updated_at, last_sign_in_at) \
    SELECT gen_random_uuid(), username, username, email, email, phone, name, lower(name), \
        jsonb_strip_nulls(jsonb_build_object('given_name', given, 'family_name', family)), given, family, suspended, \
        'admin', timestamptz '2026-01-01 00:00:00Z' + made * interval '1 microsecond', \
        timestamptz '2026-01-01 00:00:00Z' - changed * interval '1 day', \
        timestamptz '2026-02-01 00:00:00.5Z' + signed_in * interval '1 second' \
    FROM (VALUES \
        ('b',  NULL,             NULL,           'Same', 'x',  'y',  false, 1, 1, 1), \
        ('a',  'a@example.org',  NULL,           'Same', 'x',  'y',  false, 1, 1, 1), \
        (NULL, 'b@example.org',  NULL,           'same', 'x',  'z',  true,  1, 1, NULL), \
        (NULL, 'c@example.org',  NULL,           NULL,   'x',  NULL, true,  2, 1, NULL), \
        (NULL, NULL,             '+4930000001',  NULL,   NULL, NULL, false, 2, 2, 2), \
        (NULL, NULL,             '+4930000002',  NULL,   NULL, NULL, false, 2, 2, 2), \
        (NULL, NULL,             '+4930000003',  NULL,   NULL, 'y',  true,  3, 2, NULL), \
        ('é',  NULL,             NULL,           'Zoë',  'w',  'y',  false, 3, 3, 3), \
        ('z',  'd@example.org',  NULL,           'a b',  'w',  'z',  false, 3, 3, 1), \
        ('a-b', 'e@example.org', NULL,           'a-b',  NULL, 'z',  false, 4, 3, 3), \
        ('a_b', NULL,            NULL,           'a_b',  'x',  NULL, false, 4, 4, NULL), \
        ('ab', 'f@example.org',  NULL,           'ab',   'é',  'é',  false, 4, 4, 2) \
    ) AS people (username, email, phone, name, given, family, suspended, made, changed, signed_in)";

/// Unicode's root collation, the same for all languages.
static COLLATOR: CollatorBorrowed<'static> = CollatorBorrowed::new_root(CollatorOptions::default());

/// The value of a field, in a form in which texts of every kind compare as the values do.
fn key(item: &Value, user: &str, field: &str) -> Option<String> {
    let place = match field {
        "given_name" | "family_name" => format!("{user}/profile/{field}"),
        "joined_at" => "/joined_at".to_owned(),
        _ => format!("{user}/{field}"),
    };
    let value = item.pointer(&place)?;
    match value {
        Value::Null => None,
        Value::Bool(truth) => Some(truth.to_string()),
        Value::String(text) if field.ends_with("_at") => {
            let time = DateTime::parse_from_rfc3339(text).unwrap();
            Some(format!("{:020}", time.timestamp_micros()))
        }
        // Role names are lowercase letters, digits and two symbols: they sort by code points.
        Value::String(text) if field.ends_with("name") && item.get("permissions").is_none() => {
            let mut key = Vec::new();
            let Ok(()) = COLLATOR.write_sort_key_to(&fold(text), &mut key);
            Some(key.iter().map(|byte| format!("{byte:02x}")).collect())
        }
        Value::String(text) => Some(fold(text)),
        other => panic!("{field} is {other}"),
    }
}

/// Missing values come last, in both directions.
fn compare(left: Option<String>, right: Option<String>, descends: bool) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) if descends => right.cmp(&left),
        (Some(left), Some(right)) => left.cmp(&right),
        (left, right) => right.is_some().cmp(&left.is_some()),
    }
}

/// The ids in order. Equal rows are ordered by id in the direction of the last field.
fn ordered(items: &[Value], user: &str, sort: &str) -> Vec<String> {
    let mut keys: Vec<(&str, bool)> = sort
        .split(',')
        .map(|key| key.strip_prefix('-').map_or((key, false), |field| (field, true)))
        .collect();
    let last = keys.last().is_some_and(|(_, descends)| *descends);
    keys.push(("id", last));
    let mut items = items.to_vec();
    items.sort_by(|left, right| {
        keys.iter().fold(Ordering::Equal, |so_far, (field, descends)| {
            so_far.then_with(|| compare(key(left, user, field), key(right, user, field), *descends))
        })
    });
    texts(&items, &format!("{user}/id"))
}

/// A list of one kind: its request, and the location of the id in an item.
struct List<F> {
    ask: F,
    user: &'static str,
    items: Vec<Value>,
    wrong: Vec<String>,
    walks: usize,
}

impl<F> List<F> {
    /// A list without a sort, in the order of the ids.
    async fn new<'a, L>(ask: F, user: &'static str, least: usize) -> Self
    where
        F: Fn(Option<&str>, u32) -> L,
        L: Paged<'a>,
        L::Item: Serialize,
    {
        let items = walk(ask(None, 200)).await;
        let list = Self { ask, user, items, wrong: Vec::new(), walks: 0 };
        assert!(list.items.len() >= least, "{} rows", list.items.len());
        assert_eq!(texts(&list.items, &format!("{user}/id")), ordered(&list.items, user, "id"));
        list
    }

    /// Walks in an order, with pages of each of these sizes.
    async fn check<'a, L>(&mut self, sort: &str, limits: &[u32])
    where
        F: Fn(Option<&str>, u32) -> L,
        L: Paged<'a>,
        L::Item: Serialize,
    {
        let expected = ordered(&self.items, self.user, sort);
        for limit in limits {
            self.walks += 1;
            let found = texts(&walk((self.ask)(Some(sort), *limit)).await, &format!("{}/id", self.user));
            if found != expected {
                let places = |ids: &[String]| {
                    let place = |id: &String| expected.iter().position(|known| known == id);
                    ids.iter()
                        .map(place)
                        .map(|place| place.map_or(-1, |place| place as i64))
                        .collect::<Vec<_>>()
                };
                self.wrong.push(format!("{sort} by {limit}: {:?}", places(&found)));
            }
        }
    }

    #[track_caller]
    fn finish(self, walks: usize) {
        assert!(self.wrong.is_empty(), "{} walks are wrong:\n{}", self.wrong.len(), self.wrong.join("\n"));
        assert_eq!(self.walks, walks);
    }
}

const SIZES: &[u32] = &[1, 2, 3, 200];

/// Fields of users that lists can be sorted by.
const USER_FIELDS: [&str; 10] = [
    "id",
    "username",
    "email",
    "name",
    "given_name",
    "family_name",
    "suspended",
    "created_at",
    "updated_at",
    "last_sign_in_at",
];

async fn populated() -> (TestServer, Person) {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    server.sql(PEOPLE).await;
    // Only the server writes columns derived from names.
    server.sweep().await;
    (server, admin)
}

#[tokio::test]
async fn user_list_sorts_by_each_field() {
    let (_server, admin) = populated().await;
    let ask = |sort: Option<&str>, limit: u32| {
        let list = admin.user_list().limit(limit);
        if let Some(sort) = sort { list.sort(sort) } else { list }
    };
    let mut list = List::new(ask, "", 13).await;
    for field in USER_FIELDS {
        for sort in [field.to_owned(), format!("-{field}")] {
            list.check(&sort, SIZES).await;
        }
    }
    list.finish(2 * 10 * SIZES.len());
}

/// Two and three fields, in all directions; half of the rows have no value for some of them.
#[tokio::test]
async fn user_list_sorts_by_several_fields() {
    let (_server, admin) = populated().await;
    let ask = |sort: Option<&str>, limit: u32| {
        let list = admin.user_list().limit(limit);
        if let Some(sort) = sort { list.sort(sort) } else { list }
    };
    let mut list = List::new(ask, "", 13).await;
    let mut walks = 0;
    for (first, one) in USER_FIELDS.iter().enumerate() {
        for (second, two) in USER_FIELDS.iter().enumerate() {
            if first == second {
                continue;
            }
            // Every pair of fields, every pair of directions, every size.
            let number = first * USER_FIELDS.len() + second;
            let minus = |bit: usize| if number >> bit & 1 == 1 { "-" } else { "" };
            list.check(&format!("{}{one},{}{two}", minus(0), minus(1)), &[1 + (number % 3) as u32]).await;
            list.check(&format!("{}{one},{}{two}", minus(1), minus(2)), &[2]).await;
            // A third field, different from both.
            let third = (0..).map(|step| (first + 2 * second + 3 + step) % 10);
            let third =
                third.into_iter().find(|third| *third != first && *third != second).unwrap_or_default();
            let three = USER_FIELDS[third];
            list.check(&format!("{}{one},{}{two},{}{three}", minus(2), minus(0), minus(1)), &[3]).await;
            walks += 3;
        }
    }
    list.finish(walks);
}

/// A filter does not affect the order, and a page does not affect the filter.
#[tokio::test]
async fn user_list_sorts_filtered_lists() {
    let (_server, admin) = populated().await;
    let ask = |sort: Option<&str>, limit: u32| {
        let list = admin.user_list().limit(limit).filter("suspended eq false").q("-username:ab");
        if let Some(sort) = sort { list.sort(sort) } else { list }
    };
    let mut list = List::new(ask, "", 9).await;
    for sort in
        ["name", "-name", "email,-username", "-last_sign_in_at,name", "given_name,-family_name,username"]
    {
        list.check(sort, SIZES).await;
    }
    list.finish(5 * SIZES.len());
}

/// Callers who see only cards sort by the fields of a card.
#[tokio::test]
async fn user_list_sorts_cards_by_each_visible_field() {
    let (server, _) = populated().await;
    let plain = server.quick_user("plain").await;
    server.sweep().await;
    let ask = |sort: Option<&str>, limit: u32| {
        let list = plain.user_list().limit(limit);
        if let Some(sort) = sort { list.sort(sort) } else { list }
    };
    let mut list = List::new(ask, "", 14).await;
    for sort in ["id", "-id", "username", "-username", "name", "-name", "name,-username", "-name,id"] {
        list.check(sort, SIZES).await;
    }
    list.finish(8 * SIZES.len());
}

#[tokio::test]
async fn group_member_list_sorts_by_each_field() {
    let (server, admin) = populated().await;
    server
        .sql(
            "INSERT INTO group_members (group_id, user_id, joined_at) \
             SELECT groups.id, users.id, users.created_at FROM groups, users \
             WHERE groups.is_default AND users.username IS DISTINCT FROM 'administrator'",
        )
        .await;
    let ask = |sort: Option<&str>, limit: u32| {
        let list = admin.group_member_list().group("@public").limit(limit);
        if let Some(sort) = sort { list.sort(sort) } else { list }
    };
    let mut list = List::new(ask, "/user", 13).await;
    let fields = ["id", "username", "email", "name", "given_name", "family_name", "joined_at"];
    for field in fields {
        for sort in [field.to_owned(), format!("-{field}")] {
            list.check(&sort, SIZES).await;
        }
    }
    for sort in ["joined_at,-username", "-given_name,family_name", "family_name,-joined_at,name"] {
        list.check(sort, SIZES).await;
    }
    list.finish((2 * fields.len() + 3) * SIZES.len());
}

#[tokio::test]
async fn group_list_and_role_list_sort_by_each_field() {
    let (server, admin) = populated().await;
    server
        .sql(
            "INSERT INTO groups (id, slug, name, name_folded, created_at, updated_at) \
             SELECT gen_random_uuid(), slug, name, lower(name), timestamptz '2026-01-01Z' + made * interval '1 second', \
                 timestamptz '2026-01-02Z' - made * interval '1 hour' \
             FROM (VALUES ('ab', 'Same', 1), ('a-b', 'same', 1), ('a', 'Ünder', 2), ('b', 'Same', 2), ('a0', 'zz', 1)) \
                 AS made (slug, name, made); \
             INSERT INTO roles (id, scope, name, created_at, updated_at) \
             SELECT gen_random_uuid(), scope, name, timestamptz '2026-01-01Z' + made * interval '1 second', \
                 timestamptz '2026-01-02Z' - made * interval '1 hour' \
             FROM (VALUES ('ab', 'global', 1), ('a-b', 'global', 1), ('a_b', 'group', 2), ('zz', 'group', 2)) \
                 AS made (name, scope, made)",
        )
        .await;
    server.sweep().await;
    let groups = |sort: Option<&str>, limit: u32| {
        let list = admin.group_list().limit(limit);
        if let Some(sort) = sort { list.sort(sort) } else { list }
    };
    let mut groups = List::new(groups, "", 6).await;
    for sort in ["id", "slug", "name", "created_at", "updated_at"] {
        groups.check(sort, SIZES).await;
        groups.check(&format!("-{sort}"), SIZES).await;
    }
    for sort in ["name,-slug", "-created_at,name", "updated_at,-name,slug"] {
        groups.check(sort, SIZES).await;
    }
    groups.finish(13 * SIZES.len());
    let roles = |sort: Option<&str>, limit: u32| {
        let list = admin.role_list().limit(limit);
        if let Some(sort) = sort { list.sort(sort) } else { list }
    };
    let mut roles = List::new(roles, "", 10).await;
    for sort in ["id", "name", "created_at", "updated_at"] {
        roles.check(sort, SIZES).await;
        roles.check(&format!("-{sort}"), SIZES).await;
    }
    for sort in ["created_at,-name", "-updated_at,name", "name,created_at,updated_at"] {
        roles.check(sort, SIZES).await;
    }
    roles.finish(11 * SIZES.len());
}

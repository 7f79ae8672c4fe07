//! Random filters in both languages, random searches and random orders over users with awkward values: the
//! database must return what a direct implementation of the rules returns. A failure prints its seed;
//! `ROLLCALL_SEED` runs it again.

mod expression;
mod filters;
mod orders;
mod people;
mod rules;
mod searches;

use std::time::{SystemTime, UNIX_EPOCH};

use futures::{StreamExt, stream};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Deserialize;
use serde_json::Value;

use crate::support::{Person, TestServer};
use expression::Expression;
use orders::Order;
use people::Someone;
use rules::Oracle;
use searches::Search;

const FILTERS: usize = 500;
const SEARCHES: usize = 300;
const ORDERS: usize = 60;
/// Maximum nesting of conditions above the comparisons.
const DEPTH: u32 = 3;

/// The directory, and a caller with all permissions.
struct Directory {
    server: TestServer,
    admin: Person,
    people: Vec<Someone>,
    http: reqwest::Client,
}

/// The inspected parts of a page.
#[derive(Deserialize)]
struct Page {
    items: Vec<Item>,
    next_page: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    id: String,
}

impl Directory {
    /// The ids of a list over all pages, or the error message.
    async fn ids(&self, parameter: &str, value: &str) -> Result<Vec<String>, String> {
        let mut ids = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut query = vec![("limit", "200"), (parameter, value)];
            query.extend(token.as_deref().map(|token| ("page_token", token)));
            // Not through the proxy: thousands of requests, whose responses need no validation here.
            let request = self.http.get(format!("http://{}/v1/users", self.server.direct)).query(&query);
            let response = request.bearer_auth(self.admin.token()).send().await.unwrap();
            let status = response.status();
            let body = response.bytes().await.unwrap();
            if !status.is_success() {
                return Err(format!("{status}: {}", String::from_utf8_lossy(&body)));
            }
            let page: Page = serde_json::from_slice(&body).unwrap();
            ids.extend(page.items.into_iter().map(|item| item.id));
            if ids.len() > 2 * self.people.len() {
                return Err("goes round in a circle".to_owned());
            }
            match page.next_page {
                Some(next) => token = Some(next),
                None => return Ok(ids),
            }
        }
    }

    /// The ids of the matching users, in order of creation.
    fn those(&self, passes: impl Fn(&Someone) -> bool) -> Vec<String> {
        self.people
            .iter()
            .filter(|one| passes(one))
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The difference between a list and the expected one.
    async fn difference(&self, parameter: &str, value: &str, expected: &[String]) -> Option<String> {
        let found = match self.ids(parameter, value).await {
            Ok(found) if found == expected => return None,
            Ok(found) => found,
            Err(error) => return Some(format!("{parameter}={value}\n    {error}")),
        };
        let who = |ids: &[String], others: &[String]| {
            let mut who = ids.iter().filter(|id| !others.contains(id));
            let first = who.next().and_then(|id| self.people.iter().find(|person| person["id"] == **id));
            format!(
                "{} too many, as {}",
                ids.len().saturating_sub(others.len()),
                first.map_or_else(String::new, ToString::to_string)
            )
        };
        Some(format!(
            "{parameter}={value}\n    found {} of {}; found: {}\n    missed: {}",
            found.len(),
            expected.len(),
            who(&found, expected),
            who(expected, &found),
        ))
    }
}

fn seed() -> u64 {
    match std::env::var("ROLLCALL_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => u64::from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos()),
    }
}

#[expect(clippy::print_stdout, reason = "a failure can be reproduced with it")]
async fn directory() -> (Directory, StdRng) {
    let seed = seed();
    println!("ROLLCALL_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let people = people::make(&server, &admin, &mut random).await;
    (Directory { server, admin, people, http: reqwest::Client::new() }, random)
}

/// Checks many cases concurrently, and fails with the smallest one that shows the failure.
async fn check_all<T: Clone, F: Future<Output = Option<String>>>(
    cases: Vec<T>,
    smaller: impl Fn(&T) -> Vec<T>,
    difference: impl Fn(T) -> F,
) {
    let difference = &difference;
    let checks = stream::iter(cases).map(|case| async { (difference(case.clone()).await, case) });
    let mut wrong = std::pin::pin!(checks.buffered(4).filter_map(async |(found, case)| Some((case, found?))));
    let Some((mut case, mut found)) = wrong.next().await else { return };
    'again: loop {
        for candidate in smaller(&case) {
            if let Some(still) = difference(candidate.clone()).await {
                (case, found) = (candidate, still);
                continue 'again;
            }
        }
        panic!("{found}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_list_filters_in_scim_match_the_rules() {
    let (directory, mut random) = directory().await;
    let cases = (0..FILTERS).map(|_| filters::random(&mut random, &directory.people, DEPTH)).collect();
    check_all(cases, Expression::smaller, async |filter: Expression| {
        let expected = directory.those(|person| filter.finds(person));
        directory.difference("filter", &filter.scim(), &expected).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_list_filters_in_json_logic_match_an_interpreter() {
    let (directory, mut random) = directory().await;
    let oracle = Oracle::new(&directory.people);
    let cases = (0..FILTERS).map(|_| rules::random(&mut random, &directory.people, DEPTH));
    let cases: Vec<_> = cases.map(|rule| (oracle.finds(&rule), rule)).collect();
    let smaller = |(_, rule): &(Vec<String>, Value)| {
        rules::smaller(rule).into_iter().map(|rule| (oracle.finds(&rule), rule)).collect()
    };
    check_all(cases, smaller, async |(expected, rule): (Vec<String>, Value)| {
        directory.difference("filter", &rule.to_string(), &expected).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_list_searches_and_orders_match_the_rules() {
    let (directory, mut random) = directory().await;
    let cases = (0..SEARCHES).map(|_| Search::random(&mut random, &directory.people)).collect();
    check_all(cases, Search::smaller, async |search: Search| {
        let expected = directory.those(|person| search.finds(person));
        directory.difference("q", &search.written(), &expected).await
    })
    .await;
    let mut people = directory.people.clone();
    for _ in 0..ORDERS {
        let order = Order::random(&mut random);
        people.sort_by(|one, other| order.compare(one, other));
        let expected: Vec<&str> = people.iter().map(|one| one["id"].as_str().unwrap()).collect();
        let found = directory.ids("sort", &order.written()).await.unwrap();
        let place = found.iter().zip(&expected).position(|(found, expected)| found != expected);
        assert!(place.is_none() && found.len() == expected.len(), "sort={}: at {place:?}", order.written());
    }
}

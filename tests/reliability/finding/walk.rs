//! Lists walked during concurrent creations, renames, suspensions and deletions: unchanged users are seen
//! exactly once, in every order.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::{join, join_all};
use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Person, TestServer};

/// Number of users that stay unchanged.
const STABLE: usize = 90;
/// Number of users that the writers start with.
const OTHERS: usize = 60;
const WRITERS: usize = 3;
/// Duration of the walks.
const TIME: Duration = Duration::from_secs(5);
/// None of the numbers above is a multiple of seven, so that pages end at different positions.
const PAGE: &str = "limit=7";

const WALKS: &[&str] = &[
    "",
    "sort=name",
    "sort=-name",
    "sort=-created_at",
    "sort=username",
    "sort=-username",
    "sort=suspended,name",
    "sort=-suspended,-name,email",
    "sort=family_name,-name",
    "sort=-updated_at",
    "filter=suspended%20eq%20false",
    "sort=-name&filter=not%20(phone%20pr)",
    "sort=email&q=example",
];

/// A caller with all permissions.
struct Asker {
    server: TestServer,
    admin: Person,
    http: reqwest::Client,
}

impl Asker {
    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        // Not through the proxy, which would slow down both sides.
        let url = format!("http://{}/v1/users{path}", self.server.direct);
        self.http.request(method, url).bearer_auth(self.admin.token())
    }

    /// All users on a list's pages, in order.
    async fn walk(&self, query: &str) -> Vec<String> {
        let first = format!("?{PAGE}&{query}");
        let mut path = first.clone();
        let mut ids = Vec::new();
        loop {
            let response = Answer::of(self.request(Method::GET, &path)).await;
            assert_eq!(response.code(), 200, "{query}: {}", response.message());
            let page = response.json();
            ids.extend(page["items"].as_array().unwrap().iter().map(id));
            assert!(ids.len() < 10_000, "{query}: goes round in a circle");
            let Some(token) = page["next_page"].as_str() else { return ids };
            path = format!("{first}&page_token={token}");
        }
    }
}

/// A writer that changes the directory.
struct Writer<'a> {
    asker: &'a Asker,
    ids: Vec<String>,
    number: usize,
    written: &'a AtomicUsize,
}

impl Writer<'_> {
    async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let response = Answer::of(self.asker.request(method, path).json(&body)).await;
        assert!(response.status.is_success(), "{path}: {}: {}", response.status, response.message());
        self.written.fetch_add(1, Ordering::Relaxed);
        response
    }

    async fn make(&mut self, who: usize) {
        let response = self.call(Method::POST, "", someone(who, "w")).await;
        self.ids.push(id(&response.json()));
    }

    /// One change after the other, in turn.
    async fn write(&mut self, round: usize, number: usize) {
        let place = round * 31 % self.ids.len();
        let path = format!("/{}", self.ids[place]);
        match round % 6 {
            0 => self.make(1_000 + round * WRITERS + number).await,
            1 => drop(self.call(Method::PATCH, &path, json!({ "name": name(round * 7) })).await),
            2 => {
                let username = format!("{}r{round}x{number}", letter(round * 11));
                drop(self.call(Method::PATCH, &path, json!({ "username": username })).await);
            }
            3 => drop(self.call(Method::POST, &format!("{path}/suspend"), json!({})).await),
            4 => drop(self.call(Method::POST, &format!("{path}/reactivate"), json!({})).await),
            _ => {
                drop(self.call(Method::DELETE, &path, Value::Null).await);
                self.ids.swap_remove(place);
                self.make(100_000 + round * WRITERS + number).await;
            }
        }
    }
}

fn letter(number: usize) -> char {
    char::from(b"azmbykxcnd"[number % 10])
}

/// Every third user has no name; many share a name.
fn name(number: usize) -> Option<String> {
    (!number.is_multiple_of(3)).then(|| format!("{} Same", letter(number / 3 % 5)))
}

fn someone(number: usize, kind: &str) -> Value {
    let mut body = json!({
        "username": format!("{}{kind}{number}", letter(number)),
        "name": name(number),
        "profile": { "family_name": name(number / 2) },
    });
    if number.is_multiple_of(2) {
        body["email"] = json!(format!("{}{kind}{number}@example.org", letter(number / 2)));
    }
    body
}

fn id(item: &Value) -> String {
    item["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn user_list_walks_show_unchanged_users_once_among_concurrent_changes() {
    let server = TestServer::start().await;
    let asker = Asker { admin: server.admin().await, server, http: reqwest::Client::new() };
    let written = AtomicUsize::new(0);
    let new_writer = |number| Writer { asker: &asker, ids: Vec::new(), number, written: &written };
    // The unchanged users are spread among the others, by id and in every order.
    let mut stable = new_writer(0);
    let mut writers: Vec<Writer<'_>> = (0..WRITERS).map(new_writer).collect();
    for number in 0..STABLE.max(OTHERS) {
        if number < STABLE {
            stable.make(number).await;
        }
        if number < OTHERS {
            writers[number % WRITERS].make(number + 500).await;
        }
    }
    for id in stable.ids.iter().step_by(11) {
        stable.call(Method::POST, &format!("/{id}/suspend"), json!({})).await;
    }
    // The users that each walk shows without writers: those it must show exactly once later.
    let mut expected = HashMap::new();
    for query in WALKS {
        let mut ids = asker.walk(query).await;
        ids.retain(|id| stable.ids.contains(id));
        let distinct: HashSet<&String> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "{query}: somebody is there twice");
        let all = !query.contains("suspended%20eq") && !query.contains("q=");
        assert!(if all { ids.len() == STABLE } else { ids.len() > STABLE / 3 }, "{query}: {}", ids.len());
        expected.insert(*query, ids);
    }

    let done = AtomicBool::new(false);
    let before = written.load(Ordering::Relaxed);
    let writing = join_all(writers.iter_mut().map(async |writer| {
        for round in 0.. {
            if done.load(Ordering::Relaxed) {
                return;
            }
            writer.write(round, writer.number).await;
        }
    }));
    let walking = async {
        let begun = Instant::now();
        let (mut rounds, mut wrong) = (0, Vec::new());
        while begun.elapsed() < TIME || rounds < 2 {
            rounds += 1;
            for query in WALKS {
                let seen = asker.walk(query).await;
                let stayed: Vec<&String> = seen.iter().filter(|id| stable.ids.contains(id)).collect();
                let expected: Vec<&String> = expected[query].iter().collect();
                if stayed != expected {
                    let missed = expected.iter().filter(|id| !stayed.contains(id)).count();
                    wrong.push(format!(
                        "{query}: {} seen, {} expected, {missed} missed",
                        stayed.len(),
                        expected.len()
                    ));
                }
                // No user's position changes in these two orders.
                let distinct: HashSet<&String> = seen.iter().collect();
                if ["", "sort=-created_at"].contains(query) && distinct.len() < seen.len() {
                    wrong.push(format!("{query}: {} are there twice", seen.len() - distinct.len()));
                }
            }
        }
        done.store(true, Ordering::Relaxed);
        (rounds, wrong)
    };
    let (_, (rounds, wrong)) = join(writing, walking).await;
    let writes = written.load(Ordering::Relaxed) - before;
    assert!(wrong.is_empty(), "in {rounds} rounds with {writes} writes:\n{}", wrong.join("\n"));
    assert!(writes > rounds * WALKS.len(), "only {writes} writes during {rounds} rounds");
}

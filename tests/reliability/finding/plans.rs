//! A million users: no filter and no sort reads the whole table, page 1 and page 10,000 cost the same, and
//! rare values are found at once.

use std::time::{Duration, Instant};

use http::StatusCode;
use rollcall_embedded_postgres::{EmbeddedPostgres, Options};
use rollcall_query::Fields;
use rollcall_query::fields::UserField;
use rollcall_server::commands;
use serde_json::Value;
use slog::{Discard, Logger, o};

use super::cases;
use super::explained::Explained;
use crate::support::TestServer;
use crate::support::cluster::{Database, prepare, temporary_folder};

/// Time limit of a request that an index serves: generous, because the test also runs on busy machines.
const AT_ONCE: Duration = Duration::from_secs(1);
/// Time limit of a request that may read many rows.
const WALK: Duration = Duration::from_secs(6);

/// Users in the middle of the list, three with values and three without, inserted before the others: a page
/// token at the second of them points deep into the list once the others are there.
const MARKERS: &str = "INSERT INTO users (id, username, username_folded, email, email_folded, phone, name, name_folded,
    profile, given_name_folded, family_name_folded, created_via, created_at, updated_at, last_sign_in_at, sort_keys)
SELECT
    ('01941f29-7c00-7000-8000-00000000000' || n)::uuid, 'karl.m' || n, 'karl.m' || n, '80karl' || n || '@mail.example',
    '80karl' || n || '@mail.example', NULL, 'Karl M' || n, 'karl m' || n,
    jsonb_build_object('given_name', 'Karl' || n, 'family_name', 'Mühl' || n), 'karl' || n, 'mühl' || n, 'registration',
    timestamptz '2025-01-01 00:00Z' + n * interval '1 second', timestamptz '2025-01-01 00:00Z' + n * interval '1 second',
    timestamptz '2025-01-01 00:00Z' + n * interval '1 second',
    ARRAY[
        convert_to('karl.m' || n, 'UTF8'), convert_to('karl m' || n, 'UTF8'), convert_to('karl' || n, 'UTF8'),
        convert_to('mühl' || n, 'UTF8')
    ]
FROM generate_series(1, 3) AS n
UNION ALL
SELECT
    ('01941f29-7c00-7000-8000-00000000001' || n)::uuid, NULL, NULL, NULL, NULL, '+1555000000' || n, NULL, NULL, '{}', NULL,
    NULL, 'registration', timestamptz '2025-01-01 00:01Z' + n * interval '1 second',
    timestamptz '2025-01-01 00:01Z' + n * interval '1 second', NULL, NULL
FROM generate_series(1, 3) AS n";
const WITH_VALUES: &str = "01941f29-7c00-7000-8000-000000000002";
const WITHOUT: &str = "01941f29-7c00-7000-8000-000000000012";

/// Drops the indexes before the others are inserted, so that the server builds them afterwards, as for a
/// directory that grew before it had searches.
const DROP_INDEXES: &str = "DO $$ DECLARE name regclass; BEGIN
    FOR name IN SELECT indexrelid FROM pg_index WHERE indrelid = 'users'::regclass AND NOT indisunique LOOP
        EXECUTE 'DROP INDEX ' || name;
    END LOOP;
END $$";

/// A caller that lists users.
struct Asker<'a> {
    server: &'a TestServer,
    http: reqwest::Client,
    token: String,
}

impl Asker<'_> {
    async fn list(&self, query: &[(&str, &str)]) -> (StatusCode, Value) {
        let url = format!("http://{}/v1/users", self.server.direct);
        let response = self.http.get(url).bearer_auth(&self.token).query(query).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// The token of the page that starts after a user.
    async fn token_behind(&self, id: &str, sort: &str) -> String {
        let mut token = String::new();
        loop {
            let mut query = vec![("sort", sort), ("limit", "1")];
            if !token.is_empty() {
                query.push(("page_token", &token));
            }
            let (_, page) = self.list(&query).await;
            token =
                page["next_page"].as_str().unwrap_or_else(|| panic!("{sort}: {id} is the last")).to_owned();
            if page["items"][0]["id"] == id {
                return token;
            }
        }
    }
}

/// A request, a flag that permits it to read many rows, and its label in the table.
struct Request {
    name: String,
    query: Vec<(&'static str, String)>,
    walks: bool,
}

/// All orders: every field in both directions, and some of several fields.
fn sorts() -> Vec<String> {
    let names = UserField::TABLE.iter().filter(|field| field.sorted).map(|field| field.name);
    let one = names.flat_map(|name| [name.to_owned(), format!("-{name}")]);
    let several = [
        "-created_at,username",
        "family_name,given_name",
        "-family_name,given_name,-created_at",
        "suspended,name",
        "-suspended,-created_at",
        "-last_sign_in_at,name",
    ];
    one.chain(several.map(str::to_owned)).collect()
}

const SEARCHES: &[&str] = &[
    "berg",
    "zuleika",
    "qqqq",
    "ada",
    "mail.example",
    "rare.example",
    "ada berg",
    "zuleika berg",
    "al",
    "q",
    "1",
    "zu",
    "z",
    "li zu",
    "zuleika be",
    "strom",
    "z?leika roles:rare",
    "email:*@rare.example",
    "username:*9?9",
    "name:zuleika*",
    "name:*ski",
    "given_name:a?a",
    "username:*qj",
    "roles:rare",
    "groups:tiny",
    "custom_data.plan:enterprise",
    "-zuleika",
    "berg -suspended:true",
];

/// Rare values in an unrelated order: the matches must be sorted, not searched for in that order.
const BOTH: &[(&str, &str)] = &[
    ("custom_data.rare eq \"one\"", "-name"),
    ("custom_data.plan eq \"enterprise\"", "name"),
    ("roles eq \"rare\"", "name"),
    ("roles eq \"support\"", "-family_name"),
    ("groups eq \"qa\"", "name"),
    ("groups[slug eq \"tiny\" and role eq \"maintainer\"]", "-created_at"),
    ("suspended eq true", "name"),
    ("email ew \"@rare.example\"", "-last_sign_in_at"),
    ("created_via eq \"bootstrap\"", "username"),
    ("not (has_password eq true) and suspended eq true", "-updated_at"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "loads a million users, which takes minutes: .ci/run has a step for it"]
async fn user_list_never_reads_the_whole_table() {
    let folder = temporary_folder();
    let options = Options { fsync: false, ..Options::new(folder.path()) };
    let log = Logger::root(Discard, o!());
    let postgres = tokio::task::block_in_place(|| EmbeddedPostgres::start(&options, &log).unwrap());
    let url = postgres.url();
    prepare(&url).await;
    let database = Database::at(&url);
    let db = database.connect().await;
    let mut explained = Explained::begin(&db).await;
    db.batch_execute(MARKERS).await.unwrap();
    let server = TestServer::builder().database(&url).start().await;
    let token = server.admin().await.token();
    let asker = Asker { server: &server, http: reqwest::Client::new(), token };

    let mut requests: Vec<Request> = Vec::new();
    for sort in sorts() {
        let query = vec![("sort", sort.clone())];
        requests.push(Request { name: format!("sort={sort}"), query, walks: false });
        for (place, id) in [("deep", WITH_VALUES), ("deep, without a value", WITHOUT)] {
            let token = asker.token_behind(id, &sort).await;
            let query = vec![("sort", sort.clone()), ("page_token", token)];
            requests.push(Request { name: format!("sort={sort} ({place})"), query, walks: false });
        }
    }
    for case in cases::all() {
        let query = vec![("filter", case.filter.clone())];
        requests.push(Request { name: format!("filter={}", case.filter), query, walks: case.walks });
    }
    for search in SEARCHES {
        let query = vec![("q", (*search).to_owned())];
        requests.push(Request { name: format!("q={search}"), query, walks: false });
    }
    for (filter, sort) in BOTH {
        let query = vec![("filter", (*filter).to_owned()), ("sort", (*sort).to_owned())];
        requests.push(Request { name: format!("filter={filter}&sort={sort}"), query, walks: false });
    }
    for total in ["exact", "estimate"] {
        let query = vec![("total", total.to_owned())];
        requests.push(Request { name: format!("total={total}"), query, walks: false });
    }

    let begun = Instant::now();
    db.batch_execute("SET maintenance_work_mem = '512MB'").await.unwrap();
    db.batch_execute(DROP_INDEXES).await.unwrap();
    db.batch_execute(include_str!("million.sql")).await.unwrap();
    println!("loaded after {:?}", begun.elapsed());
    commands::migrate(&database.config(), &database.source(), &log).await.unwrap();
    println!("indexes after {:?}", begun.elapsed());
    for table in ["users", "user_roles", "group_members", "group_member_roles"] {
        db.batch_execute(&format!("VACUUM ANALYZE {table}")).await.unwrap();
    }
    println!("ready after {:?}", begun.elapsed());
    let users: i64 = db.query_one("SELECT count(*) FROM users", &[]).await.unwrap().get(0);
    assert!(users > 1_000_000);

    let mut wrong = Vec::new();
    explained.take();
    for request in &requests {
        let query: Vec<(&str, &str)> =
            request.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let begun = Instant::now();
        let (status, page) = asker.list(&query).await;
        let elapsed = begun.elapsed();
        let plans = explained.take();
        let plans: Vec<_> = plans.iter().filter(|plan| plan.query.contains("\"user_records\"")).collect();
        let reads: Vec<String> = plans.iter().map(|plan| plan.reads.join(" < ")).collect();
        println!(
            "{:>6.1} ms  {}\n{:>14}{}",
            elapsed.as_secs_f64() * 1e3,
            request.name,
            "",
            reads.join("\n              ")
        );
        if status != StatusCode::OK {
            wrong.push(format!("{}: {status}: {}", request.name, page["message"]));
        }
        if plans.is_empty() {
            wrong.push(format!("{}: no statement was seen", request.name));
        }
        if reads.iter().any(|reads| reads.contains("Seq Scan on users")) {
            wrong.push(format!("{}: reads the whole table: {}", request.name, reads.join("; ")));
        }
        if elapsed > if request.walks { WALK } else { AT_ONCE } {
            wrong.push(format!("{}: took {elapsed:?}: {}", request.name, reads.join("; ")));
        }
    }
    println!("done after {:?}", begun.elapsed());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

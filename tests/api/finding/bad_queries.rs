//! Invalid queries: a 400 with the position, the expectation and the allowed values, in short time for any
//! input.

use std::time::{Duration, Instant};

use http::Method;
use rollcall_client::error_code;

use crate::support::{Answer, Person, TestServer};

/// Upper limit for the time of a rejection.
const SOON: Duration = Duration::from_secs(1);

/// Sends invalid queries and collects wrong responses.
pub(super) struct Bench {
    pub(super) server: TestServer,
    pub(super) admin: Person,
    wrong: Vec<String>,
}

impl Bench {
    pub(super) async fn new() -> Self {
        let server = TestServer::start().await;
        Self { admin: server.admin().await, server, wrong: Vec::new() }
    }

    pub(super) async fn ask(&self, path: &str, parameter: &str, value: &str) -> Answer {
        // A busy machine may be late once.
        for attempt in 0.. {
            let begun = Instant::now();
            let request = self.server.request(Method::GET, path).query(&[(parameter, value)]);
            let response = Answer::of(request.bearer_auth(self.admin.token())).await;
            if begun.elapsed() < SOON || attempt == 2 {
                assert!(begun.elapsed() < SOON, "{path} {parameter} took {:?}", begun.elapsed());
                return response;
            }
        }
        unreachable!()
    }

    /// The query is rejected at this character, counted from 1, with a message that contains these words.
    pub(super) async fn refused(
        &mut self,
        path: &str,
        parameter: &str,
        value: &str,
        place: Option<usize>,
        words: &[&str],
    ) {
        let response = self.ask(path, parameter, value).await;
        let message = response.message();
        let start = match place {
            Some(place) => format!("{parameter}: at character {place}: "),
            None => format!("{parameter}: "),
        };
        let fits = message.starts_with(&start)
            && (place.is_some() || !message.contains("at character"))
            && words.iter().all(|word| message.contains(word));
        if (response.code(), response.error_code().as_str()) != (400, error_code::INVALID_QUERY) || !fits {
            let shown: String = value.chars().take(80).collect();
            self.wrong.push(format!(
                "{path}?{parameter}={shown}\n    {} {} {message}\n    expected {start}… {words:?}",
                response.code(),
                response.error_code()
            ));
        }
    }

    #[track_caller]
    pub(super) fn finish(self) {
        assert!(
            self.wrong.is_empty(),
            "{} responses are wrong:\n{}",
            self.wrong.len(),
            self.wrong.join("\n")
        );
    }
}

pub(super) const USERS: &str = "/v1/users";
pub(super) const ALLOWED: &str = "allowed: id, username, email, phone, name, given_name, family_name, suspended, has_password, \
    roles, groups, created_via, created_at, updated_at, last_sign_in_at, custom_data, profile";

/// One row: the query, the position of the error, words of the message.
type Row<'a> = (&'a str, Option<usize>, &'a [&'a str]);

async fn table(parameter: &str, rows: &[Row<'_>]) {
    let mut bench = Bench::new().await;
    for (value, place, words) in rows {
        bench.refused(USERS, parameter, value, *place, words).await;
    }
    bench.finish();
}

#[tokio::test]
async fn user_list_rejects_invalid_searches() {
    let rows: [Row<'_>; 29] = [
        ("ada,", Some(5), &["expected a word"]),
        (",ada", Some(1), &["expected a word"]),
        ("ada,,bob", Some(5), &["expected a word"]),
        ("username:", Some(10), &["expected a value behind the colon"]),
        ("username: , ada", Some(11), &["expected a value behind the colon"]),
        ("\"\"", Some(1), &["expected something between the quotes"]),
        ("ada ''", Some(5), &["expected something between the quotes"]),
        ("\"ada", Some(1), &["expected a quote that ends this phrase"]),
        ("José 'ada", Some(6), &["expected a quote that ends this phrase"]),
        ("\"ada\"b", Some(6), &["expected a space or a comma"]),
        ("a\\q", Some(2), &["behind the backslash"]),
        ("ada\\", Some(4), &["behind the backslash"]),
        ("--ada", Some(2), &["expected a word"]),
        ("- ada", Some(2), &["expected a word"]),
        ("-", Some(2), &["expected a word"]),
        (":ada", Some(1), &["expected a word"]),
        ("color:red", Some(1), &["there is no field \"color\"", ALLOWED]),
        ("ada a:b:c", Some(5), &["there is no field \"a\"", ALLOWED]),
        ("password:ada", Some(1), &["there is no field", ALLOWED]),
        ("username.first:ada", Some(1), &["username has no parts"]),
        ("custom_data:pro", Some(1), &["custom_data.plan"]),
        ("custom_data.:pro", Some(1), &["a name behind every dot"]),
        ("custom_data.plan:p*", Some(18), &["custom_data takes no wildcards but a single *"]),
        ("suspended:maybe", Some(11), &["true or false"]),
        ("suspended:t*", Some(11), &["suspended takes no wildcards but a single *"]),
        ("created_at:yesterday", Some(12), &["RFC 3339"]),
        ("id:7", Some(4), &["an id (a UUID)"]),
        ("José created_at:2026", Some(17), &["RFC 3339"]),
        ("roles:edit*", Some(7), &["roles takes no wildcards but a single *"]),
    ];
    table("q", &rows).await;
}

#[tokio::test]
async fn user_list_rejects_invalid_filters() {
    let operators = "expected an operator: eq, ne, co, sw, ew, gt, ge, lt, le, in, matches, pr";
    let rows = [
        (" ", Some(2), &["expected the name of a field, not or ("] as &[&str]),
        ("username", Some(9), &[operators]),
        ("username is \"ada\"", Some(10), &[operators]),
        ("username eq", Some(12), &["expected a value", "true, false or null"]),
        ("username eq ada", Some(13), &["expected a value"]),
        ("username eq 'ada'", Some(13), &["expected a value"]),
        ("username eq \"ada", Some(13), &["expected a quote that ends this text"]),
        ("username eq \"a\\qa\"", Some(16), &["escape"]),
        ("username eq \"\\ud800\"", Some(20), &["hex escape"]),
        ("username eq \"ada\" username pr", Some(19), &["expected and, or or the end"]),
        ("username eq \"ada\" and", Some(22), &["expected the name of a field"]),
        ("username eq \"ada\" and or name pr", Some(23), &["expected the name of a field"]),
        ("(username pr", Some(13), &["expected and, or or )"]),
        ("username pr)", Some(12), &["expected and, or or the end"]),
        ("()", Some(2), &["expected the name of a field"]),
        ("not", Some(4), &["expected the name of a field"]),
        ("José eq \"x\"", Some(4), &[]),
        ("color eq \"red\"", Some(1), &["there is no field \"color\"", ALLOWED]),
        ("name eq \"José\" and color pr", Some(20), &["there is no field \"color\"", ALLOWED]),
        ("password_hash pr", Some(1), &["there is no field", ALLOWED]),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"J\"", Some(4), &[operators]),
        ("username eq 7", Some(13), &["username is compared with a text in quotes"]),
        ("username eq true", Some(13), &["a text in quotes"]),
        ("suspended eq \"true\"", Some(14), &["suspended is compared with true or false"]),
        ("suspended eq 1", Some(14), &["true or false"]),
        ("suspended co \"t\"", Some(11), &["suspended takes eq, ne, pr"]),
        ("suspended gt false", Some(11), &["suspended takes eq, ne, pr"]),
        ("created_at co \"2026\"", Some(12), &["created_at takes eq, ne, gt, ge, lt, le, in, pr"]),
        ("created_at gt \"yesterday\"", Some(15), &["RFC 3339", "2026-01-31T12:00:00Z"]),
        ("created_at gt \"2026-01\"", Some(15), &["RFC 3339"]),
        ("created_at gt \"2026-02-30T00:00:00Z\"", Some(15), &["RFC 3339"]),
        ("created_at gt 1767225600", Some(15), &["RFC 3339"]),
        ("id eq \"7\"", Some(7), &["an id (a UUID) in quotes"]),
        ("id in (\"7\")", Some(8), &["an id (a UUID) in quotes"]),
        ("id sw \"01\"", Some(4), &["id takes"]),
        ("roles co \"edit\"", Some(7), &["roles takes eq, ne, in, pr"]),
        ("roles[name eq \"editor\"]", Some(1), &["roles is no list of groups"]),
        ("groups[name eq \"qa\"]", Some(8), &["there is no field \"name\"", "allowed: slug, role"]),
        ("groups[slug eq \"qa\"", Some(20), &["expected and, or or ]"]),
        ("groups[]", Some(8), &["expected the name of a field"]),
        ("groups.color eq \"qa\"", Some(1), &["there is no field \"color\"", "allowed: slug, role"]),
        ("custom_data eq \"pro\"", Some(1), &["name what is in custom_data"]),
        ("custom_data.plan co \"pro\"", Some(18), &["custom_data takes eq, ne, in, pr"]),
        ("custom_data.plan gt 1", Some(18), &["custom_data takes"]),
        ("custom_data. eq 1", Some(13), &["expected a name or a text in double quotes"]),
        ("custom_data.plan in (\"a\", null)", Some(27), &["null can't be in a list"]),
        ("custom_data.seats eq 01", Some(22), &["expected a value"]),
        ("custom_data.seats eq 1e999", Some(22), &["expected a value"]),
        ("username.first eq \"ada\"", Some(1), &["username has no parts"]),
        ("username in \"ada\"", Some(13), &["expected ( and values"]),
        ("username in ()", Some(14), &["expected a value"]),
        ("username in (\"ada\"", Some(19), &["expected a comma or )"]),
        ("username matches ada", Some(18), &["expected a regular expression"]),
        ("username matches \"(\"", Some(18), &["in the regular expression, character 1", "unclosed group"]),
        ("username matches \"ab[\"", Some(18), &["in the regular expression, character 3", "unclosed"]),
        ("username matches \"a**\"", Some(18), &["character 3", "a repetition can't be repeated"]),
        ("username matches \"(?=a)\"", Some(18), &["character 1", "look-around"]),
        ("username matches \"(a)\\\\1\"", Some(18), &["character 4", "backreferences"]),
        ("username matches \"a{1000}\"", Some(18), &["255"]),
        ("username matches \"((a{50}){50})\"", Some(18), &["too costly"]),
        // Postgres rejects the first one as too complex, and compiles the next for longer than a search may
        // take.
        ("username matches \"(\\\\w?\\\\d?[^a]?b){255}\"", Some(18), &["too costly", "1020 characters"]),
        ("username matches \"((a?){0,30}){0,30}\"", Some(18), &["too costly", "931 optional parts"]),
        ("username matches \"\\\\bada\"", Some(18), &["^ and $"]),
        ("username matches \"\"", Some(18), &["expected something to match"]),
        ("suspended matches \"t\"", Some(11), &["suspended takes"]),
    ];
    table("filter", &rows).await;
}

#[tokio::test]
async fn user_list_rejects_invalid_json_logic() {
    let operators = "allowed: and, or, !, !!, var, ==, ===, !=, !==, <, <=, >, >=, in";
    let rows = [
        ("{", Some(2), &["EOF"] as &[&str]),
        ("{\"==\":[{\"var\":\"username\"},\"José\"]", Some(34), &["EOF"]),
        ("{\"==\": nope}", Some(9), &["expected"]),
        ("{\"and\":[]} {}", Some(12), &["trailing"]),
        ("{}", None, &["expected an object with one operator"]),
        (r#"{"==":[{"var":"name"},"a"],"!=":[{"var":"name"},"b"]}"#, None, &["one operator"]),
        (r#"{"like":[{"var":"name"},"a"]}"#, None, &["there is no operator \"like\"", operators]),
        (r#"{"and":{"var":"name"}}"#, None, &["at /and: expected a list"]),
        (r#"{"and":[]}"#, None, &["at /and: expected a list of at least one"]),
        (r#"{"or":["ada"]}"#, None, &["at /or/0: expected an object"]),
        (r#"{"!":[{"var":"name"},{"var":"name"}]}"#, None, &["at /!: expected one condition"]),
        (r#"{"==":[{"var":"name"}]}"#, None, &["at /==: expected a field and a value"]),
        (r#"{"==":["a","b"]}"#, None, &["at /==: expected a field and a value"]),
        (r#"{"==":[{"var":"name"},{"var":"username"}]}"#, None, &["expected a field and a value"]),
        (r#"{"==":[{"var":"name"},["a"]]}"#, None, &["expected a field and a value"]),
        (r#"{"==":[{"var":"color"},"red"]}"#, None, &["there is no field \"color\"", ALLOWED]),
        (r#"{"and":[{"var":"name"},{"==":[{"var":"color"},1]}]}"#, None, &["at /and/1/==/0", ALLOWED]),
        (r#"{"var":"color"}"#, None, &["there is no field \"color\"", ALLOWED]),
        (r#"{"var":""}"#, None, &["expected the name of a field"]),
        (r#"{"var":7}"#, None, &["expected the name of a field"]),
        (r#"{"var":["name","default"]}"#, None, &["a field has no default"]),
        (r#"{"var":"custom_data..plan"}"#, None, &["names behind its dots"]),
        (r#"{"==":[{"var":"id"},"abc"]}"#, None, &["id is compared with an id (a UUID)"]),
        (r#"{"==":[{"var":"id"},7]}"#, None, &["id is compared with an id (a UUID)"]),
        (r#"{"==":[{"var":"suspended"},"yes"]}"#, None, &["true or false"]),
        (r#"{">":[{"var":"suspended"},false]}"#, None, &["suspended takes"]),
        (r#"{"<=":[1,2,3]}"#, None, &["[least, {\"var\": field}, most]"]),
        (r#"{">=":["a",{"var":"name"},"b"]}"#, None, &["expected a field and a value"]),
        (r#"{"in":[{"var":"name"},[]]}"#, None, &["at /in: expected [{\"var\": field}"]),
        (r#"{"in":[{"var":"name"},"ada"]}"#, None, &["at /in: expected [{\"var\": field}"]),
        (r#"{"in":["t",{"var":"suspended"}]}"#, None, &["suspended takes"]),
        (r#"{"in":[{"var":"name"},[["a"]]]}"#, None, &["expected a text, a number, true, false or null"]),
        (r#"{"in":["\u0000",{"var":"name"}]}"#, None, &["NUL"]),
        ("{\"missing\":[\"name\"]}", None, &[operators]),
    ];
    table("filter", &rows).await;
}

#[tokio::test]
async fn user_list_rejects_invalid_sorts() {
    let allowed = "allowed: id, username, email, name, given_name, family_name, suspended, created_at, updated_at, \
        last_sign_in_at";
    let rows = [
        ("color", Some(1), &["can't sort by \"color\"", allowed] as &[&str]),
        ("username, -color", Some(11), &["can't sort by \"color\"", allowed]),
        ("phone", Some(1), &["can't sort by \"phone\"", allowed]),
        ("roles", Some(1), &[allowed]),
        ("custom_data.plan", Some(1), &[allowed]),
        ("+username", Some(1), &[allowed]),
        ("--username", Some(1), &[allowed]),
        ("username desc", Some(1), &[allowed]),
        ("username,", Some(10), &["can't sort by \"\"", allowed]),
        (",", Some(1), &[allowed]),
        ("José,username", Some(1), &["can't sort by \"José\""]),
        ("username,-username", Some(10), &["username is listed twice"]),
        ("id,username,email,name", Some(19), &["at most 3 fields"]),
        ("username;drop table users", Some(1), &[allowed]),
    ];
    table("sort", &rows).await;
}

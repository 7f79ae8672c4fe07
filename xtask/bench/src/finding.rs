//! Lists: first and deep pages, lookups, words, filters. Each row is one kind of request for random users, so that
//! responses differ.

use anyhow::Context;

use super::load::{Pace, drive};
use super::process::memory;
use super::report::{Report, Row};
use super::scenarios::Bench;
use super::seed::{TEAMS, family, username};
use super::wire::{Connection, request};

/// Page size.
const PAGE: u64 = 20;
/// Number of the deep page, where the list has as many.
const DEEP: u64 = 10_000;
/// Number of clients that search at once: twice the number of the server's connections for searches.
const SEARCHERS: usize = 8;

/// The query of a request for the n-th person.
type Query = fn(u64) -> String;

const KINDS: &[(&str, Query)] = &[
    ("username eq", |n| filter(&format!("username eq \"{}\"", username(n)))),
    ("email eq", |n| filter(&format!("email eq \"{}@example.org\"", username(n)))),
    ("a rare word", |n| format!("q={}", username(n))),
    ("a common word", |n| format!("q={}", family(n))),
    ("two words", |n| format!("q={}%20{n}", family(n))),
    ("no such word", |n| format!("q=nobody{n}")),
    ("two letters", |n| format!("q={}", &family(n)[..2])),
    ("wildcards", |n| format!("q=username:*.{}.{}?", family(n).to_lowercase(), n / 10)),
    ("custom_data eq, one", |n| filter(&format!("custom_data.employee eq {n}"))),
    ("custom_data eq, 1 in 500", |n| filter(&format!("custom_data.department eq \"D{}\"", n % 500))),
    ("roles eq, 3 in 20", |n| filter(&format!("roles eq \"reader-{}\"", n % 20))),
    ("groups eq, 1 in 1,000", |n| filter(&format!("groups eq \"team-{}\"", n % TEAMS))),
    ("groups[slug and role]", |n| {
        let (team, role) = (n % TEAMS, n % 20);
        filter(&format!("groups[slug eq \"team-{team}\" and role eq \"writer-{role}\"]"))
    }),
    ("sort=-name", |_| "sort=-name".to_owned()),
    ("sort=-created_at,username", |_| "sort=-created_at,username".to_owned()),
];

fn filter(text: &str) -> String {
    let escaped: String = text
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    format!("filter={escaped}")
}

impl Bench {
    /// Runs the scenario `lists`.
    pub(super) fn lists(&self, report: &mut Report) -> anyhow::Result<()> {
        for sort in ["", "sort=username&"] {
            self.pages(sort, report)?;
        }
        let mut rows: Vec<Row> =
            KINDS.iter().map(|(name, _)| Row::new(format!("user-list, {name}"), self.users)).collect();
        let plan = self.plan(SEARCHERS, Pace::Closed);
        for _ in 0..self.rounds {
            for (row, (_, query)) in rows.iter_mut().zip(KINDS) {
                let mut random = self.random;
                let compose = |lane: usize, out: &mut Vec<u8>| {
                    let path = format!("/v1/users?limit={PAGE}&{}", query(random.below(self.users)));
                    request(out, "GET", &path, Some(&self.tokens[lane % self.tokens.len()]), "");
                };
                row.rounds.push(self.round(&plan, compose)?);
            }
        }
        report.memory("after searches", memory(self.server.pid())?, "under 64");
        report.rows.extend(rows);
        Ok(())
    }

    /// The first page, and a deep one.
    fn pages(&self, sort: &str, report: &mut Report) -> anyhow::Result<()> {
        let order = if sort.is_empty() { "by id" } else { "by username" };
        let first = format!("/v1/users?{sort}limit={PAGE}");
        let (number, deep) = self.deep_page(sort)?;
        let plan = self.plan(if sort.is_empty() { self.tokens.len() } else { SEARCHERS }, Pace::Closed);
        let compose = |path: &str| {
            let path = path.to_owned();
            move |lane: usize, out: &mut Vec<u8>| {
                request(out, "GET", &path, Some(&self.tokens[lane % self.tokens.len()]), "");
            }
        };
        drive(&plan, compose(&deep))?;
        let mut shallow = Row::new(format!("user-list {order}, page 1"), self.users);
        let mut far = Row::new(format!("user-list {order}, deep page"), self.users);
        for _ in 0..self.rounds {
            shallow.rounds.push(self.round(&plan, compose(&first))?);
            far.rounds.push(self.round(&plan, compose(&deep))?);
        }
        let p50 = |row: &Row| row.median(|round| round.p50).unwrap_or(f64::MAX);
        report.fact(
            format!("user-list {order}, page {number} / page 1, p50"),
            p50(&far) / p50(&shallow),
            "at most 1.2",
        );
        report.rows.extend([shallow, far]);
        Ok(())
    }

    /// Walks to page 10,000, or to nine tenths of a shorter list, and returns the page's number and path.
    fn deep_page(&self, sort: &str) -> anyhow::Result<(u64, String)> {
        let before = ((DEEP - 1) * PAGE).min(self.users * 9 / 10);
        let mut connection = Connection::open(self.server.address)?;
        let (mut path, mut seen) = (format!("/v1/users?{sort}limit=200"), 0);
        loop {
            let wanted = (before - seen).min(200);
            if wanted < 200 {
                path = path.replace("limit=200", &format!("limit={}", wanted.max(1)));
            }
            let page = connection.call("GET", &path, self.tokens.first().map(String::as_str), "")?;
            seen += page["items"].as_array().map_or(0, Vec::len) as u64;
            let next = page["next_page"].as_str().context("the list ended too early")?;
            if seen >= before {
                return Ok((seen / PAGE + 1, format!("/v1/users?{sort}limit={PAGE}&page_token={next}")));
            }
            path = format!("/v1/users?{sort}limit=200&page_token={next}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KINDS, filter};

    #[test]
    fn queries_are_escaped() {
        assert_eq!(filter("a eq \"b\""), "filter=a%20eq%20%22b%22");
        for (_, query) in KINDS {
            assert!(query(12_345).bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'));
        }
    }
}

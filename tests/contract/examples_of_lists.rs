//! Sends the example queries of the document and of `openapi/finding.md`.

use std::path::Path;

use serde_json::json;

use crate::support::contract::OPERATIONS;
use crate::support::{Answer, Person, TestServer};

/// Extracts the queries between backticks.
fn queries(text: &str) -> Vec<(&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    let parameters = ["q", "filter", "sort", "group", "role", "not_group", "not_role", "total", "limit"];
    quoted.filter_map(|text| text.split_once('=')).filter(|(name, _)| parameters.contains(name)).collect()
}

async fn accepts(
    server: &TestServer,
    who: &Person,
    path: &str,
    name: &str,
    value: &str,
) -> Result<(), String> {
    let request = server.request(http::Method::GET, path).query(&[(name, value)]).bearer_auth(who.token());
    let answer = Answer::of(request).await;
    let message =
        format!("{path}?{name}={value} by {}: {} {}", who.username, answer.code(), answer.message());
    if answer.code() == 200 { Ok(()) } else { Err(message) }
}

/// Every list has its own examples, and its allowed callers can send them.
#[tokio::test]
async fn user_list_and_other_lists_accept_their_documented_examples() {
    let server = TestServer::start().await;
    let people = [server.admin().await, server.user("plain").await];
    let (mut wrong, mut shown) = (Vec::new(), Vec::new());
    for operation in OPERATIONS.iter().filter(|operation| operation.takes("filter")) {
        let description = operation.object["description"].as_str().unwrap();
        let queries = queries(description);
        let names: Vec<&str> = queries.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["q", "filter", "sort"], "{}: {description}", operation.id);
        let path = operation.path.replace("{group}", "@public").replace("{user}", "me");
        for who in &people {
            for (name, value) in &queries {
                wrong.extend(accepts(&server, who, &path, name, value).await.err());
            }
        }
        shown.push(queries);
    }
    assert_eq!(shown.len(), 6);
    shown.sort();
    shown.dedup();
    assert_eq!(shown.len(), 6, "two lists show the same");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The page's equivalents of other systems' queries are valid.
#[tokio::test]
async fn user_list_accepts_the_queries_of_the_page() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body = json!({ "slug": "qa", "name": "QA", "owner": "me" });
    let group = server.request(http::Method::POST, "/v1/groups").bearer_auth(admin.token()).json(&body);
    assert_eq!(Answer::of(group).await.code(), 201);
    let path_of_users = "/v1/users";
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/finding.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (mut wrong, mut sent) = (Vec::new(), 0);
    let rows = page.lines().filter(|line| line.starts_with("| "));
    for row in rows {
        let row = row.replace("\\|", "\u{1}");
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        // The last column is the query for Rollcall.
        if let Some(cell) = cells.last() {
            for (name, value) in queries(cell) {
                let value = value.replace('\u{1}', "|").replace('…', "01941f29-7c00-7000-8000-000000000001");
                let value = if value == "<id>" { "@qa".to_owned() } else { value };
                if matches!(name, "q" | "filter" | "sort" | "group" | "total" | "limit") {
                    sent += 1;
                    wrong.extend(accepts(&server, &admin, path_of_users, name, &value).await.err());
                }
            }
        }
    }
    assert!(sent > 15, "{sent}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // CVAT's `org=` returns users without an organization; here, users in no group other than `public`.
    server.user("plain").await;
    let row = page.lines().find(|line| line.starts_with("| `org=`")).unwrap();
    let request = server.request(http::Method::GET, path_of_users).query(&[*queries(row).last().unwrap()]);
    let found = Answer::of(request.bearer_auth(admin.token())).await.json();
    let names: Vec<&str> =
        found["items"].as_array().unwrap().iter().filter_map(|user| user["username"].as_str()).collect();
    assert_eq!(names, ["plain"], "{row}");
}

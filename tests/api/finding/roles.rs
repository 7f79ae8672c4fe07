//! Finding roles by name, description and permissions.

use serde_json::{Value, json};

use super::fixtures::Fixtures;
use super::{Wrong, texts, walk};
use crate::support::Answer;

#[tokio::test]
async fn role_list_finds_by_every_field() {
    let fixtures = Fixtures::new().await;
    for body in [
        json!({ "name": "robot", "type": "machine" }),
        json!({ "name": "reviewer", "scope": "group", "permissions": ["articles:review"] }),
        json!({ "name": "newcomer", "is_default": true }),
    ] {
        let request =
            fixtures.server.request(http::Method::POST, "/v1/roles").bearer_auth(fixtures.admin.token());
        let response = Answer::of(request.json(&body)).await;
        assert_eq!(response.code(), 201, "{body}: {}", response.message());
    }
    // Every user sees all roles.
    let plain = fixtures.plain().await;
    let all = walk(plain.role_list()).await;
    let id =
        |name: &str| all.iter().find(|role| role["name"] == name).unwrap()["id"].as_str().unwrap().to_owned();
    let (editor, mut wrong) = (id("editor"), Wrong::default());
    let by_id = format!("id eq \"{editor}\"");
    type Passes = fn(&Value) -> bool;
    let rows: [(&str, &str, Passes); 28] = [
        ("", "", |_| true),
        ("edit", "", |role| role["name"] == "editor"),
        ("EDITOR", "", |role| role["name"] == "editor"),
        ("ed", "", |role| role["name"] == "editor"),
        ("name:*er", "", |role| role["name"].as_str().unwrap().ends_with("er")),
        ("-built_in:true", "", |role| role["built_in"] == false),
        ("permissions:articles:write", "", |role| has(role, "articles:write")),
        (r"permissions:articles\:write", "", |role| has(role, "articles:write")),
        ("scope:group", "", |role| role["scope"] == "group"),
        (&editor, "", |role| role["name"] == "editor"),
        ("", r#"name eq "editor""#, |role| role["name"] == "editor"),
        ("", r#"name in ("editor", "writer", "nobody")"#, |role| has_name(role, &["editor", "writer"])),
        ("", r#"name sw "r""#, |role| role["name"].as_str().unwrap().starts_with('r')),
        ("", r#"name co "it""#, |role| role["name"].as_str().unwrap().contains("it")),
        ("", r#"name matches "^[e-r].*r$""#, |role| {
            let name = role["name"].as_str().unwrap();
            ('e'..='r').any(|first| name.starts_with(first)) && name.ends_with('r')
        }),
        ("", r#"name gt "reviewer""#, |role| role["name"].as_str().unwrap() > "reviewer"),
        ("", r#"scope eq "group""#, |role| role["scope"] == "group"),
        ("", r#"scope eq "GROUP""#, |_| false),
        ("", r#"type eq "machine""#, |role| role["name"] == "robot"),
        ("", r#"type ne "machine""#, |role| role["name"] != "robot"),
        ("", "is_default eq true", |role| role["is_default"] == true),
        ("", "built_in eq false", |role| role["built_in"] == false),
        ("", r#"permissions eq "articles:write""#, |role| has(role, "articles:write")),
        ("", r#"permissions in ("articles:draft", "users:read")"#, |role| {
            has(role, "articles:draft") || has(role, "users:read")
        }),
        ("", r#"permissions eq "articles:write" and permissions ne "articles:draft""#, |role| {
            has(role, "articles:write") && !has(role, "articles:draft")
        }),
        ("", "not (permissions pr)", |role| role["permissions"].as_array().unwrap().is_empty()),
        ("", r#"{"in":["users:read",{"var":"permissions"}]}"#, |role| has(role, "users:read")),
        ("", &by_id, |role| role["name"] == "editor"),
    ];
    for (q, filter, passes) in rows {
        let mut list = plain.role_list().q(q);
        if !filter.is_empty() {
            list = list.filter(filter);
        }
        let expected: Vec<Value> = all.iter().filter(|role| passes(role)).cloned().collect();
        let found = texts(&walk(list).await, "/name");
        wrong.unless_equal(&format!("{q} {filter}"), &found, &texts(&expected, "/name"));
        let sensible = !expected.is_empty() || filter.contains("GROUP");
        assert!(sensible, "{q} {filter} must find something, or it shows nothing");
    }
    let names = texts(&walk(plain.role_list().filter("built_in eq false").sort("-name")).await, "/name");
    assert!(names.is_sorted_by(|left, right| left >= right), "{names:?}");
    wrong.none();
}

fn has(role: &Value, permission: &str) -> bool {
    role["permissions"].as_array().unwrap().iter().any(|held| held == permission)
}

fn has_name(role: &Value, names: &[&str]) -> bool {
    names.iter().any(|name| role["name"] == *name)
}

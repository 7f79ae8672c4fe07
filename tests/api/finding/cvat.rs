//! User lists as CVAT, a server for annotating images, filters and sorts them: simple filters, JSON Logic with all
//! of its operators and `!=`, its sort parameter, its organizations.

use rollcall_client::error_code;
use serde_json::{Value, json};

use super::fixtures::Fixtures;
use super::{Ask, Wrong, table, walk};
use crate::api::refusal;
use crate::support::Refused;

/// JSON Logic, row by row.
async fn logic(fixtures: &Fixtures, rows: &[(Value, &str)]) {
    let rows: Vec<(String, &str)> =
        rows.iter().map(|(rule, expected)| (rule.to_string(), *expected)).collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(rule, expected)| (rule.as_str(), *expected)).collect();
    table(fixtures, Ask::Filter, &rows).await;
}

fn var(field: &str) -> Value {
    json!({ "var": field })
}

#[tokio::test]
async fn user_list_supports_every_operator_of_json_logic() {
    let fixtures = Fixtures::new().await;
    let (username, name, suspended) = (var("username"), var("name"), var("suspended"));
    let early = "administrator ada Ada.B alan";
    let rows = [
        // Boolean operators.
        (json!({ "and": [{ "==": [suspended, false] }, { "in": ["ada", username] }] }), "ada"),
        (json!({ "and": [{ "var": "email" }, { "var": "phone" }] }), "ada"),
        (json!({ "or": [{ "==": [username, "ada"] }, { "==": [username, "bob"] }] }), "ada bob"),
        (
            json!({ "or": [{ "and": [suspended] }, { "!": [name] }] }),
            "administrator superuser mail phone carol",
        ),
        (json!({ "!": suspended }), "all but carol"),
        (json!({ "!": [{ "==": [username, "ada"] }] }), "all but ada"),
        (json!({ "!!": [suspended] }), "carol"),
        (json!({ "!!": { "var": "phone" } }), "ada phone"),
        (json!({ "!": { "!": { "var": "phone" } } }), "ada phone"),
        // A field alone: it has a value, and a Boolean is true.
        (name.clone(), "all but administrator superuser mail phone"),
        (json!({ "var": ["phone"] }), "ada phone"),
        (suspended.clone(), "carol"),
        (var("roles"), "administrator ada grace"),
        (var("groups"), "all but phone"),
        (var("custom_data.plan"), "ada Ada.B grace alan"),
        // Equality: case-sensitive.
        (json!({ "==": [username, "ada"] }), "ada"),
        (json!({ "==": [username, "ADA"] }), ""),
        (json!({ "==": [username, "Ada.B"] }), "Ada.B"),
        (json!({ "===": [username, "ada"] }), "ada"),
        (json!({ "==": ["ada", username] }), "ada"),
        (json!({ "==": [name, "ada byron"] }), "Ada.B"),
        (json!({ "==": [name, null] }), "administrator superuser mail phone"),
        (json!({ "==": [suspended, true] }), "carol"),
        (json!({ "==": [suspended, false] }), "all but carol"),
        (json!({ "!=": [username, "ada"] }), "all but ada"),
        (json!({ "!==": [username, "ada"] }), "all but ada"),
        (json!({ "!=": [username, "ADA"] }), "all but"),
        (json!({ "!=": [name, null] }), "all but administrator superuser mail phone"),
        (json!({ "!=": [suspended, true] }), "all but carol"),
        (json!({ "==": [var("custom_data.seats"), 5] }), "ada"),
        (json!({ "==": [var("custom_data.seats"), "5"] }), "grace"),
        (json!({ "==": [var("custom_data.active"), false] }), "Ada.B"),
        (json!({ "==": [var("custom_data.a.b"), 2] }), "Ada.B"),
        // Less and greater: in the order of `sort`, on both sides.
        (json!({ "<": [username, "b"] }), early),
        (json!({ ">": ["b", username] }), early),
        (json!({ "<=": [username, "ADA"] }), "ada"),
        (json!({ "<": [username, "ada"] }), ""),
        (json!({ ">=": [username, "ж"] }), "山田太郎 жанна"),
        (json!({ ">": [username, "жанна"] }), "山田太郎"),
        (json!({ ">=": [var("created_at"), "2026-01-27T00:00:00Z"] }), "carol encoded"),
        (json!({ ">": [var("created_at"), "2026-01-27T01:00:00+01:00"] }), "encoded"),
        // Between.
        (json!({ "<=": ["a", username, "b"] }), early),
        (json!({ "<=": ["ada", username, "alan"] }), early),
        (json!({ "<": ["ada", username, "alan"] }), "administrator Ada.B"),
        (json!({ "<=": ["2026-01-02T00:00:00Z", var("created_at"), "2026-01-03T00:00:00Z"] }), "Ada.B grace"),
        // Member of a list, case-sensitive.
        (json!({ "in": [username, ["ada", "bob", "ADA.B", "nobody"]] }), "ada bob"),
        (json!({ "in": [username, ["Ada.B"]] }), "Ada.B"),
        (json!({ "in": [var("custom_data.seats"), [5.5, "5"]] }), "Ada.B grace"),
        // Substring, case-sensitive.
        (json!({ "in": ["Love", name] }), "ada"),
        (json!({ "in": ["love", name] }), ""),
        (json!({ "in": ["%", name] }), "us_r_ percent encoded"),
        (json!({ "in": ["_", username] }), "us_r_"),
        (json!({ "in": ["\\", name] }), "slash"),
        (json!({ "in": ["é", name] }), "josé"),
        (json!({ "in": ["ß", name] }), "weiß"),
        (json!({ "in": ["SS", name] }), ""),
        // Or one of the field's names.
        (json!({ "in": ["editor", var("roles")] }), "ada grace"),
        (json!({ "in": ["edit", var("roles")] }), ""),
        (json!({ "in": ["qa", var("groups")] }), "ada grace bob"),
    ];
    logic(&fixtures, &rows).await;
    let [ada, alan, sal] = ["ada", "alan", "sal"].map(|label| fixtures.id(label).to_string());
    let id = var("id");
    let rows = [
        (json!({ "==": [id, ada] }), "ada"),
        (json!({ "in": [id, [sal, ada]] }), "ada sal"),
        (json!({ ">": [id, alan] }), "sal carol encoded"),
        (json!({ ">=": [id, alan] }), "alan sal carol encoded"),
        (json!({ "<=": [alan, id, sal] }), "alan sal"),
    ];
    logic(&fixtures, &rows).await;
}

#[tokio::test]
async fn user_list_covers_the_simple_filters_of_cvat() {
    let fixtures = Fixtures::new().await;
    let rows = [
        (r#"username eq "ada""#, "ada"),
        (r#"given_name eq "Ada""#, "ada Ada.B"),
        (r#"family_name eq "Doe""#, "john.doe"),
        ("suspended eq true", "carol"),
        ("suspended eq false", "all but carol"),
        (r#"given_name eq "ada" and family_name eq "lovelace""#, "ada"),
        // No user: all others are in `public`, which CVAT does not have.
        (r#"not (groups[slug ne "public"])"#, "all but ada grace bob alan"),
    ];
    table(&fixtures, Ask::Filter, &rows).await;
}

/// Every word must be in one of the fields; CVAT excludes email addresses, here callers who see them find
/// them.
#[tokio::test]
async fn user_list_covers_the_search_of_cvat() {
    let fixtures = Fixtures::new().await;
    let rows =
        [("ada lovelace", "ada"), ("ada,lovelace", "ada"), ("LOVELACE\tada", "ada"), ("example.es", "josé")];
    table(&fixtures, Ask::Search, &rows).await;
}

#[tokio::test]
async fn user_list_covers_the_sort_orders_of_cvat() {
    let fixtures = Fixtures::new().await;
    let mut wrong = Wrong::default();
    let (qa, at_example) = ("groups eq \"qa\"", "email co \"example\"");
    for (filter, sort, expected) in [
        (qa, "username", "ada bob grace"),
        (qa, "-username", "grace bob ada"),
        (qa, "id", "ada grace bob"),
        (qa, "-id", "bob grace ada"),
        (qa, "given_name", "ada grace bob"),
        (qa, "-given_name", "grace ada bob"),
        (qa, "-family_name,username", "ada grace bob"),
        (qa, "suspended,-username", "grace bob ada"),
        (at_example, "-suspended,-username", "carol user1 sal josé john.doe grace Ada.B ada mail"),
        (at_example, "suspended,email", "Ada.B ada grace john.doe josé mail sal user1 carol"),
        (at_example, "-username,given_name", "user1 sal josé john.doe grace carol Ada.B ada mail"),
        (at_example, " given_name , -username ", "Ada.B ada grace john.doe josé user1 sal carol mail"),
    ] {
        let list = fixtures.admin.user_list().filter(filter).sort(sort);
        let expected: Vec<String> = expected.split(' ').map(str::to_owned).collect();
        wrong.unless_equal(&format!("{filter} by {sort}"), &fixtures.labels(&walk(list).await), &expected);
    }
    wrong.none();
}

#[tokio::test]
async fn user_list_covers_the_organizations_of_cvat() {
    let fixtures = Fixtures::new().await;
    let (plain, qa) = (fixtures.plain().await, "@qa");
    let all = walk(fixtures.admin.group_list()).await;
    let id = all.iter().find(|group| group["slug"] == "qa").unwrap()["id"].as_str().unwrap().to_owned();
    for group in [qa, id.as_str()] {
        let found = walk(fixtures.admin.user_list().group(group)).await;
        assert_eq!(fixtures.labels(&found), fixtures.named("ada grace bob"));
        let narrowed = walk(fixtures.admin.user_list().group(group).q("ada").sort("-username")).await;
        assert_eq!(fixtures.labels(&narrowed), fixtures.named("ada"));
        // Others do not even learn that such a group exists.
        let refused = plain.user_list().group(group).send().await.refusal();
        assert_eq!(refused, refusal(404, error_code::NOT_FOUND));
    }
    assert_eq!(
        fixtures.admin.user_list().group("@nowhere").send().await.refusal(),
        refusal(404, error_code::NOT_FOUND)
    );
    let public = walk(plain.user_list().group("@public").q("sal")).await;
    assert_eq!(fixtures.labels(&public), fixtures.named("sal"));
}

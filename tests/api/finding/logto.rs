//! The advanced search of Logto, an identity provider: each row of the table in `openapi/finding.md` names a
//! filter that replaces a Logto query, and is tested here.

use super::fixtures::Fixtures;
use super::{Ask, Wrong, table, walk};
use rollcall_client::types::TotalKind;

/// The left column of the table: a new row needs its test.
const ROWS: &[&str] = &[
    "**Dioptra** `search=username:us*r?`",
    "`search=email:\"a@b.com\"`",
    "`search=us` (under three letters)",
    "`search=ada love` (in this order)",
    "`search=alice, username:b*`",
    "**CVAT** `search=ada love`",
    "`username=ada`",
    "`is_active=false`",
    "`filter={\"and\":[…]}` with `first_name`, `last_name`, `is_active`",
    "`sort=-username,first_name`",
    "`page=3&page_size=50`",
    "`org=qa`, `org_id=7`",
    "`org=` (no organization)",
    "**Logto** `search=foo` (`like`, whole value)",
    "`search=%foo%`",
    "`search.primaryEmail=%@x.org`",
    "`search.id=a&search.id=b&mode.id=exact`",
    "`search.username=foo&mode.username=exact&isCaseSensitive=true`",
    "`mode=similar_to`, `search.name=(a\\|b)%&isCaseSensitive=true`",
    "`mode=posix`, `search.username=^a.*z$`",
    "`joint=or`, `joint=and`",
    "`excludeRoleId=…`, `excludeOrganizationId=…`",
    "`Total-Number`",
    "newest first",
];

#[test]
fn every_row_of_the_published_table_is_tested() {
    let text = include_str!("../../../openapi/finding.md");
    let (_, section) = text.split_once("## Migrating from other systems").unwrap();
    let rows: Vec<&str> = section
        .lines()
        .filter(|line| {
            line.starts_with("| ") && !line.starts_with("| ---") && !line.starts_with("| Other system")
        })
        .map(|line| line[2..].split(" | ").next().unwrap())
        .collect();
    assert_eq!(rows, ROWS);
}

#[tokio::test]
async fn user_list_covers_every_mode_of_logto() {
    let fixtures = Fixtures::new().await;
    let grace = fixtures.id("grace");
    let anywhere = |value: &str| {
        format!(
            "id eq \"{grace}\" or email eq {value} or phone eq {value} or username eq {value} or name eq {value}"
        )
    };
    let (bob, address, phone) = (anywhere("\"BOB\""), anywhere("\"bob@b.com\""), anywhere("\"+4930123456\""));
    let rows = [
        // `like` on the whole value, in any field; its `%` and `_` are `*` and `?` of the search language.
        (bob.as_str(), "grace bob"),
        (address.as_str(), "grace bob"),
        (phone.as_str(), "grace phone"),
        (r#"email ew "@example.org""#, "ada Ada.B"),
        (r#"email ew "@EXAMPLE.ORG""#, "ada Ada.B"),
        (r#"email sw "ada""#, "ada Ada.B"),
        (r#"name co "love""#, "ada fullwidth"),
        (r#"name co "%""#, "us_r_ percent encoded"),
        (r#"username co "_""#, "us_r_"),
        // `exact`, with several values, case-sensitive and case-insensitive.
        (r#"username in ("ada", "ADA.B", "nobody")"#, "ada Ada.B"),
        (r#"username matches "^ada$""#, "ada"),
        (r#"username matches "^ADA$""#, ""),
        (r#"{"==":[{"var":"username"},"ada"]}"#, "ada"),
        (r#"{"==":[{"var":"username"},"ADA"]}"#, ""),
        // `like`, case-sensitive.
        (r#"{"in":["Love",{"var":"name"}]}"#, "ada"),
        (r#"name matches "Love""#, "ada"),
        (r#"email matches "@Example[.]ORG$""#, "Ada.B"),
        // `similar_to`.
        (r#"name matches "^(a|b)""#, "Ada.B star slash"),
        (r#"name matches "^(?:A|B).*(?:e|r)$""#, "ada bob"),
        // `posix`.
        (r#"username matches "(?i)^A.*n$""#, "alan"),
        (r#"username matches "^A.*n$""#, ""),
        (r#"username matches "^a.*[nr]$""#, "administrator alan"),
        (r#"phone matches "^\\+44""#, "ada"),
        // Joined by `or` and `and`, each field in its own mode.
        (r#"username eq "bob" or email ew "@example.es""#, "bob josé"),
        (r#"username sw "ada" and email matches "^A""#, "Ada.B"),
        (r#"username sw "john" and email ew "b.com" or phone pr"#, "ada john-doe phone"),
    ];
    table(&fixtures, Ask::Filter, &rows).await;
    let by_id = format!("id in (\"{}\", \"{}\")", fixtures.id("sal"), fixtures.id("ada"));
    table(&fixtures, Ask::Filter, &[(&by_id, "ada sal")]).await;
    let rows = [
        ("lovelace", "ada"),
        ("love", "ada fullwidth"),
        ("email:*@example.org", "ada Ada.B"),
        ("username:us?r1", "user1"),
        ("username:user_", ""),
    ];
    table(&fixtures, Ask::Search, &rows).await;
}

#[tokio::test]
async fn user_list_excludes_role_holders_and_members() {
    let fixtures = Fixtures::new().await;
    let list = || fixtures.admin.user_list().limit(200u32);
    let roles = walk(fixtures.admin.role_list().filter(r#"name eq "editor""#)).await;
    let editor = roles[0]["id"].as_str().unwrap();
    let mut wrong = Wrong::default();
    for (what, list, expected) in [
        ("not_role", list().not_role("@writer"), "all but grace"),
        ("not_role by id", list().not_role(editor), "all but ada grace"),
        ("not_group", list().not_group("@qa"), "all but ada grace bob"),
        ("both", list().not_role("@writer").not_group("@ops"), "all but ada grace alan"),
        ("role", list().role("@editor"), "ada grace"),
        ("role but not group", list().role("@editor").not_group("@ops"), "grace"),
        ("group but not role", list().group("@qa").not_role("@editor"), "bob"),
        (
            "and a filter with or",
            list().not_role("@editor").filter(r#"groups eq "qa" or phone pr"#),
            "bob phone",
        ),
        ("and a search", list().not_group("@qa").q("ada"), "Ada.B fullwidth"),
        ("all of them", list().group("@qa").not_role("@writer").q("a").filter("email pr"), "ada"),
    ] {
        wrong.unless_equal(what, &fixtures.labels(&walk(list).await), &fixtures.named(expected));
    }
    wrong.none();
}

#[tokio::test]
async fn user_list_sorts_newest_first_and_counts() {
    let fixtures = Fixtures::new().await;
    let list = fixtures.admin.user_list().sort("-created_at").total(TotalKind::Exact).limit(3u32);
    let page = list.send().await.unwrap();
    let labels: Vec<String> = page.items.iter().map(|user| fixtures.label(user.id.0)).collect();
    assert_eq!(labels, ["encoded", "carol", "sal"]);
    assert_eq!(page.total, Some(29));
}

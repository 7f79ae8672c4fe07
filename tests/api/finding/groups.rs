//! Finding groups by their own fields, and never one that is hidden from the caller.

use rollcall_api::access::Permission;
use rollcall_client::Session;
use rollcall_client::types::TotalKind;
use serde_json::{Value, json};

use super::fixtures::Fixtures;
use super::{Wrong, texts, walk};

async fn slugs(session: &Session, q: &str, filter: &str) -> Vec<String> {
    let mut list = session.group_list().q(q);
    if !filter.is_empty() {
        list = list.filter(filter);
    }
    texts(&walk(list).await, "/slug")
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test]
async fn group_list_finds_by_every_field() {
    let fixtures = Fixtures::new().await;
    fixtures.server
        .sql(
            "UPDATE groups SET created_at = '2026-01-01Z', updated_at = '2026-01-02Z' WHERE slug = 'public'; \
             UPDATE groups SET created_at = '2026-02-01Z', updated_at = '2026-03-02Z', created_by = NULL WHERE slug = 'qa'; \
             UPDATE groups SET created_at = '2026-03-01Z', updated_at = '2026-03-03Z' WHERE slug = 'ops'",
        )
        .await;
    let (admin, mut wrong) = (&fixtures.admin, Wrong::default());
    let ops = walk(admin.group_list().q("slug:ops")).await[0]["id"].as_str().unwrap().to_owned();
    let (creator, by_id) = (format!("created_by eq \"{}\"", admin.id), format!("id eq \"{ops}\""));
    let rule =
        json!({ "and": [{ "var": "mfa_required" }, { "in": ["Oper", { "var": "name" }] }] }).to_string();
    for (q, filter, expected) in [
        ("", "", "public qa ops"),
        ("qual", "", "qa"),
        ("QUALITY", "", "qa"),
        ("op", "", "ops"),
        ("erat", "", "ops"),
        ("slug:?a", "", "qa"),
        ("name:*i*", "", "public qa ops"),
        ("-default:true", "", "qa ops"),
        (&ops, "", "ops"),
        ("custom_data.plan:pro", "", "qa"),
        ("", r#"slug eq "qa""#, "qa"),
        ("", r#"slug eq "QA""#, "qa"),
        ("", r#"slug in ("qa", "public")"#, "public qa"),
        ("", r#"slug sw "o" or name ew "Y""#, "qa ops"),
        ("", r#"name co "PER""#, "ops"),
        ("", r#"name matches "^[PQ]""#, "public qa"),
        ("", r#"name gt "operations""#, "public qa"),
        ("", "default eq true", "public"),
        ("", "mfa_required eq true", "ops"),
        ("", "mfa_required ne true", "public qa"),
        ("", &creator, "ops"),
        ("", "created_by pr", "ops"),
        ("", "not (created_by pr)", "public qa"),
        ("", &by_id, "ops"),
        ("", r#"created_at ge "2026-02-01T00:00:00Z""#, "qa ops"),
        ("", r#"updated_at lt "2026-03-03T00:00:00Z""#, "public qa"),
        ("", r#"custom_data.plan eq "pro""#, "qa"),
        ("", r#"custom_data.plan ne "pro""#, "public ops"),
        ("", "custom_data.plan pr", "qa"),
        ("", &rule, "ops"),
        ("qual", r#"slug eq "ops""#, ""),
    ] {
        wrong.unless_equal(&format!("{q} {filter}"), &slugs(admin, q, filter).await, &words(expected));
    }
    wrong.none();
}

/// No query reveals a group to a caller who may not see it.
#[tokio::test]
async fn group_list_finds_no_hidden_group() {
    let fixtures = Fixtures::new().await;
    let plain = fixtures.plain().await;
    let reader = fixtures.server.holder("reader", &[Permission::GroupsRead]).await;
    let grace = fixtures.server.quick_user("member").await;
    fixtures.server
        .sql(&format!(
            "INSERT INTO group_members (group_id, user_id, joined_at) SELECT id, '{}', now() FROM groups WHERE slug = 'qa'",
            grace.id
        ))
        .await;
    let all = walk(fixtures.admin.group_list()).await;
    let hidden: Vec<&Value> = all.iter().filter(|group| group["slug"] != "public").collect();
    let ids: Vec<String> =
        hidden.iter().map(|group| format!("\"{}\"", group["id"].as_str().unwrap())).collect();
    let by_ids = format!("id in ({})", ids.join(", "));
    let filters = [
        r#"slug in ("qa", "ops")"#,
        r#"slug ne "public""#,
        "not (default eq true)",
        r#"name co "quality" or name co "operations""#,
        r#"name matches "Q|O""#,
        r#"custom_data.plan eq "pro" or mfa_required eq true"#,
        "created_by pr",
        "slug pr or not (slug pr)",
        r#"{"or":[{"!=":[{"var":"slug"},"public"]},{"var":"id"}]}"#,
        &by_ids,
    ];
    for filter in filters {
        let left = |found: Vec<String>| found.into_iter().filter(|slug| slug != "public").collect::<Vec<_>>();
        assert_eq!(left(slugs(&plain, "", filter).await), words(""), "{filter}");
        assert_eq!(left(slugs(&reader, "", filter).await), words("qa ops"), "{filter}");
        let theirs = left(slugs(&grace, "", filter).await);
        assert_eq!(theirs, words("qa"), "{filter}");
        for total in [TotalKind::Exact, TotalKind::Estimate] {
            let page = plain.group_list().filter(filter).total(total).send().await.unwrap();
            assert!(
                total == TotalKind::Estimate || page.total == u64::try_from(page.items.len()).ok(),
                "{filter}"
            );
        }
    }
    for (q, theirs) in [("qual", ""), ("ops", ""), ("slug:qa", ""), ("-public", ""), ("*", "public")] {
        assert_eq!(slugs(&plain, q, "").await, words(theirs), "{q}");
    }
    for sort in ["slug", "-slug", "name", "-created_at"] {
        assert_eq!(
            texts(&walk(plain.group_list().sort(sort).limit(1u32)).await, "/slug"),
            ["public"],
            "{sort}"
        );
    }
}

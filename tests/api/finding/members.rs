//! Finding members of a group by user fields, by roles in the group, and by the time of joining.

use rollcall_client::{Session, error_code};

use super::fixtures::Fixtures;
use super::{Wrong, walk};
use crate::api::refusal;
use crate::support::Refused;

/// Times of joining `qa`, Ada first.
const JOINED: &str = "\
    UPDATE group_members SET joined_at = timestamptz '2026-05-01Z' + interval '1 day' * \
        (SELECT CASE username WHEN 'ada' THEN 0 WHEN 'grace' THEN 1 ELSE 2 END FROM users WHERE users.id = user_id) \
    WHERE group_id = (SELECT id FROM groups WHERE slug = 'qa')";

async fn found(fixtures: &Fixtures, session: &Session, q: &str, filter: &str) -> Vec<String> {
    let mut list = session.group_member_list().group("@qa").q(q);
    if !filter.is_empty() {
        list = list.filter(filter);
    }
    let items = walk(list).await;
    super::texts(&items, "/user/id").iter().map(|id| fixtures.label(id.parse().unwrap())).collect()
}

#[tokio::test]
async fn group_member_list_finds_by_every_field() {
    let fixtures = Fixtures::new().await;
    fixtures.server.sql(JOINED).await;
    fixtures.server.sql("UPDATE users SET suspended = true WHERE username = 'bob'").await;
    let mut wrong = Wrong::default();
    let id = fixtures.id("grace");
    let by_id = format!("id eq \"{id}\"");
    for (q, filter, expected) in [
        ("", "", "ada grace bob"),
        ("ada", "", "ada"),
        // A member of another group.
        ("alan", "", ""),
        ("username:*", "", "ada grace bob"),
        ("example.com", "", "grace"),
        ("7946", "", "ada"),
        ("lovelace ada", "", "ada"),
        ("-ada", "", "grace bob"),
        ("roles:owner", "", "ada"),
        ("-roles:owner", "", "grace bob"),
        ("suspended:true", "", "bob"),
        ("", r#"username eq "ADA""#, "ada"),
        ("", r#"username in ("alan", "bob")"#, "bob"),
        ("", r#"email ew "@b.com""#, "bob"),
        ("", r#"phone sw "+44""#, "ada"),
        ("", r#"name co "hop""#, "grace"),
        ("", r#"given_name pr"#, "ada grace"),
        ("", r#"family_name eq "Hopper""#, "grace"),
        ("", "suspended eq true", "bob"),
        ("", r#"roles eq "owner""#, "ada"),
        ("", r#"roles eq "member""#, "grace"),
        ("", r#"roles in ("write", "admin")"#, "grace bob"),
        ("", r#"roles ne "member""#, "ada bob"),
        ("", "roles pr", "ada grace bob"),
        // Global roles are not roles in the group.
        ("", r#"roles eq "editor""#, ""),
        ("", r#"joined_at gt "2026-05-01T00:00:00Z""#, "grace bob"),
        ("", r#"joined_at eq "2026-05-01T02:00:00+02:00""#, "ada"),
        ("", r#"{"in":["write",{"var":"roles"}]}"#, "grace"),
        ("", r#"{"<=":["2026-05-01T00:00:00Z",{"var":"joined_at"},"2026-05-02T00:00:00Z"]}"#, "ada grace"),
        ("", &by_id, "grace"),
        ("a", r#"roles eq "owner""#, "ada"),
    ] {
        let found = found(&fixtures, &fixtures.admin, q, filter).await;
        wrong.unless_equal(&format!("{q} {filter}"), &found, &fixtures.named(expected));
    }
    wrong.none();
}

/// Members see each other's cards, and all roles in the group.
#[tokio::test]
async fn group_member_list_searches_only_visible_fields() {
    let fixtures = Fixtures::new().await;
    fixtures.server.sql(JOINED).await;
    let ada = fixtures.server.sign_in("ada").await;
    let mut wrong = Wrong::default();
    for (q, filter, expected) in [
        ("ada", "", "ada"),
        ("example", "", ""),
        ("7946", "", ""),
        ("builder", "", "bob"),
        ("roles:admin", "", "bob"),
        ("", r#"roles eq "owner" or name co "grace""#, "ada grace"),
        ("", r#"joined_at gt "2026-05-01T00:00:00Z""#, "grace bob"),
    ] {
        let found = found(&fixtures, &ada, q, filter).await;
        wrong.unless_equal(&format!("{q} {filter}"), &found, &fixtures.named(expected));
    }
    wrong.none();
    for field in ["email", "phone", "given_name", "family_name", "suspended"] {
        let error = ada.group_member_list().group("@qa").filter(format!("{field} pr")).send().await.refused();
        let message = error.to_string();
        assert_eq!(error.code(), Some(error_code::INVALID_QUERY), "{message}");
        assert!(message.contains("allowed: id, username, name, roles, joined_at"), "{message}");
        let refused = ada.group_member_list().group("@qa").q(format!("{field}:x")).send().await.refusal();
        assert_eq!(refused, refusal(400, error_code::INVALID_QUERY));
    }
    for sort in ["email", "-given_name", "family_name"] {
        let refused = ada.group_member_list().group("@qa").sort(sort).send().await.refusal();
        assert_eq!(refused, refusal(400, error_code::INVALID_QUERY), "{sort}");
    }
    let plain = fixtures.plain().await;
    for filter in ["id pr", "color pr", "("] {
        let refused = plain.group_member_list().group("@qa").filter(filter).send().await.refusal();
        assert_eq!(
            refused,
            refusal(404, error_code::NOT_FOUND),
            "what others may not see has no filters either"
        );
    }
}

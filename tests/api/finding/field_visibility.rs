//! Hidden fields cannot be searched: fields of other users without `users:read`.

use rollcall_api::access::Permission;
use rollcall_client::error_code;
use rollcall_client::types::TotalKind;

use super::fixtures::Fixtures;
use super::{Wrong, walk};
use crate::api::refusal;
use crate::support::Refused;

/// Fields of users that need `users:read`.
const HIDDEN: &[&str] = &[
    "email",
    "phone",
    "given_name",
    "family_name",
    "suspended",
    "has_password",
    "roles",
    "groups",
    "created_via",
    "created_at",
    "updated_at",
    "last_sign_in_at",
    "custom_data.plan",
    "profile.locale",
];

#[tokio::test]
async fn user_list_searches_only_visible_fields() {
    let fixtures = Fixtures::new().await;
    let plain = fixtures.plain().await;
    let reader = fixtures.server.sign_in("ada").await;
    fixtures.server.grant(reader.id, [Permission::UsersRead.as_str()]).await;
    let mut wrong = Wrong::default();
    let address = fixtures.id("mail").to_string();
    for (query, whole, card) in [
        ("example.org", "ada Ada.B", ""),
        ("ada@example.org", "ada", ""),
        ("+442079460101", "ada", ""),
        ("7946", "ada", ""),
        ("+4", "ada phone", ""),
        ("jonathan", "john-doe", ""),
        ("lovelace", "ada", "ada"),
        ("ada lovelace", "ada", "ada"),
        ("ada example", "ada Ada.B", ""),
        ("-example", "all but ada Ada.B grace john.doe user1 josé mail sal carol", "all but"),
        // Not even the caller's own: the results of a search would tell the fields apart.
        ("sal@private", "sal", ""),
        ("username:ada", "ada", "ada"),
        ("name:*love*", "ada fullwidth", "ada fullwidth"),
        ("?", "all but", "all but mail phone"),
        ("*", "all but", "all but"),
        (&address, "mail", "mail"),
    ] {
        for (caller, expected) in [(&reader, whole), (&plain, card)] {
            let found = walk(caller.user_list().q(query)).await;
            wrong.unless_equal(query, &fixtures.labels(&found), &fixtures.named(expected));
            let page = caller.user_list().q(query).total(TotalKind::Exact).send().await.unwrap();
            assert_eq!(page.total, u64::try_from(fixtures.named(expected).len()).ok(), "{query}");
        }
    }
    wrong.none();
}

#[tokio::test]
async fn user_list_rejects_hidden_fields_in_every_language() {
    let fixtures = Fixtures::new().await;
    let plain = fixtures.plain().await;
    let bad = refusal(400, error_code::INVALID_QUERY);
    for field in HIDDEN {
        let name = field.split('.').next().unwrap();
        let all = [
            ("q", plain.user_list().q(format!("{field}:*")).send().await),
            ("q", plain.user_list().q(format!("-{field}:true")).send().await),
            ("filter", plain.user_list().filter(format!("{field} pr")).send().await),
            (
                "filter",
                plain.user_list().filter(format!("username pr or not ({field} eq true)")).send().await,
            ),
            ("filter", plain.user_list().filter(format!(r#"{{"var":"{field}"}}"#)).send().await),
        ];
        for (parameter, response) in all {
            let error = response.refused();
            let message = error.to_string();
            assert_eq!(error.code(), Some(error_code::INVALID_QUERY), "{field}: {message}");
            let told = format!("you may not see {name}; allowed: id, username, name");
            assert!(message.contains(&told) && message.contains(parameter), "{field}: {message}");
        }
    }
    for field in
        ["email", "given_name", "family_name", "suspended", "created_at", "updated_at", "last_sign_in_at"]
    {
        for sort in [field.to_owned(), format!("-{field}"), format!("username,{field}")] {
            let error = plain.user_list().sort(sort).send().await.refused();
            assert!(error.to_string().contains("allowed: id, username, name"), "{error}");
            assert_eq!(error.code(), Some(error_code::INVALID_QUERY));
        }
    }
    assert_eq!(plain.user_list().filter(r#"groups[slug eq "qa"]"#).send().await.refusal(), bad);
    for role in ["role", "not_role"] {
        let path = format!("/v1/users?{role}=@editor");
        let request = fixtures.server.request(http::Method::GET, &path).bearer_auth(plain.token());
        assert_eq!(crate::support::Answer::of(request).await.code(), 403);
    }
}

#[tokio::test]
async fn user_list_searches_public_fields_for_every_caller() {
    let fixtures = Fixtures::new().await;
    let plain = fixtures.plain().await;
    let id = fixtures.id("ada");
    let mut wrong = Wrong::default();
    for (filter, expected) in [
        (r#"username sw "ada""#.to_owned(), "ada Ada.B"),
        (r#"name co "love""#.to_owned(), "ada fullwidth"),
        (format!("id eq \"{id}\""), "ada"),
        (r#"name matches "^a""#.to_owned(), "Ada.B star"),
        (r#"{"in":["Love",{"var":"name"}]}"#.to_owned(), "ada"),
    ] {
        wrong.unless_equal(
            &filter,
            &fixtures.labels(&walk(plain.user_list().filter(&*filter)).await),
            &fixtures.named(expected),
        );
    }
    let sorted = walk(plain.user_list().sort("-name,username").filter(r#"username sw "ada""#)).await;
    assert_eq!(fixtures.labels(&sorted), ["ada", "Ada.B"]);
    wrong.none();
}

/// The planner's estimate only uses columns that the caller sees.
#[tokio::test]
async fn user_list_estimates_reveal_no_hidden_fields() {
    let fixtures = Fixtures::new().await;
    fixtures.server
        .sql(
            "INSERT INTO users (id, username, username_folded, email, email_folded, created_via, created_at, updated_at) \
             SELECT gen_random_uuid(), 'u' || n, 'u' || n, n || '@hidden.example', n || '@hidden.example', 'admin', \
                 now(), now() FROM generate_series(1, 5000) n; \
             INSERT INTO groups (id, slug, name, name_folded, created_at, updated_at) \
             SELECT gen_random_uuid(), 'g' || n, 'hidden.example', 'hidden.example', now(), now() \
             FROM generate_series(1, 500) n",
        )
        .await;
    fixtures.server.sweep().await;
    fixtures.server.sql("ANALYZE").await;
    let plain = fixtures.plain().await;
    let (there, nowhere) = ("hidden.example", "nowhere.example");
    let mut totals = Vec::new();
    for word in [there, nowhere] {
        let list = || plain.user_list().limit(1u32).total(TotalKind::Estimate);
        let search = list().q(word).send().await.unwrap().total;
        let others = list().q(format!("-{word}")).send().await.unwrap().total;
        let filter = list().filter(format!("name co \"{word}\"")).send().await.unwrap().total;
        let members = plain.group_member_list().group("@public").limit(1u32).total(TotalKind::Estimate);
        let members = members.q(word).send().await.unwrap().total;
        let groups = plain.group_list().total(TotalKind::Estimate).limit(1u32);
        let groups = groups.q(format!("-{word}")).send().await.unwrap().total;
        totals.push([search, others, filter, members, groups]);
    }
    assert_eq!(totals[0], totals[1]);
    assert_eq!(totals[0][4], Some(1), "a guess would be made of groups that the caller isn't in");
    let seen =
        fixtures.admin.user_list().q(there).limit(1u32).total(TotalKind::Estimate).send().await.unwrap();
    assert!(seen.total.is_some_and(|total| total > 1000), "{:?}", seen.total);
}

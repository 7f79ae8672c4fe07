//! SCIM filters: the examples of RFC 7644, section 3.4.2.2, on this server's fields, and the extensions to
//! them.

use super::fixtures::Fixtures;
use super::{Ask, table};

#[tokio::test]
async fn user_list_supports_the_examples_of_rfc_7644() {
    let fixtures = Fixtures::new().await;
    let rows = [
        (r#"username eq "bob""#, "bob"),
        (r#"name co "O'Brien""#, "quote"),
        (r#"username sw "J""#, "john.doe john-doe josé"),
        ("name pr", "all but administrator superuser mail phone"),
        (r#"created_at gt "2026-01-27T00:00:00Z""#, "encoded"),
        (r#"created_at ge "2026-01-27T00:00:00Z""#, "carol encoded"),
        (r#"created_at lt "2026-01-02T00:00:00Z""#, "administrator ada"),
        (r#"created_at le "2026-01-02T00:00:00Z""#, "administrator ada Ada.B"),
        (r#"phone pr and created_via eq "admin""#, "ada phone"),
        (r#"phone pr or created_via eq "bootstrap""#, "administrator ada phone"),
        (
            r#"suspended eq false and (email co "example.com" or email co "example.org")"#,
            "ada Ada.B grace john.doe user1",
        ),
        (
            r#"suspended ne true and not (email co "example.com" or email co "example.org") and email pr"#,
            "john-doe bob josé mail sal",
        ),
        (r#"suspended eq false and groups[slug eq "qa" and role eq "admin"]"#, "bob"),
        (
            r#"groups[slug eq "qa" and role eq "owner"] or groups[slug eq "ops" and role eq "owner"]"#,
            "ada alan",
        ),
        (r#"profile.locale eq "en-GB""#, "ada"),
    ];
    table(&fixtures, Ask::Filter, &rows).await;
}

#[tokio::test]
async fn user_list_filters_bind_not_before_and_before_or() {
    let fixtures = Fixtures::new().await;
    let rows = [
        (r#"username eq "ada" or username eq "bob" and suspended eq true"#, "ada"),
        (r#"(username eq "ada" or username eq "bob") and suspended eq true"#, ""),
        (r#"suspended eq true and username eq "bob" or username eq "ada""#, "ada"),
        (r#"not phone pr and username sw "a""#, "administrator Ada.B alan"),
        (r#"not (phone pr and username sw "a")"#, "all but ada"),
        (r#"not (phone pr) and username sw "a""#, "administrator Ada.B alan"),
        (r#"not not phone pr"#, "ada phone"),
        (r#"not (not (phone pr))"#, "ada phone"),
        (r#"not (username pr or email pr)"#, "phone"),
        (r#"not username pr or not not phone pr"#, "ada mail phone"),
        (r#"((((((((((((((((phone pr))))))))))))))))"#, "ada phone"),
        // Keywords in any case, with any amount of blanks.
        (r#"username EQ "ada" OR username Eq "bob""#, "ada bob"),
        (r#"NOT (username Pr)"#, "mail phone"),
        (r#"  username   eq   "ada"  "#, "ada"),
        // Field names in any case, too, as in SCIM.
        (r#"UserName eq "ada" or GROUPS[Slug eq "ops"]"#, "ada alan"),
        (r#"Custom_Data.plan eq "free""#, "Ada.B"),
        (r#"custom_data.PLAN eq "free""#, ""),
        ("username\teq\n\"ada\"", "ada"),
        (r#"(username eq "ada")or(username eq "bob")"#, "ada bob"),
        (r#"username in("ada","bob")"#, "ada bob"),
        // A string in JSON syntax.
        (r#"name eq "o'brien \"BRI\"""#, "quote"),
        (r#"name eq "back\\slash""#, "slash"),
        (r#"username eq "\u0061da""#, "ada"),
        (r#"username eq "jose\u0301""#, "josé"),
        (r#"custom_data.note eq "two\nlines""#, "alan"),
        (r#"name eq "(username eq \"ada\")""#, ""),
    ];
    table(&fixtures, Ask::Filter, &rows).await;
}

#[tokio::test]
async fn user_list_filters_by_texts() {
    let fixtures = Fixtures::new().await;
    let rows = [
        (r#"username eq "ADA""#, "ada"),
        (r#"username eq "WEISS""#, "weiß"),
        (r#"name eq "grosse STRASSE""#, "weiß"),
        (r#"name eq "Ada Love""#, "fullwidth"),
        (r#"name co "%""#, "us_r_ percent encoded"),
        (r#"name co "_""#, "us_r_"),
        (r#"name co "*""#, "star"),
        (r#"name co "?""#, "quest"),
        (r#"name co "\\""#, "slash"),
        (r#"name co "\"""#, "quote"),
        (r#"name co "田 太""#, "山田太郎"),
        (r#"name co """#, "all but administrator superuser mail phone"),
        (r#"name sw "100%""#, "percent"),
        (r#"name sw "x""#, "long"),
        (r#"name ew "3:4""#, "colon"),
        (r#"name ew "É""#, ""),
        (r#"given_name ew "É""#, "josé"),
        (r#"phone sw "+44""#, "ada"),
        (r#"username in ("ADA", "weiss", "жанна")"#, "ada weiß жанна"),
        (r#"username gt "weiß""#, "山田太郎 жанна"),
        (r#"username ge "Weiß""#, "weiß 山田太郎 жанна"),
        (r#"username lt "ADA.B""#, "ada"),
        (r#"username le "ada.b""#, "ada Ada.B"),
        (r#"username matches "^.{3}$""#, "ada bob sal"),
        (r#"username matches "^[A-Z]""#, "Ada.B"),
        (r#"username matches "(?i)^ada""#, "ada Ada.B"),
        (
            r#"username matches "^[a-z_0-9]+$""#,
            "all but Ada.B john.doe john-doe josé weiß 山田太郎 жанна mail phone",
        ),
        (r#"username matches "^\\d|\\d$""#, "user1"),
        (r#"name matches "[0-9]:[0-9]""#, "colon"),
        (r#"name matches "^[^a-zA-Z0-9]""#, "жанна fullwidth bosporus 山田太郎 encoded"),
        (r#"name matches "Straße""#, "weiß"),
        (r#"name matches "STRASSE""#, ""),
        (r#"name matches "\\\\""#, "slash"),
        (r#"email matches "^[^@]+@(b|example)\\.com$""#, "john.doe john-doe bob user1 carol"),
        (r#"not (name matches "[a-z]")"#, "administrator superuser 山田太郎 жанна fullwidth mail phone"),
    ];
    table(&fixtures, Ask::Filter, &rows).await;
}

/// A comparison with a missing value is false, and its negation true.
#[tokio::test]
async fn user_list_filters_use_two_valued_logic() {
    let fixtures = Fixtures::new().await;
    let rows = [
        (r#"phone ne "+442079460101""#, "all but ada"),
        (r#"not (phone eq "+442079460101")"#, "all but ada"),
        (r#"phone eq "+442079460101" or phone ne "+442079460101""#, "all but"),
        (r#"username gt "жанна""#, "山田太郎"),
        (r#"not (username le "жанна")"#, "山田太郎 mail phone"),
        (r#"not (email co "example")"#, "all but ada Ada.B grace john.doe user1 josé mail sal carol"),
        (r#"not (last_sign_in_at lt "2026-03-01T12:30:00Z")"#, "all but ada"),
        (r#"email eq null and phone eq null and name eq null"#, "administrator superuser"),
        (r#"name ne null"#, "all but administrator superuser mail phone"),
        (r#"not (name eq null)"#, "all but administrator superuser mail phone"),
        (r#"last_sign_in_at eq null"#, "all but ada bob"),
        (r#"roles eq null"#, "all but administrator ada grace"),
        (r#"groups eq null"#, "phone"),
        (r#"suspended ne true"#, "all but carol"),
        (r#"custom_data.plan eq null"#, "all but ada Ada.B grace alan"),
        (r#"custom_data.plan ne "pro""#, "all but ada alan"),
        (r#"custom_data.active ne true"#, "all but ada"),
        (r#"profile.address.locality ne null"#, "ada"),
    ];
    table(&fixtures, Ask::Filter, &rows).await;
}

#[tokio::test]
async fn user_list_filters_by_roles_and_groups() {
    let fixtures = Fixtures::new().await;
    let rows = [
        (r#"roles eq "editor""#, "ada grace"),
        (r#"roles ne "editor""#, "all but ada grace"),
        (r#"roles in ("writer", "administrator")"#, "administrator grace"),
        (r#"roles eq "editor" and not (roles eq "writer")"#, "ada"),
        ("roles pr", "administrator ada grace"),
        (r#"roles eq "EDITOR""#, ""),
        (r#"roles eq "owner""#, ""),
        (r#"groups eq "qa""#, "ada grace bob"),
        (r#"groups ne "public""#, "phone"),
        (r#"groups in ("qa", "ops")"#, "ada grace bob alan"),
        ("groups pr", "all but phone"),
        (r#"groups[slug eq "qa"]"#, "ada grace bob"),
        (r#"groups[slug in ("qa", "ops") and role eq "member"]"#, "ada grace"),
        (r#"groups[role eq "owner"]"#, "ada alan"),
        (r#"groups[slug eq "qa" and not (role eq "owner")]"#, "grace bob"),
        (r#"groups[slug eq "qa" and role ne "owner"]"#, "grace bob"),
        (r#"groups[slug eq "qa" and role in ("write", "admin")]"#, "grace bob"),
        (r#"groups[slug eq "qa" and role eq "member" and role eq "write"]"#, "grace"),
        (r#"not groups[slug eq "public"]"#, "phone"),
        // One group that meets both conditions, not one group for each.
        (r#"groups[slug eq "ops" and role eq "owner"]"#, "alan"),
        (r#"groups.slug eq "ops" and groups.role eq "owner""#, "ada alan"),
        (r#"groups[slug eq "ops"] and groups[slug eq "qa"]"#, "ada"),
        (r#"groups[slug eq "ops" and slug eq "qa"]"#, ""),
    ];
    table(&fixtures, Ask::Filter, &rows).await;
}

#[tokio::test]
async fn user_list_filters_by_custom_data() {
    let fixtures = Fixtures::new().await;
    let rows = [
        (r#"custom_data.plan eq "pro""#, "ada alan"),
        (r#"custom_data.plan eq "PRO""#, "grace"),
        (r#"custom_data.plan in ("pro", "free")"#, "ada Ada.B alan"),
        ("custom_data.plan pr", "ada Ada.B grace alan"),
        ("custom_data.seats eq 5", "ada"),
        ("custom_data.seats eq 5.0", "ada"),
        ("custom_data.seats eq 5e0", "ada"),
        (r#"custom_data.seats eq "5""#, "grace"),
        (r#"custom_data.seats in (5.5, "5")"#, "Ada.B grace"),
        ("custom_data.seats eq -5", ""),
        ("custom_data.active eq true", "ada"),
        ("custom_data.active eq false", "Ada.B"),
        (r#"custom_data.active eq "true""#, ""),
        (r#"custom_data.tags eq "engines""#, "ada"),
        ("custom_data.tags pr", "ada grace"),
        ("custom_data.a.b eq 1", "ada Ada.B"),
        ("custom_data.a.b in (2, 3)", "Ada.B"),
        ("custom_data.a pr", "ada Ada.B"),
        ("custom_data.a.b.c pr", ""),
        (r#"custom_data."odd key" eq 1"#, "ada"),
        (r#"custom_data."a.b" eq "dotted""#, "ada"),
        (r#"custom_data."a"."b" eq 1"#, "ada Ada.B"),
        (r#"custom_data."" pr"#, ""),
        ("custom_data.nothing pr", ""),
        (r#"custom_data.plan eq "%""#, ""),
        (r#"profile.given_name eq "ada""#, "Ada.B"),
        (r#"profile.address.locality eq "London""#, "ada"),
        ("profile.locale pr", "ada grace"),
        ("profile.address pr", "ada"),
        (r#"profile.locale in ("en-US", "de-DE")"#, "grace"),
    ];
    table(&fixtures, Ask::Filter, &rows).await;
}

#[tokio::test]
async fn user_list_filters_by_times_and_ids() {
    let fixtures = Fixtures::new().await;
    let rows = [
        (r#"created_at eq "2026-01-01T00:00:00Z""#, "ada"),
        (r#"created_at eq "2026-01-01T05:30:00+05:30""#, "ada"),
        (r#"created_at eq "2025-12-31T16:00:00.000-08:00""#, "ada"),
        (r#"created_at ne "2026-01-01T00:00:00Z""#, "all but ada"),
        (r#"created_at in ("2026-01-01T00:00:00Z", "2026-01-03T01:00:00+01:00")"#, "ada grace"),
        (
            r#"created_at ge "2026-01-03T00:00:00Z" and created_at lt "2026-01-05T00:00:00Z""#,
            "grace john.doe",
        ),
        (r#"last_sign_in_at eq "2026-03-01T12:00:00.000001Z""#, "ada"),
        (r#"last_sign_in_at gt "2026-03-01T12:00:00.000001Z""#, "bob"),
        (r#"last_sign_in_at ge "2026-03-01T12:00:00.000001Z""#, "ada bob"),
        ("last_sign_in_at pr", "ada bob"),
        (r#"created_at gt "9999-12-31T23:59:59Z""#, ""),
        (r#"created_at gt "0000-01-01T00:00:00Z""#, "all but"),
        (r#"created_at gt "2016-12-31T23:59:60Z""#, "all but"),
        (r#"has_password eq true"#, "administrator ada sal"),
        (r#"has_password ne true"#, "all but administrator ada sal"),
        (r#"created_via eq "bootstrap""#, "administrator"),
        (r#"created_via in ("bootstrap", "registration")"#, "administrator"),
        (r#"created_via eq "ADMIN""#, ""),
    ];
    table(&fixtures, Ask::Filter, &rows).await;
    let [ada, alan] = ["ada", "alan"].map(|label| fixtures.id(label).to_string());
    let nobody = "01941f29-7c00-7000-8000-000000000001";
    let rows = [
        (format!("id eq \"{ada}\""), "ada"),
        (format!("id eq \"{}\"", ada.to_uppercase()), "ada"),
        (format!("id ne \"{ada}\""), "all but ada"),
        (format!("id in (\"{nobody}\", \"{alan}\", \"{ada}\")"), "ada alan"),
        (format!("id eq \"{nobody}\""), ""),
        (format!("id gt \"{alan}\""), "sal carol encoded"),
        (format!("id le \"{ada}\""), "administrator ada"),
        ("id pr".to_owned(), "all but"),
    ];
    let rows: Vec<(&str, &str)> = rows.iter().map(|(query, expected)| (query.as_str(), *expected)).collect();
    table(&fixtures, Ask::Filter, &rows).await;
    let many = vec![format!("\"{ada}\""); 100].join(", ");
    table(&fixtures, Ask::Filter, &[(&format!("id in ({many})"), "ada")]).await;
}

/// Search, filter and all other parameters narrow the list together.
#[tokio::test]
async fn user_list_combines_search_and_filter() {
    let fixtures = Fixtures::new().await;
    for (q, filter, expected) in [
        ("ada", r#"name co "love""#, "ada fullwidth"),
        ("-ada", "phone pr", "phone"),
        ("", r#"username eq "ada""#, "ada"),
        ("ada", r#"{"!":[{"var":"email"}]}"#, "fullwidth"),
    ] {
        let found = super::walk(fixtures.admin.user_list().q(q).filter(filter)).await;
        assert_eq!(fixtures.labels(&found), fixtures.named(expected), "{q} and {filter}");
    }
}

//! The search language, compared with that of Dioptra, a test bed for machine learning. Every query that
//! Dioptra accepts is accepted here with the same meaning, except that several unquoted words match in any
//! order; queries that Dioptra rejects without need work.

use super::fixtures::Fixtures;
use super::{Ask, table};

#[tokio::test]
async fn user_list_covers_the_searches_of_dioptra() {
    let fixtures = Fixtures::new().await;
    let rows = [
        // A field and a value: the whole value, with wildcards.
        ("username:us*r?", "us_r_ user1"),
        ("name:us*r?", "us_r_"),
        ("username:ada", "ada"),
        ("username:ad", ""),
        ("username:a*", "administrator ada Ada.B alan"),
        ("username:a??", "ada"),
        // ß is compared as ss.
        ("username:?????", "Ada.B grace us_r_ user1 quest slash quote colon weiß жанна carol"),
        ("username: bob", "bob"),
        ("username :bob", "bob"),
        ("username : bob", "bob"),
        ("email:\"a@b.com\"", "john-doe"),
        ("email:'a@b.com'", "john-doe"),
        ("email:*@example.com", "john.doe user1 carol"),
        ("email:'*@example.com'", "john.doe user1 carol"),
        ("username:*", "all but mail phone"),
        ("name:*", "all but administrator superuser mail phone"),
        // A value alone: in any searched field.
        ("user", "user1 superuser"),
        ("ada", "ada Ada.B fullwidth"),
        ("ADA", "ada Ada.B fullwidth"),
        ("builder", "bob"),
        ("7946", "ada"),
        ("*", "all but"),
        ("?", "all but"),
        ("**", "all but"),
        ("ada*love", "ada fullwidth"),
        ("love*ada", ""),
        ("ada?love", "ada fullwidth"),
        ("hopp?r", "grace"),
        // Two letters match the beginning of a word; with wildcards around them any position, as in Dioptra.
        ("us", "us_r_ user1"),
        ("*us*", "us_r_ user1 superuser bosporus"),
        ("*us*er*", "user1 superuser"),
        // Joined by commas.
        ("ada, username:a*", "ada Ada.B"),
        ("ada,love", "ada fullwidth"),
        ("ada , love", "ada fullwidth"),
        ("a, b", "Ada.B john-doe star"),
        ("username:john*, email:*@b.com", "john-doe"),
        // Wildcards of LIKE.
        ("us%r_", "us_r_"),
        ("us_r_", "us_r_"),
        ("100%", "percent"),
        ("name:%", ""),
        ("name:_____", ""),
        // Quotes, wildcards inside of quotes, other quotes inside of quotes.
        ("'bob, the'", "bob"),
        ("'a,b'", ""),
        ("\"ada *lace\"", "ada"),
        ("\"what? now\"", "quest"),
        ("\"O'Brien\"", "quote"),
        ("'\"bri\"'", "quote"),
        ("name:'O\\'Brien \"Bri\"'", "quote"),
        // Escapes.
        (r"a\*b", "star"),
        (r"name:a\*b\ c", "star"),
        (r#"name:"a\*b c""#, "star"),
        (r"what\?", "quest"),
        (r"back\\slash", "slash"),
        (r#"name:"back\\slash""#, "slash"),
        (r"O\'Brien", "quote"),
        (r#"\"bri\""#, "quote"),
        (r"3\:4", "colon"),
        (r"bob\,", "bob"),
        (r"a\,b", ""),
        (r"custom_data.note:two\nlines", "alan"),
        (r#"custom_data.note:"two\nlines""#, "alan"),
        // A line feed does not continue into the next field.
        (r#""ada\nada@example.org""#, ""),
        (r"org\n+44", ""),
        // Empty and blank queries.
        ("", "all but"),
        ("   ", "all but"),
    ];
    table(&fixtures, Ask::Search, &rows).await;
}

#[tokio::test]
async fn user_list_accepts_searches_that_dioptra_rejects() {
    let fixtures = Fixtures::new().await;
    let rows = [
        ("john.doe", "john.doe"),
        ("john-doe", "john-doe"),
        ("a@b.com", "john-doe"),
        ("email:a@b.com", "john-doe"),
        ("email:A@B.COM", "john-doe"),
        ("nobody@example.net", "mail"),
        ("+4930123456", "phone"),
        ("phone:+49*", "phone"),
        ("username:bob builder", "bob"),
        ("username:us er", ""),
        ("a|b", ""),
        ("3:4", "colon"),
        ("O'Brien", "quote"),
        ("Username:ada", "ada"),
        ("José", "josé"),
        ("JOSÉ", "josé"),
        ("jose\u{301}", "josé"),
        ("username:josé", "josé"),
        ("username:jos?", "josé"),
        ("'José Ñ*'", "josé"),
        ("straße", "weiß"),
        ("STRASSE", "weiß"),
        ("große", "weiß"),
        ("groẞe", "weiß"),
        ("username:WEISS", "weiß"),
        ("İstanbul", "bosporus"),
        ("i\u{307}stanbul", "bosporus"),
        ("işık", "bosporus"),
        ("山田", "山田太郎"),
        ("田太郎", "山田太郎"),
        ("username:山田*", "山田太郎"),
        ("family_name:山田", "山田太郎"),
        ("ЖАННА", "жанна"),
        ("\"д'арк\"", "жанна"),
        ("ＡＤＡ", "ada Ada.B fullwidth"),
        ("name:\"ada love\"", "fullwidth"),
        // Decoded once: `%41` is not `A`.
        ("%41", "encoded"),
        ("%41da", "encoded"),
    ];
    table(&fixtures, Ask::Search, &rows).await;
    let long = "l".repeat(128);
    table(&fixtures, Ask::Search, &[(&long, "long"), (&format!("username:{long}"), "long")]).await;
}

#[tokio::test]
async fn user_list_searches_words_phrases_and_exclusions() {
    let fixtures = Fixtures::new().await;
    let rows = [
        // The one difference: words in any order, each at any position.
        ("ada love", "ada fullwidth"),
        ("love ada", "ada fullwidth"),
        ("ada lovelace example.org", "ada"),
        ("\"ada love\"", "ada fullwidth"),
        ("\"love ada\"", ""),
        ("\"ada lovelace\"", "ada"),
        // Fewer than three letters: at the beginning of a word.
        ("al", "alan"),
        ("l", "ada fullwidth long"),
        ("-ada", "all but ada Ada.B fullwidth"),
        ("-suspended:true", "all but carol"),
        ("suspended:true", "carol"),
        ("suspended:false", "all but carol"),
        ("ada -love", "Ada.B"),
        ("-\"ada love\" ada", "Ada.B"),
        ("-name:*", "administrator superuser mail phone"),
        ("-*", ""),
        (r"\-doe", "john-doe"),
        ("has_password:true", "administrator ada sal"),
        ("roles:editor", "ada grace"),
        ("roles:*", "administrator ada grace"),
        ("-roles:*", "all but administrator ada grace"),
        ("groups:qa", "ada grace bob"),
        ("groups:qa groups:ops", "ada"),
        ("-groups:public", "phone"),
        ("created_via:bootstrap", "administrator"),
        ("created_at:2026-01-01T00:00:00Z", "ada"),
        ("custom_data.plan:pro", "ada alan"),
        ("custom_data.plan:*", "ada Ada.B grace alan"),
        ("custom_data.seats:5", "ada grace"),
        ("custom_data.seats:5.5", "Ada.B"),
        ("custom_data.active:true", "ada"),
        ("custom_data.tags:math", "ada"),
        ("custom_data.a.b:1", "ada Ada.B"),
        ("profile.locale:en-GB", "ada"),
        ("profile.address.locality:London", "ada"),
        ("-custom_data.plan:pro ada", "Ada.B fullwidth"),
    ];
    table(&fixtures, Ask::Search, &rows).await;
    let id = fixtures.id("grace").to_string();
    let rows = [
        (id.clone(), "grace"),
        (format!("id:{id}"), "grace"),
        (format!("-{id} roles:editor"), "ada"),
        (format!("{id} hopper"), "grace"),
        (format!("{id} ada"), ""),
        (id.to_uppercase(), "grace"),
        (id[..13].to_owned(), ""),
    ];
    let rows: Vec<(&str, &str)> = rows.iter().map(|(query, expected)| (query.as_str(), *expected)).collect();
    table(&fixtures, Ask::Search, &rows).await;
}

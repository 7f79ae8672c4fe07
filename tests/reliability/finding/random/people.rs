//! Some hundred users with awkward values: missing ones, capitals, wildcards, quotes, letters that fold into
//! several, nested objects, nested lists.

use std::collections::HashMap;

use futures::{StreamExt, stream};
use http::Method;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::support::{Answer, Person, TestServer};

const COUNT: usize = 250;

const WORDS: &[&str] = &[
    "Ada",
    "ADA",
    "ada",
    "al",
    "Alan",
    "x",
    "ß",
    "Straße",
    "STRASSE",
    "Elodie",
    "E\u{301}lodie",
    "élodie",
    "İpek",
    "ﬁnn",
    "Finn",
    "ＡＤＡ",
    "100%",
    "us_r",
    "u%r",
    "back\\slash",
    "a*b",
    "what?",
    "O'Brien",
    "\"Bri\"",
    "3:4",
    "-dash",
    "a,b",
    "Жанна",
    "ЖАННА",
    "山田",
    "李小明",
    "がく",
    "สมชาย",
    "😀",
    "👍🏽ok",
    "Ångström",
    "Łukasz",
    "Søren",
    "Ærø",
    "x\u{302}y",
    "wei ng",
    "anna-bo",
    "Ämil",
    "Zed",
    "ΣΊΣΥΦΟΣ",
    "σίσυφος",
    "and",
    "not",
    "(",
    "[1]",
    "$",
    "{}",
    "^a",
    "a.c",
    "abc",
    "--",
    "null",
];
const USERNAMES: &[&str] = &[
    "ada",
    "Ada.B",
    "straße",
    "STRASSE",
    "jose\u{301}",
    "JOSÉ",
    "us_er",
    "a-b",
    "a+b",
    "Жанна",
    "山田",
    "finn",
    "x",
];
const LOCALS: &[&str] = &["ada", "Ada.B", "o.brien", "a_b", "a-b", "A+b", "x"];
const DOMAINS: &[&str] = &["example.org", "Mail.Example", "sub.mail.example"];
/// Lowercase ASCII letters only: their order is the same in every language.
const FAMILIES: &[&str] = &["lovelace", "hopper", "berg", "bergmann", "al", "o", "stein", "steinberg", "zz"];
const ROLES: &[&str] = &["editor", "writer", "rare", "unused"];
const GROUPS: &[&str] = &["qa", "ops", "empty"];
const GROUP_ROLES: &[&str] = &["owner", "admin", "member"];

/// A user as the API returns it, with additional members: the names of the profile as fields, and the groups
/// with the roles in them as `entries`.
pub type Someone = Value;

/// Creates all users and reads them back.
pub async fn make(server: &TestServer, admin: &Person, random: &mut StdRng) -> Vec<Someone> {
    let bodies: Vec<Value> = (0..COUNT).map(|number| body(number, random)).collect();
    let created = bodies.iter().map(|body| async move {
        let request = server.request(Method::POST, "/v1/users").bearer_auth(admin.token()).json(body);
        let response = Answer::of(request).await;
        assert_eq!(response.code(), 201, "{body}: {}", response.message());
        response.json()["id"].as_str().unwrap().parse::<Uuid>().unwrap()
    });
    let ids: Vec<Uuid> = stream::iter(created).buffered(8).collect().await;
    facts(server, &ids, random).await;
    read(server, admin).await
}

fn some(random: &mut StdRng, parts: u32) -> bool {
    random.random_range(0..parts) > 0
}

fn words(random: &mut StdRng) -> String {
    let count = random.random_range(1..=3);
    (0..count).map(|_| *WORDS.choose(random).unwrap()).collect::<Vec<_>>().join(" ")
}

fn body(number: usize, random: &mut StdRng) -> Value {
    let mut body = Map::new();
    if some(random, 4) {
        body.insert("username".to_owned(), json!(format!("{}{number}", USERNAMES.choose(random).unwrap())));
    }
    if some(random, 3) || body.is_empty() {
        let (local, domain) = (LOCALS.choose(random).unwrap(), DOMAINS.choose(random).unwrap());
        body.insert("email".to_owned(), json!(format!("{local}{number}@{domain}")));
    }
    if some(random, 2) {
        body.insert("phone".to_owned(), json!(format!("+4930{}", 1_000_000 + number * 7919 % 9000)));
    }
    if some(random, 4) {
        body.insert("name".to_owned(), json!(words(random)));
    }
    let mut profile = Map::new();
    if some(random, 3) {
        profile.insert("given_name".to_owned(), json!(words(random)));
    }
    if some(random, 3) {
        profile.insert("family_name".to_owned(), json!(FAMILIES.choose(random).unwrap()));
    }
    if some(random, 2) {
        profile.insert("nickname".to_owned(), json!(words(random)));
    }
    body.insert("profile".to_owned(), Value::Object(profile));
    body.insert("custom_data".to_owned(), custom_data(random));
    Value::Object(body)
}

fn custom_data(random: &mut StdRng) -> Value {
    let members: &[(&str, &[Value])] = &[
        ("plan", &[json!("pro"), json!("free"), json!("PRO"), Value::Null, json!(["pro", "free"])]),
        (
            "seats",
            &[json!(1), json!(5), json!(5.5), json!("5"), json!(0), json!(-1), json!(1000), json!([5, "5"])],
        ),
        ("active", &[json!(true), json!(false)]),
        (
            "tags",
            &[
                json!(["math", 1, true]),
                json!([]),
                json!("math"),
                json!([["math"], { "b": 1 }]),
                json!([null]),
            ],
        ),
        (
            "a",
            &[
                json!({ "b": 1 }),
                json!({ "b": "x" }),
                json!({ "b": [1, 2] }),
                json!({ "b": { "c": true } }),
                json!([{ "b": 1 }]),
            ],
        ),
        ("odd key", &[json!(1), json!("%"), json!("_\\\"'")]),
        ("a.b", &[json!("dotted"), json!(1)]),
        ("Straße", &[json!("Straße"), json!("strasse")]),
        // Each of one type, and never a list: JSON Logic treats everything else differently.
        ("level", &[json!(1), json!(2), json!(3)]),
        ("tier", &[json!("gold"), json!("silver"), json!("Gold")]),
    ];
    let mut object = Map::new();
    for (name, values) in members {
        if some(random, 3) {
            object.insert((*name).to_owned(), values.choose(random).unwrap().clone());
        }
    }
    Value::Object(object)
}

/// Facts that no request sets: times, the origin of accounts, password hashes, roles and groups.
async fn facts(server: &TestServer, ids: &[Uuid], random: &mut StdRng) {
    let mut sql = String::new();
    for name in ROLES {
        sql.push_str(&format!(
            "INSERT INTO roles (id, scope, name, created_at, updated_at) \
             VALUES (gen_random_uuid(), 'global', '{name}', now(), now());\n"
        ));
    }
    for slug in GROUPS {
        sql.push_str(&format!(
            "INSERT INTO groups (id, slug, name, name_folded, created_at, updated_at) \
             VALUES (gen_random_uuid(), '{slug}', '{slug}', '{slug}', now(), now());\n"
        ));
    }
    for id in ids {
        let (day, micro) = (random.random_range(1..=9), random.random_range(0..3));
        let signed_in = if some(random, 3) {
            format!("'2026-03-0{day}T12:00:00.00000{micro}Z'")
        } else {
            "NULL".to_owned()
        };
        let via = ["admin", "registration", "bootstrap"].choose(random).unwrap();
        let hash = if some(random, 3) { "'$argon2id$'" } else { "NULL" };
        let suspended = !some(random, 4);
        sql.push_str(&format!(
            "UPDATE users SET suspended = {suspended}, password_hash = {hash}, created_via = '{via}', \
             created_at = '2026-01-0{day}T00:00:00Z', updated_at = '2026-02-0{day}T00:00:00.00000{micro}Z', \
             last_sign_in_at = {signed_in} WHERE id = '{id}';\n"
        ));
        for role in &ROLES[..3] {
            if !some(random, if *role == "rare" { 100 } else { 3 }) || (*role == "rare" && !some(random, 60))
            {
                sql.push_str(&format!(
                    "INSERT INTO user_roles (user_id, role_id, granted_at) SELECT '{id}', id, now() FROM roles \
                     WHERE name = '{role}';\n"
                ));
            }
        }
        if !some(random, 5) {
            sql.push_str(&format!("DELETE FROM group_members WHERE user_id = '{id}';\n"));
        }
        for slug in &GROUPS[..2] {
            if some(random, 2) {
                continue;
            }
            sql.push_str(&format!(
                "INSERT INTO group_members (group_id, user_id, joined_at) SELECT id, '{id}', now() FROM groups \
                 WHERE slug = '{slug}';\n"
            ));
            for role in GROUP_ROLES {
                if !some(random, 3) {
                    sql.push_str(&format!(
                        "INSERT INTO group_member_roles (group_id, user_id, role_id) SELECT groups.id, '{id}', roles.id \
                         FROM groups, roles WHERE slug = '{slug}' AND roles.name = '{role}';\n"
                    ));
                }
            }
        }
    }
    server.sql(&sql).await;
}

async fn read(server: &TestServer, admin: &Person) -> Vec<Someone> {
    let mut entries: HashMap<Uuid, Vec<Value>> = HashMap::new();
    let query = "SELECT user_id, slug, ARRAY(SELECT roles.name::text FROM group_member_roles AS held \
        JOIN roles ON roles.id = role_id WHERE held.group_id = group_members.group_id AND held.user_id = group_members.user_id) \
        FROM group_members JOIN groups ON groups.id = group_members.group_id";
    for row in server.db().await.query(query, &[]).await.unwrap() {
        let (user, slug, roles): (Uuid, &str, Vec<&str>) = (row.get(0), row.get(1), row.get(2));
        entries.entry(user).or_default().push(json!({ "slug": slug, "role": roles }));
    }
    let mut people = Vec::new();
    let mut path = "/v1/users?limit=200".to_owned();
    loop {
        let page = Answer::of(server.request(Method::GET, &path).bearer_auth(admin.token())).await.json();
        people.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(token) = page["next_page"].as_str() else { break };
        path = format!("/v1/users?limit=200&page_token={token}");
    }
    for person in &mut people {
        let id: Uuid = person["id"].as_str().unwrap().parse().unwrap();
        for name in ["given_name", "family_name"] {
            person[name] = person["profile"][name].clone();
        }
        person["entries"] = Value::Array(entries.remove(&id).unwrap_or_default());
    }
    people
}

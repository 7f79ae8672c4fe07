//! Fixtures of the finding tests: users with names that a query language could stumble over.

use rollcall_client::types;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, PASSWORD, Person, TestServer};

/// A server with the fixtures, and its administrator.
pub struct Fixtures {
    pub server: TestServer,
    pub admin: Person,
    /// Label and id of every user, in order of creation.
    people: Vec<(&'static str, Uuid)>,
}

/// Labels and bodies of the users. Each was created a day after the previous one, the first on 1 January
/// 2026.
fn people() -> Vec<(&'static str, Value)> {
    vec![
        (
            "ada",
            json!({
                "username": "ada", "email": "ada@example.org", "phone": "+442079460101", "name": "Ada Lovelace",
                "password": PASSWORD,
                "profile": {
                    "given_name": "Ada", "family_name": "Lovelace", "locale": "en-GB",
                    "address": { "locality": "London", "country": "GB" },
                },
                "custom_data": {
                    "plan": "pro", "seats": 5, "active": true, "tags": ["math", "engines"], "a": { "b": 1 },
                    "odd key": 1, "a.b": "dotted",
                },
            }),
        ),
        (
            "Ada.B",
            json!({
                "username": "Ada.B", "email": "Ada.B@Example.ORG", "name": "ada byron",
                "profile": { "given_name": "ada", "family_name": "Byron" },
                "custom_data": { "plan": "free", "seats": 5.5, "active": false, "a": { "b": [1, 2] } },
            }),
        ),
        (
            "grace",
            json!({
                "username": "grace", "email": "grace@navy.example.com", "name": "Grace Hopper",
                "profile": { "given_name": "Grace", "family_name": "Hopper", "locale": "en-US" },
                "custom_data": { "plan": "PRO", "seats": "5", "tags": [] },
            }),
        ),
        (
            "john.doe",
            json!({
                "username": "john.doe", "email": "john.doe@example.com", "name": "John Doe",
                "profile": { "given_name": "John", "family_name": "Doe" },
            }),
        ),
        (
            "john-doe",
            json!({
                "username": "john-doe", "email": "a@b.com", "name": "Johnny Doe-Smith",
                "profile": { "given_name": "Jonathan", "family_name": "Doe-Smith" },
            }),
        ),
        ("bob", json!({ "username": "bob", "email": "bob@b.com", "name": "Bob, the builder" })),
        ("us_r_", json!({ "username": "us_r_", "name": "us%r_" })),
        ("user1", json!({ "username": "user1", "email": "user1@example.com", "name": "User One" })),
        ("superuser", json!({ "username": "superuser" })),
        ("percent", json!({ "username": "percent", "name": "100% sure" })),
        ("star", json!({ "username": "star", "name": "a*b c" })),
        ("quest", json!({ "username": "quest", "name": "what? now" })),
        ("slash", json!({ "username": "slash", "name": "back\\slash" })),
        ("quote", json!({ "username": "quote", "name": "O'Brien \"Bri\"" })),
        ("colon", json!({ "username": "colon", "name": "ratio 3:4" })),
        (
            "josé",
            json!({
                "username": "josé", "email": "jose@example.es", "name": "José Ñandú",
                "profile": { "given_name": "José", "family_name": "Ñandú" },
            }),
        ),
        ("weiß", json!({ "username": "weiß", "name": "GROẞE Straße" })),
        ("bosporus", json!({ "username": "bosporus", "name": "İstanbul Işık" })),
        (
            "山田太郎",
            json!({
                "username": "山田太郎", "name": "山田 太郎",
                "profile": { "given_name": "太郎", "family_name": "山田" },
            }),
        ),
        ("жанна", json!({ "username": "Жанна", "name": "Жанна д'Арк" })),
        ("fullwidth", json!({ "username": "fullwidth", "name": "ＡＤＡ ＬＯＶＥ" })),
        ("long", json!({ "username": "l".repeat(128), "name": "x".repeat(128) })),
        ("mail", json!({ "email": "nobody@example.net" })),
        ("phone", json!({ "phone": "+4930123456" })),
        (
            "alan",
            json!({
                "username": "alan", "name": "Alan Turing",
                "profile": { "given_name": "Alan", "family_name": "Turing" },
                "custom_data": { "note": "two\nlines", "plan": "pro" },
            }),
        ),
        (
            "sal",
            json!({
                "username": "sal", "email": "sal@private.example", "name": "Sal Paradise", "password": PASSWORD,
            }),
        ),
        ("carol", json!({ "username": "carol", "email": "carol@example.com", "name": "Carol Shaw" })),
        ("encoded", json!({ "username": "encoded", "name": "%41da" })),
    ]
}

/// Paths and bodies of shared roles and groups, with their holders and members.
fn ties() -> Vec<(&'static str, Value)> {
    vec![
        ("/v1/roles", json!({ "name": "editor", "permissions": ["articles:write"] })),
        ("/v1/roles", json!({ "name": "writer", "permissions": ["articles:write", "articles:draft"] })),
        ("/v1/users/@ada/roles", json!({ "roles": ["@editor"] })),
        ("/v1/users/@grace/roles", json!({ "roles": ["@editor", "@writer"] })),
        (
            "/v1/groups",
            json!({ "slug": "qa", "name": "Quality", "owner": "@ada", "custom_data": { "plan": "pro" } }),
        ),
        ("/v1/groups/@qa/members", json!({ "user": "@grace", "roles": ["@member", "@write"] })),
        ("/v1/groups/@qa/members", json!({ "user": "@bob", "roles": ["@admin"] })),
        (
            "/v1/groups",
            json!({ "slug": "ops", "name": "Operations", "owner": "@alan", "mfa_required": true }),
        ),
        ("/v1/groups/@ops/members", json!({ "user": "@ada", "roles": ["@member"] })),
    ]
}

/// Times independent of the test run, one suspended user, one user without a group.
const FACTS: &str = "\
    WITH ordered AS (SELECT id, row_number() OVER (ORDER BY id) AS number FROM users) \
    UPDATE users SET created_at = timestamptz '2025-12-30 00:00:00Z' + number * interval '1 day', \
        updated_at = timestamptz '2026-06-01 00:00:00Z' + (number % 3) * interval '1 microsecond', \
        last_sign_in_at = NULL FROM ordered WHERE ordered.id = users.id; \
    UPDATE users SET last_sign_in_at = '2026-03-01 12:00:00.000001Z' WHERE username = 'ada'; \
    UPDATE users SET last_sign_in_at = '2026-03-01 13:00:00Z' WHERE username = 'bob'; \
    UPDATE users SET suspended = true WHERE username = 'carol'; \
    DELETE FROM group_members WHERE user_id = (SELECT id FROM users WHERE phone = '+4930123456')";

impl Fixtures {
    /// A server with all fixtures.
    pub async fn new() -> Self {
        let server = TestServer::start().await;
        let admin = server.admin().await;
        let mut known = vec![("administrator", admin.id)];
        for (label, body) in people() {
            let body: types::UserCreate = serde_json::from_value(body).unwrap();
            known.push((label, admin.user_create().body(body).send().await.unwrap().id.0));
        }
        for (path, body) in ties() {
            let request = server.request(http::Method::POST, path).bearer_auth(admin.token()).json(&body);
            let response = Answer::of(request).await;
            assert!(response.status.is_success(), "{path} {body}: {}", response.message());
        }
        server.sql(FACTS).await;
        Self { server, admin, people: known }
    }

    /// A user without permissions and without groups except for `public`.
    pub async fn plain(&self) -> Person {
        self.server.sign_in("sal").await
    }

    /// The id of a user, by label.
    #[track_caller]
    pub fn id(&self, label: &str) -> Uuid {
        let found = self.people.iter().find(|(name, _)| *name == label);
        found.unwrap_or_else(|| panic!("nobody is called {label}")).1
    }

    /// The label of a user.
    pub fn label(&self, id: Uuid) -> String {
        let found = self.people.iter().find(|(_, known)| *known == id);
        found.map_or_else(|| id.to_string(), |(name, _)| (*name).to_owned())
    }

    /// The labels in a table's expectation, in order of creation: `ada bob`, or `all but ada bob`.
    #[track_caller]
    pub fn named(&self, expected: &str) -> Vec<String> {
        let (others, names) = match expected.strip_prefix("all but") {
            Some(names) => (true, names),
            None => (false, expected),
        };
        let names: Vec<&str> = names.split_whitespace().collect();
        names.iter().for_each(|name| assert_ne!(self.id(name), Uuid::nil()));
        let wanted = self.people.iter().filter(|(name, _)| names.contains(name) != others);
        wanted.map(|(name, _)| (*name).to_owned()).collect()
    }

    /// The labels of these users.
    pub fn labels(&self, items: &[Value]) -> Vec<String> {
        super::texts(items, "/id").iter().map(|id| self.label(id.parse().unwrap())).collect()
    }
}

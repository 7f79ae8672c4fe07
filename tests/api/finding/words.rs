//! Words of the search language: short ones, scripts without spaces, wildcards, diacritics, colons.

use http::Method;
use serde_json::{Value, json};

use super::Wrong;
use crate::support::{Answer, Person, TestServer};

/// Usernames and names.
const PEOPLE: &[(&str, &str)] = &[
    ("weing", "Wei Ng"),
    ("hwang", "Hwang Minho"),
    ("smith", "John Smith Jr"),
    ("annabo", "Anna Bo"),
    ("hannah", "Hannah Bowie"),
    ("obrien", "Mary-Jo O'Brien"),
    ("alice", "Alice Liddell"),
    ("li", "李小明"),
    ("wang", "王小红 Xia"),
    ("gaku", "すずき がく"),
    ("somchai", "สมชาย"),
    ("kim", "김민준"),
    ("emoji", "Ada 😀"),
    ("thumb", "👍ok"),
    ("anders", "Ångström"),
    ("angst", "Angstrom"),
    ("lukasz", "Łukasz Żak"),
    ("soren", "Søren Ærø"),
    ("cafe", "Cafe\u{301} Noir"),
    ("doctor", "Dr: Who"),
    ("link", "see http://x now"),
    ("aptly", "apt 5.0_rc"),
];

async fn people() -> (TestServer, Person, Person) {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (username, name) in PEOPLE {
        let body = json!({ "username": username, "name": name, "email": format!("{username}@mail.example") });
        let request = server.request(Method::POST, "/v1/users").bearer_auth(admin.token()).json(&body);
        assert_eq!(Answer::of(request).await.code(), 201, "{body}");
    }
    let plain = server.quick_user("zzz").await;
    server.sweep().await;
    (server, admin, plain)
}

/// The usernames that a list finds, in order of creation; or the error message.
async fn found(server: &TestServer, who: &Person, path: &str, q: &str) -> Vec<String> {
    let request = server.request(Method::GET, path).query(&[("q", q), ("limit", "200")]);
    let response = Answer::of(request.bearer_auth(who.token())).await;
    if response.code() != 200 {
        return vec![response.message()];
    }
    let name = |item: &Value| {
        let found =
            ["/username", "/slug", "/user/username", "/name"].iter().find_map(|place| item.pointer(place));
        found.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    response.json()["items"].as_array().unwrap().iter().map(name).collect()
}

fn split(names: &str) -> Vec<String> {
    names.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test]
async fn user_list_finds_short_words() {
    let (server, admin, plain) = people().await;
    let rows = [
        // At the beginning of any word.
        ("wei ng", "weing"),
        ("ng wei", "weing"),
        ("Smith Jr", "smith"),
        ("anna bo", "annabo hannah"),
        ("jo", "smith obrien"),
        ("o'", "obrien"),
        ("br", "obrien"),
        ("w", "weing wang doctor"),
        ("\"g\"", "gaku"),
        ("5", "aptly"),
        ("5.", "aptly"),
        ("0_", "aptly"),
        ("-w -a -h -s -l -k -j -m -c -d -x -g -t -e -o -z", ""),
        // A trailing `*` has no effect, a leading one does.
        ("ng*", "weing"),
        ("*ng", "weing hwang wang anders angst"),
        ("*ng*", "weing hwang wang anders angst"),
        // Without three literal letters in a row.
        ("l?ce", "alice"),
        ("a?i?e", "alice"),
        ("?ng", "weing hwang wang anders angst"),
        ("m?n*o", "administrator hwang"),
        ("l?ce -x", "alice"),
        // Scripts without spaces between words.
        ("小明", "li"),
        ("小", "li wang"),
        ("明", "li"),
        ("李小明", "li"),
        ("红 x", "wang"),
        ("がく", "gaku"),
        ("ずき", "gaku"),
        ("か", ""),
        ("ชา", "somchai"),
        ("ย", "somchai"),
        // Hangul has spaces.
        ("김민", "kim"),
        ("민준", ""),
        // Symbols match at any position.
        ("😀", "emoji"),
        ("👍", "thumb"),
        ("👍o", "thumb"),
        ("ok", "thumb"),
        // Diacritics are ignored, on both sides.
        ("angstrom", "anders angst"),
        ("Ångström", "anders angst"),
        ("å", "administrator annabo alice emoji anders angst soren aptly"),
        ("lukasz zak", "lukasz"),
        ("łu", "lukasz"),
        ("soren aero", "soren"),
        ("ærø", "soren"),
        ("cafe noir", "cafe"),
        ("café", "cafe"),
        ("-angstrom ang", "hwang wang"),
        // But they count in field terms, which ask for an exact value.
        ("name:Ångström", "anders"),
        ("name:angstrom", "angst"),
        ("name:ång*", "anders"),
        ("name:?ng*", "anders angst"),
        ("name:?rø*", ""),
        ("name:*?rø", "soren"),
        // Addresses are words; other colons are reported as errors.
        ("http://x", "link"),
        ("see http://x", "link"),
        ("http://*", "link"),
        ("'Dr: Who'", "doctor"),
        ("who", "doctor"),
    ];
    let mut wrong = Wrong::default();
    for (q, expected) in rows {
        for who in [&admin, &plain] {
            let found = found(&server, who, "/v1/users", q).await;
            wrong.unless_equal(&format!("{q} by {}", who.username), &found, &split(expected));
        }
    }
    // Only callers who see addresses find users by them; the `@` is not a letter.
    wrong.unless_equal("@m", &found(&server, &plain, "/v1/users", "@m").await, &[]);
    let all: Vec<String> = PEOPLE.iter().map(|(username, _)| (*username).to_owned()).collect();
    wrong.unless_equal("@m", &found(&server, &admin, "/v1/users", "@m").await, &all);
    wrong.unless_equal("ma", &found(&server, &admin, "/v1/users", "ma").await, &all);
    for q in ["Dr: Who", "dr:who"] {
        let message = found(&server, &admin, "/v1/users", q).await.remove(0);
        assert!(message.contains("put text with a colon in quotes"), "{q}: {message}");
    }
    wrong.none();
}

/// A change of any text changes the results, and the next page uses the same search.
#[tokio::test]
async fn user_update_changes_the_words_of_searches() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let change = async |method: Method, path: &str, body: Value| {
        let request = server.request(method, path).bearer_auth(admin.token()).json(&body);
        let response = Answer::of(request).await;
        assert!(response.status.is_success(), "{body}: {}", response.message());
    };
    change(Method::POST, "/v1/users", json!({ "username": "first", "name": "Émile" })).await;
    let steps = [
        (json!({ "name": "Łódź Jr" }), &["lodz", "jr", "first"] as &[&str], &["emile"] as &[&str]),
        (json!({ "email": "no@way.example" }), &["way.example", "no", "jr"], &[]),
        (json!({ "phone": "+4930123456" }), &["3012345", "+4", "jr"], &[]),
        (json!({ "profile": { "given_name": "Ján", "family_name": "O'Hé" } }), &["jan", "he", "o'"], &[]),
        (json!({ "profile": { "given_name": null } }), &["he"], &["jan"]),
        (json!({ "name": null }), &["first", "no"], &["lodz", "jr"]),
    ];
    for (body, finds, misses) in steps {
        change(Method::PATCH, "/v1/users/@first", body.clone()).await;
        for q in finds {
            assert_eq!(found(&server, &admin, "/v1/users", q).await, ["first"], "{q} after {body}");
        }
        for q in misses {
            assert!(found(&server, &admin, "/v1/users", q).await.is_empty(), "{q} after {body}");
        }
    }
    change(Method::PATCH, "/v1/users/@first", json!({ "username": "ot-her" })).await;
    assert_eq!(found(&server, &admin, "/v1/users", "he no").await, ["ot-her"]);
    assert!(found(&server, &admin, "/v1/users", "first").await.is_empty());
}

/// The other lists have the same search language.
#[tokio::test]
async fn group_list_and_the_others_find_short_words_too() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (path, body) in [
        ("/v1/users", json!({ "username": "weing", "name": "Wei Ng" })),
        ("/v1/groups", json!({ "slug": "north-sea", "name": "Ångström Vé", "owner": "@weing" })),
        ("/v1/groups", json!({ "slug": "tea", "name": "茶道部", "owner": "me" })),
        ("/v1/roles", json!({ "name": "can_vo-it", "description": "Émile's\nown" })),
    ] {
        let request = server.request(Method::POST, path).bearer_auth(admin.token()).json(&body);
        assert_eq!(Answer::of(request).await.code(), 201, "{body}");
    }
    let mut wrong = Wrong::default();
    for (path, q, expected) in [
        ("/v1/groups", "se", "north-sea"),
        ("/v1/groups", "ea", ""),
        ("/v1/groups", "ve", "north-sea"),
        ("/v1/groups", "angstrom", "north-sea"),
        ("/v1/groups", "道", "tea"),
        ("/v1/groups", "n?rth", "north-sea"),
        ("/v1/groups/@north-sea/members", "ng", "weing"),
        ("/v1/groups/@north-sea/members", "ei", ""),
        ("/v1/roles", "vo it", "can_vo-it"),
        ("/v1/roles", "vo an", ""),
        ("/v1/roles", "vo ca", "can_vo-it"),
        ("/v1/roles", "vo?i", "can_vo-it"),
        ("/v1/roles", "emile", "can_vo-it"),
        ("/v1/roles", "em ow", "can_vo-it"),
        ("/v1/roles", "\"'s own\"", "can_vo-it"),
    ] {
        let found = found(&server, &admin, path, q).await;
        wrong.unless_equal(&format!("{path}?q={q}"), &found, &split(expected));
    }
    for (q, some) in
        [("cr", true), ("re", false), ("group_cr", true), ("d", true), ("-d", false), ("_c", true)]
    {
        let request = server.request(Method::GET, "/v1/audit-events").query(&[("q", q)]);
        let response = Answer::of(request.bearer_auth(admin.token())).await;
        let items = response.json()["items"].as_array().unwrap().len();
        assert_eq!(items > 0, some, "{q}: {items} {}", response.message());
    }
    let renamed = json!({ "slug": "south-sea", "name": "Ödland" });
    let patch =
        server.request(Method::PATCH, "/v1/groups/@north-sea").bearer_auth(admin.token()).json(&renamed);
    assert_eq!(Answer::of(patch).await.code(), 200);
    let patch = server.request(Method::PATCH, "/v1/roles/@can_vo-it").bearer_auth(admin.token());
    assert_eq!(Answer::of(patch.json(&json!({ "name": "may-go" }))).await.code(), 200);
    for (path, q, expected) in [
        ("/v1/groups", "so od", "south-sea"),
        ("/v1/groups", "angstrom", ""),
        ("/v1/roles", "go ow", "may-go"),
        ("/v1/roles", "vo", ""),
    ] {
        let found = found(&server, &admin, path, q).await;
        wrong.unless_equal(&format!("{path}?q={q}"), &found, &split(expected));
    }
    wrong.none();
}

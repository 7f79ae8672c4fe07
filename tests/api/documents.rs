//! Custom data and preferences: JSON objects that are merged, replaced and limited in size.

use http::Method;
use rollcall_api::access::Permission;
use rollcall_client::{Session, error_code, etag};
use serde_json::{Map, Value, json};

use super::{create, object, refusal};
use crate::support::{Answer, Refused, TestServer};

async fn merge(session: &Session, user: &str, patch: Value) -> Value {
    let response = session.user_custom_data_update().user(user).body(object(patch)).send().await.unwrap();
    Value::Object(response.into_inner().0)
}

async fn replace(session: &Session, user: &str, whole: Value) -> Value {
    let response = session.user_custom_data_replace().user(user).body(object(whole)).send().await.unwrap();
    Value::Object(response.into_inner().0)
}

async fn kept(session: &Session, user: &str) -> Value {
    Value::Object(session.user_custom_data_view().user(user).send().await.unwrap().into_inner().0)
}

/// The examples of RFC 7396, appendix A, whose target and patch are objects. Logto merges only the first
/// level and cannot remove a member.
#[tokio::test]
async fn user_custom_data_update_merges_as_rfc_7396_specifies() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (target, patch, result) in [
        (json!({ "a": "b" }), json!({ "a": "c" }), json!({ "a": "c" })),
        (json!({ "a": "b" }), json!({ "b": "c" }), json!({ "a": "b", "b": "c" })),
        (json!({ "a": "b" }), json!({ "a": null }), json!({})),
        (json!({ "a": "b", "b": "c" }), json!({ "a": null }), json!({ "b": "c" })),
        (json!({ "a": ["b"] }), json!({ "a": "c" }), json!({ "a": "c" })),
        (json!({ "a": "c" }), json!({ "a": ["b"] }), json!({ "a": ["b"] })),
        (json!({ "a": { "b": "c" } }), json!({ "a": { "b": "d", "c": null } }), json!({ "a": { "b": "d" } })),
        (json!({ "a": [{ "b": "c" }] }), json!({ "a": [1] }), json!({ "a": [1] })),
        (json!({ "e": null }), json!({ "a": 1 }), json!({ "e": null, "a": 1 })),
        (json!({}), json!({ "a": { "bb": { "ccc": null } } }), json!({ "a": { "bb": {} } })),
        (json!({ "a": "b" }), json!({}), json!({ "a": "b" })),
    ] {
        replace(&admin, "me", target.clone()).await;
        assert_eq!(merge(&admin, "me", patch.clone()).await, result, "{target} + {patch}");
        assert_eq!(kept(&admin, "me").await, result, "{target} + {patch}, read again");
    }
}

/// A caller with write but without read permission sees only the written values, in the response, its tag and
/// conditions.
#[tokio::test]
async fn user_custom_data_update_and_replace_hide_data_from_callers_without_read_permission() {
    let server = TestServer::start().await;
    let (admin, writer) = (server.admin().await, server.holder("writer", &[Permission::UsersWrite]).await);
    server.user("ada").await;
    let secret = json!({ "pay": { "salary": 5000, "grade": "b" }, "plan": "pro", "list": [{ "x": 1 }] });
    replace(&admin, "@ada", secret.clone()).await;
    for (patch, shown) in [
        (json!({}), json!({})),
        (json!({ "pay": {} }), json!({ "pay": {} })),
        (json!({ "pay": { "grade": "c", "gone": null } }), json!({ "pay": { "grade": "c" } })),
        (json!({ "plan": "free", "gone": null }), json!({ "plan": "free" })),
        (json!({ "new": { "a": { "b": null } } }), json!({ "new": { "a": {} } })),
    ] {
        assert_eq!(merge(&writer, "@ada", patch.clone()).await, shown, "{patch}");
    }
    let after = json!({ "pay": { "salary": 5000, "grade": "c" }, "plan": "free", "list": [{ "x": 1 }],
        "new": { "a": {} } });
    assert_eq!(kept(&admin, "@ada").await, after);
    let seen = admin.user_custom_data_view().user("@ada").send().await.unwrap();
    let patch = || object(json!({}));
    let tag = async |user: &str| {
        let response = writer.user_custom_data_update().user(user).body(patch()).send().await.unwrap();
        etag(&response).unwrap().to_owned()
    };
    assert_eq!(tag("@ada").await, {
        server.user("eve").await;
        tag("@eve").await
    });
    // Nor does a condition confirm a guess.
    for guess in [etag(&seen).unwrap(), "\"x\""] {
        let refused =
            writer.user_custom_data_update().user("@ada").if_match(guess).body(patch()).send().await;
        assert_eq!(refused.refusal(), refusal(403, error_code::FORBIDDEN));
        let refused =
            writer.user_custom_data_replace().user("@ada").if_match(guess).body(patch()).send().await;
        assert_eq!(refused.refusal(), refusal(403, error_code::FORBIDDEN));
    }
    writer.user_custom_data_update().user("@ada").if_match("*").body(patch()).send().await.unwrap();
    assert_eq!(merge(&writer, "me", json!({})).await, json!({}));
    let whole = json!({ "a": [1, { "b": 2 }], "c": { "d": null } });
    assert_eq!(replace(&writer, "@ada", whole.clone()).await, whole);
    // A user may view their own custom data, so it is returned.
    replace(&admin, "@writer", secret.clone()).await;
    assert_eq!(merge(&writer, "me", json!({})).await, secret);
    assert_eq!(merge(&admin, "@ada", json!({ "c": null })).await, json!({ "a": [1, { "b": 2 }] }));
}

#[tokio::test]
async fn user_custom_data_replace_replaces_the_whole_object() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    assert_eq!(kept(&admin, "@ada").await, json!({}));
    merge(&admin, "@ada", json!({ "a": { "b": 1 }, "c": 2 })).await;
    let whole = json!({ "a": { "d": null }, "list": [null, { "e": [] }] });
    assert_eq!(replace(&admin, "@ada", whole.clone()).await, whole);
    assert_eq!(kept(&ada, "me").await, whole, "null is a value here");
    let seen = ada.user_view().user("me").send().await.unwrap();
    assert_eq!(seen.custom_data.as_ref().map(|data| Value::Object(data.0.clone())), Some(whole));
    assert_eq!(replace(&admin, "@ada", json!({})).await, json!({}));
}

#[tokio::test]
async fn user_custom_data_view_is_for_the_user_and_update_for_holders() {
    let server = TestServer::start().await;
    let (ada, eve) = (server.user("ada").await, server.user("eve").await);
    let writer = server.holder("writer", &[Permission::UsersWrite]).await;
    let reader = server.holder("reader", &[Permission::UsersRead]).await;
    assert_eq!(merge(&writer, "@ada", json!({ "plan": "pro" })).await, json!({ "plan": "pro" }));
    assert_eq!(
        (kept(&ada, "me").await, kept(&reader, "@ada").await),
        (json!({ "plan": "pro" }), json!({ "plan": "pro" }))
    );
    for session in [&eve, &writer] {
        let refused = session.user_custom_data_view().user("@ada").send().await.refusal();
        assert_eq!(refused, refusal(403, error_code::FORBIDDEN));
    }
    for (session, user) in [(&ada, "me"), (&reader, "@ada"), (&writer, "@administrator")] {
        let body = object(json!({ "plan": "free" }));
        let refused = session.user_custom_data_update().user(user).body(body.clone()).send().await.refusal();
        assert_eq!(refused, refusal(403, error_code::FORBIDDEN), "{user}");
        let refused = session.user_custom_data_replace().user(user).body(body).send().await.refusal();
        assert_eq!(refused, refusal(403, error_code::FORBIDDEN), "{user}");
    }
    assert_eq!(kept(&ada, "me").await, json!({ "plan": "pro" }));
}

#[tokio::test]
async fn user_preferences_view_and_update_are_for_the_user_only() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let body = object(json!({ "theme": { "name": "dark", "accent": "red" }, "beta": true }));
    ada.user_preferences_update().user("me").body(body).send().await.unwrap();
    let patch = object(json!({ "theme": { "accent": null }, "beta": null, "font": 12 }));
    let merged = ada.user_preferences_update().user("@ada").body(patch.clone()).send().await.unwrap();
    let expected = object(json!({ "theme": { "name": "dark" }, "font": 12 }));
    assert_eq!(merged.0, expected.0);
    assert_eq!(ada.user_preferences_view().user("me").send().await.unwrap().0, expected.0);
    let refused = admin.user_preferences_view().user("@ada").send().await.refusal();
    assert_eq!(refused, refusal(403, error_code::FORBIDDEN));
    let refused = admin.user_preferences_update().user("@ada").body(patch).send().await.refusal();
    assert_eq!(refused, refusal(403, error_code::FORBIDDEN));
    let seen = admin.user_view().user("@ada").send().await.unwrap();
    assert!(!serde_json::to_string(&*seen).unwrap().contains("dark"), "nor are they part of the record");
}

/// An object of `size` bytes as compact JSON.
fn sized(size: usize) -> Value {
    let frame = json!({ "x": "" }).to_string().len();
    json!({ "x": "y".repeat(size - frame) })
}

/// An object nested to the given depth.
fn nested(depth: usize) -> Value {
    (1..depth)
        .fold(json!({}), |inner, level| if level % 2 == 0 { json!([inner]) } else { json!({ "x": inner }) })
}

#[tokio::test]
async fn user_custom_data_replace_enforces_limits_and_writes_all_or_nothing() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let member = |value: Value| json!({ "x": value });
    for (fits, too_large) in [(sized(16_384), sized(16_385)), (member(nested(15)), member(nested(16)))] {
        replace(&admin, "me", json!({ "before": 1 })).await;
        let before = server.dump().await;
        let replaced =
            admin.user_custom_data_replace().user("me").body(object(too_large.clone())).send().await;
        assert_eq!(replaced.refusal(), refusal(422, error_code::DOCUMENT_TOO_LARGE));
        let merged = admin.user_custom_data_update().user("me").body(object(too_large.clone())).send().await;
        assert_eq!(merged.refusal(), refusal(422, error_code::DOCUMENT_TOO_LARGE));
        let preferred =
            admin.user_preferences_update().user("me").body(object(too_large.clone())).send().await;
        assert_eq!(preferred.refusal(), refusal(422, error_code::DOCUMENT_TOO_LARGE));
        let made = create(json!({ "username": "x", "custom_data": too_large }));
        let made = admin.user_create().body(made).send().await;
        assert_eq!(made.refusal(), refusal(422, error_code::DOCUMENT_TOO_LARGE));
        assert_eq!(server.dump().await, before);
        assert_eq!(replace(&admin, "me", fits.clone()).await, fits);
    }
}

#[tokio::test]
async fn user_custom_data_update_limits_the_merged_object() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    replace(&admin, "me", sized(16_384)).await;
    let patch = object(json!({ "z": 1 }));
    let refused = admin.user_custom_data_update().user("me").body(patch).send().await.refused();
    assert_eq!(refused.code(), Some(error_code::DOCUMENT_TOO_LARGE));
    assert!(refused.message().contains("16384"), "{}", refused.message());
    assert_eq!(kept(&admin, "me").await, sized(16_384));
    assert_eq!(merge(&admin, "me", json!({ "x": "y", "z": 1 })).await, json!({ "x": "y", "z": 1 }));
}

/// Postgres prints 1e308 with all of its digits, which once made every read of that user fail.
#[tokio::test]
async fn user_custom_data_replace_preserves_numbers_and_texts() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let whole = json!({
        "largest": f64::MAX, "least": f64::MIN, "smallest": f64::MIN_POSITIVE, "denormal": 5e-324, "third": 1.0 / 3.0,
        "u64": u64::MAX, "i64": i64::MIN, "beyond": 36_893_488_147_419_103_232.0, "one": 1.0, "exponent": 1e21, "zero": 0,
        "texts": ["", "\u{1f980} Größe \u{202e}tfel", "e\u{301}", "é", "\u{1}\u{7f}\u{85}\u{2028}\u{feff}", "\\ \" / \u{10ffff}"],
        "": { "\u{1f511}\u{fe0f}": true, "a.b": false, "__proto__": null, "$ref": "#/x" },
    });
    for text in ["largest", "beyond"] {
        assert!(whole[text].is_f64());
    }
    assert_eq!(replace(&admin, "@ada", whole.clone()).await, whole);
    assert_eq!(kept(&ada, "me").await, whole);
    ada.user_preferences_update().user("me").body(object(whole.clone())).send().await.unwrap();
    let preferences = ada.user_preferences_view().user("me").send().await.unwrap().into_inner();
    // A merge removes members that are null.
    let mut expected = whole.clone();
    expected[""].as_object_mut().unwrap().remove("__proto__");
    assert_eq!(Value::Object(preferences.0), expected);
    for session in [&admin, &ada] {
        session.user_view().user("@ada").send().await.unwrap();
        session.user_list().send().await.unwrap();
    }
    assert_eq!(
        merge(&admin, "@ada", json!({ "third": null, "zero": 1e308 })).await["largest"],
        json!(f64::MAX)
    );
    server.sign_in("ada").await;
}

/// Custom data and preferences have separate tags: changes elsewhere do not affect them.
#[tokio::test]
async fn user_custom_data_update_and_user_preferences_update_have_tags_of_their_own() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let first = admin.user_custom_data_view().user("me").send().await.unwrap();
    let old = etag(&first).unwrap();
    let unchanged = admin.user_custom_data_view().user("me").if_none_match(old).send().await.refused();
    assert!(unchanged.is_not_modified());
    let write = async |tag: &str, value: i32| {
        let body = object(json!({ "a": value }));
        admin.user_custom_data_update().user("me").if_match(tag).body(body).send().await
    };
    let second = write(old, 1).await.unwrap();
    let new = etag(&second).unwrap();
    let stale = write(old, 2).await.unwrap_err();
    assert_eq!((stale.code(), stale.etag()), (Some(error_code::PRECONDITION_FAILED), Some(new)));
    let body = object(json!({}));
    let stale = admin.user_custom_data_replace().user("me").if_match(old).body(body.clone()).send().await;
    assert_eq!(stale.refusal(), refusal(412, error_code::PRECONDITION_FAILED));
    let read = admin.user_custom_data_view().user("me").send().await.unwrap();
    assert_eq!((etag(&read), &read["a"]), (Some(new), &json!(1)));

    let preferences = admin.user_preferences_view().user("me").send().await.unwrap();
    let before = etag(&preferences).unwrap();
    let stale = admin.user_preferences_update().user("me").if_match(new).body(body.clone()).send().await;
    assert_eq!(stale.refusal(), refusal(412, error_code::PRECONDITION_FAILED), "another's");
    let whole = async || admin.user_view().user("me").send().await.unwrap();
    let seen = whole().await;
    let dark = object(json!({ "theme": "dark" }));
    let after = admin.user_preferences_update().user("me").if_match(before).body(dark).send().await.unwrap();
    let known = admin.user_preferences_view().user("me").if_none_match(etag(&after).unwrap()).send().await;
    assert!(known.refused().is_not_modified());
    let stale = admin.user_preferences_update().user("me").if_match(before).body(body.clone()).send().await;
    assert_eq!(stale.refusal(), refusal(412, error_code::PRECONDITION_FAILED));
    let same = whole().await;
    assert_eq!((etag(&same), same.updated_at), (etag(&seen), seen.updated_at), "nobody sees them there");
    admin.user_custom_data_replace().user("me").if_match(new).body(body).send().await.unwrap();
    assert_ne!(etag(&whole().await), etag(&seen));
}

/// The database prints some numbers in another form than the request. The tag is the one of a later read.
#[tokio::test]
async fn user_custom_data_update_returns_the_tag_of_the_next_read() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for number in ["-0.0", "1e5", "1.10", "0.1e-3", "18446744073709551615"] {
        let body = format!("{{\"b\": {number}, \"a\": [{number}]}}");
        for (method, path) in
            [(Method::PATCH, "custom-data"), (Method::PUT, "custom-data"), (Method::PATCH, "preferences")]
        {
            let path = format!("/v1/users/me/{path}");
            let write = server.request(method, &path).bearer_auth(admin.token());
            let written =
                Answer::of(write.header("content-type", "application/json").body(body.clone())).await;
            let read = Answer::of(server.request(Method::GET, &path).bearer_auth(admin.token())).await;
            assert_eq!(written.code(), 200, "{number}");
            assert_eq!(
                (written.header("etag"), &written.body),
                (read.header("etag"), &read.body),
                "{number}"
            );
        }
    }
}

#[tokio::test]
async fn user_create_stores_custom_data_and_preferences() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let data: Map<String, Value> = object(json!({ "plan": { "name": "pro" } })).0;
    let made = json!({ "username": "ada", "custom_data": data });
    admin.user_create().body(create(made)).send().await.unwrap();
    assert_eq!(kept(&admin, "@ada").await, Value::Object(data));
}

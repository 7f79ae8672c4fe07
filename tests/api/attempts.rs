//! Limits on guessing: which requests count as attempts, against which keys, and the contents and effects of
//! a 429.

use std::net::IpAddr;

use chrono::TimeDelta;
use http::Method;
use rollcall_api::access::Permission;
use rollcall_client::{error_code, types};
use rollcall_server::config::Config;
use serde_json::json;

use super::{bodies, create, refusal};
use crate::support::{Answer, PASSWORD, Refused, TestServer};

/// Trusts the `X-Forwarded-For` header of requests.
fn behind_a_proxy(config: &mut Config) {
    config.http.trusted_proxies = vec![IpAddr::from([127, 0, 0, 1])];
}

async fn login(server: &TestServer, from: &str, identifier: &str, password: &str) -> Answer {
    let request = server.request(Method::POST, "/v1/login").header("x-forwarded-for", from);
    Answer::of(request.json(&json!({ "identifier": identifier, "password": password }))).await
}

/// The statuses of several logins with a wrong password.
async fn guesses(server: &TestServer, from: &[&str], names: &[&str]) -> Vec<u16> {
    let mut codes = Vec::new();
    for (number, name) in names.iter().enumerate() {
        codes.push(login(server, from[number % from.len()], name, "wrong").await.code());
    }
    codes
}

#[tokio::test]
async fn login_counts_an_ipv4_address_in_every_notation() {
    let limit = |config: &mut Config| config.throttle.source_attempts = 3;
    let server = TestServer::builder().config(behind_a_proxy).config(limit).start().await;
    let forms = ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207", "0:0:0:0:0:ffff:192.0.2.7"];
    assert_eq!(guesses(&server, &forms, &["a", "b", "c", "d"]).await, [401, 401, 401, 429]);
    assert_eq!(guesses(&server, &["192.0.2.8"], &["e"]).await, [401]);
    let others = server.count("SELECT count(*) FROM audit_events WHERE address LIKE '%:%'").await;
    assert_eq!(others, 0, "and goes on record in one form");
}

#[tokio::test]
async fn login_counts_an_ipv6_address_by_its_network() {
    let limit = |config: &mut Config| config.throttle.source_attempts = 3;
    let server = TestServer::builder().config(behind_a_proxy).config(limit).start().await;
    let network = ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::"];
    assert_eq!(guesses(&server, &network, &["a", "b", "c", "d"]).await, [401, 401, 401, 429]);
    for other in ["2001:db8:1:3::1", "2001:db8:0:2::1"] {
        assert_eq!(guesses(&server, &[other], &["e"]).await, [401], "{other}");
    }
}

/// A user who was locked out by guesses can log in with the password that an administrator has just set.
#[tokio::test]
async fn user_password_set_forgets_the_attempts() {
    let limit = |config: &mut Config| config.throttle.account_attempts = 3;
    let server = TestServer::builder().config(limit).start().await;
    let admin = server.admin().await;
    server.user("ada").await;
    assert_eq!(guesses(&server, &["-"], &["ada"; 4]).await, [401, 401, 401, 429]);
    let new = "seven copper kettles sing at dawn";
    let body = types::UserPasswordSet { password: new.into(), must_change: None };
    let source = "SELECT coalesce(max(count), 0)::bigint FROM attempts";
    let before = server.count(source).await;
    admin.user_password_set().user("@ada").body(body).send().await.unwrap();
    assert_eq!(server.count(source).await, before, "and none of those of the source");
    assert_eq!(login(&server, "-", "ada", new).await.code(), 200);
}

/// Names are counted in folded form, including unknown ones: otherwise a 429 would reveal which names exist.
#[tokio::test]
async fn login_counts_unknown_names_like_existing_ones() {
    let limit = |config: &mut Config| config.throttle.account_attempts = 3;
    let server = TestServer::builder().config(limit).start().await;
    let body = json!({ "username": "strauß", "email": "known@example.org", "password": PASSWORD });
    server.admin().await.user_create().body(create(body)).send().await.unwrap();
    for names in [
        ["strauß", "STRAUSS", "Ｓtrauß", "strauß", "Strauss"],
        ["weiß", "WEISS", "Ｗeiß", "weiß", "Weiss"],
        [
            "known@example.org",
            "KNOWN@example.org",
            "Known@Example.org",
            "known@example.org",
            "known@EXAMPLE.org",
        ],
        [
            "nobody@example.org",
            "NOBODY@example.org",
            "Nobody@Example.org",
            "nobody@example.org",
            "nobody@EXAMPLE.org",
        ],
    ] {
        // The username and the email address count as the same account.
        server.sql("DELETE FROM attempts").await;
        assert_eq!(guesses(&server, &["-"], &names).await, [401, 401, 401, 429, 429], "{names:?}");
    }
}

#[tokio::test]
async fn login_from_a_limited_address_counts_against_no_account() {
    let limits = |config: &mut Config| {
        config.throttle.source_attempts = 5;
        config.throttle.account_attempts = 3;
    };
    let server = TestServer::builder().config(behind_a_proxy).config(limits).start().await;
    server.quick_user("ada").await;
    let names: Vec<String> = (0..40).map(|number| format!("nobody{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let codes = guesses(&server, &["192.0.2.7"], &names).await;
    assert_eq!((codes[..5].to_vec(), codes[5..].iter().all(|code| *code == 429)), (vec![401; 5], true));
    assert_eq!(server.count("SELECT count(*) FROM attempts").await, 6, "the address and five names");
    assert_eq!(guesses(&server, &["192.0.2.7"], &["ada"; 10]).await, [429; 10]);
    let elsewhere = login(&server, "192.0.2.8", "ada", PASSWORD).await;
    assert_eq!(elsewhere.code(), 200, "nobody is kept out by an address that is");
    assert_eq!(login(&server, "192.0.2.7", "ada", PASSWORD).await.code(), 429);
}

#[tokio::test]
async fn login_over_the_limit_leaves_an_audit_event() {
    let limit = |config: &mut Config| config.throttle.account_attempts = 2;
    let server = TestServer::builder().config(limit).start().await;
    let ada = server.quick_user("ada").await;
    assert_eq!(guesses(&server, &["-"], &["ada", "ada"]).await, [401, 401]);
    let limited = login(&server, "-", "ada", PASSWORD).await;
    assert_eq!((limited.code(), limited.error_code().as_str()), (429, error_code::TOO_MANY_ATTEMPTS));
    let query = "SELECT to_jsonb(e) FROM audit_events e WHERE request_id = $1";
    let id = limited.header("x-request-id").to_owned();
    let events = server.db().await.query(query, &[&id]).await.unwrap();
    assert_eq!(events.len(), 1);
    let event: serde_json::Value = events[0].get(0);
    assert_eq!(
        (&event["operation"], &event["result"], &event["error_code"]),
        (&json!("login"), &json!("refused"), &json!(error_code::TOO_MANY_ATTEMPTS))
    );
    assert_eq!((&event["target_id"], &event["address"]), (&json!(ada.id), &json!("127.0.0.1")));
}

#[tokio::test]
async fn user_password_verify_of_correct_passwords_uses_no_attempts() {
    let limits = |config: &mut Config| {
        config.throttle.source_attempts = 5;
        config.throttle.account_attempts = 3;
    };
    let server = TestServer::builder().config(limits).start().await;
    server.quick_user("ada").await;
    let app = server.quick_user("app").await;
    server.grant(app.id, [Permission::UsersCredentials.as_str()]).await;
    let verify = async |password: &str| {
        let request = server.request(Method::POST, "/v1/users/@ada/password/verify").bearer_auth(app.token());
        Answer::of(request.json(&json!({ "password": password }))).await.code()
    };
    for number in 0..20 {
        assert_eq!(verify(PASSWORD).await, 204, "the {number}th");
    }
    // A correct password clears the account's attempts; only wrong ones count against the address.
    for expected in [422, 422, 204, 422, 422, 204, 422, 429] {
        let password = if expected == 204 { PASSWORD } else { "wrong" };
        assert_eq!(verify(password).await, expected);
    }
}

/// Also where the password must be changed: a caller who knows it is not guessing.
#[tokio::test]
async fn login_with_a_correct_but_expired_password_uses_no_attempts() {
    let limits = |config: &mut Config| {
        config.throttle.source_attempts = 5;
        config.throttle.account_attempts = 3;
    };
    let server = TestServer::builder().config(limits).start().await;
    let body = json!({ "username": "ada", "password": PASSWORD, "must_change_password": true });
    let admin = server.admin().await;
    admin.user_create().body(create(body)).send().await.unwrap();
    for _ in 0..10 {
        assert_eq!(login(&server, "-", "ada", PASSWORD).await.error_code(), error_code::PASSWORD_EXPIRED);
        let verified =
            server.request(Method::POST, "/v1/users/@ada/password/verify").bearer_auth(admin.token());
        let verified = Answer::of(verified.json(&json!({ "password": PASSWORD }))).await;
        assert_eq!(verified.error_code(), error_code::PASSWORD_EXPIRED);
    }
}

#[tokio::test]
async fn invitation_accept_uses_attempts_only_on_failure() {
    let limit = |config: &mut Config| config.throttle.source_attempts = 4;
    let server = TestServer::builder().config(limit).start().await;
    let (admin, ada) = (server.quick_user("root").await, server.quick_user("ada").await);
    server.make_administrator(admin.id).await;
    let mut tokens = Vec::new();
    for number in 0..12 {
        let group = bodies::group(json!({ "slug": format!("g{number}"), "name": "G" }));
        admin.group_create().body(group).send().await.unwrap();
        let invite = admin.group_invitation_create().group(format!("@g{number}"));
        let made = invite.body(bodies::invitation(json!({}))).send().await.unwrap().into_inner();
        tokens.push(made.token.unwrap());
    }
    let accept = async |token: &str| {
        let body: types::InvitationAccept = serde_json::from_value(json!({ "token": token })).unwrap();
        ada.invitation_accept().body(body).send().await
    };
    for token in &tokens {
        accept(token).await.unwrap();
    }
    for _ in 0..4 {
        let invalid = accept(&tokens[0]).await.refusal();
        assert_eq!(invalid, refusal(422, error_code::INVITATION_INVALID));
    }
    assert_eq!(accept(&tokens[0]).await.refusal(), refusal(429, error_code::TOO_MANY_ATTEMPTS));
}

/// Writes count as use of a session like reads do.
#[tokio::test]
async fn user_update_keeps_a_session_from_idling_out() {
    let server = TestServer::start().await;
    let ada = server.quick_user("ada").await;
    for round in 1..=5 {
        server.advance(TimeDelta::minutes(50));
        let change = server.request(Method::PATCH, "/v1/users/me").bearer_auth(ada.token());
        let changed = Answer::of(change.json(&json!({ "name": format!("Ada {round}") }))).await;
        assert_eq!(changed.code(), 200, "after {round} times 50 minutes: {}", changed.message());
        // The use is recorded concurrently with the request.
        let noted = format!(
            "SELECT count(*) FROM sessions WHERE id = '{}' AND last_used_at >= created_at + interval '{} minutes'",
            ada.session_id,
            round * 50
        );
        crate::support::server::eventually(
            "the use is noted",
            std::time::Duration::from_secs(10),
            || async { (server.count(&noted).await == 1).then_some(()) },
        )
        .await;
    }
}

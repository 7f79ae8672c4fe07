//! Lists exclude expired and ended rows, also before they are swept.

use chrono::TimeDelta;
use http::Method;
use rollcall_client::{Paged, types};
use serde_json::json;

use super::bodies;
use crate::support::{Answer, Person, TestServer};

/// Caller, method, path and body of a request.
type Call = (&'static str, Method, &'static str, &'static str);

async fn invited(who: &Person, group: &str) -> Vec<String> {
    let listed: Vec<types::Invitation> =
        who.group_invitation_list().group(group).limit(1u32).stream().collect().await.unwrap();
    listed.into_iter().map(|invitation| invitation.id.0.to_string()).collect()
}

#[tokio::test]
async fn group_invitation_list_shows_no_invitation_that_has_expired() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let body = json!({ "slug": "engine", "name": "Engine", "owner": "@ada" });
    admin.group_create().body(bodies::group(body)).send().await.unwrap();
    let mut made = Vec::new();
    for seconds in [60, 120, 180] {
        let body = bodies::invitation(json!({ "expires_in_seconds": seconds }));
        let one = ada.group_invitation_create().group("@engine").body(body).send().await.unwrap();
        made.push(one.invitation.id.0.to_string());
    }
    assert_eq!(invited(&ada, "@engine").await, made);
    server.advance(TimeDelta::seconds(59));
    assert_eq!(invited(&ada, "@engine").await, made);
    for _ in 0..3 {
        server.advance(TimeDelta::seconds(1));
        made.remove(0);
        assert_eq!(invited(&ada, "@engine").await, made);
        server.advance(TimeDelta::seconds(59));
    }
    assert_eq!(server.count("SELECT count(*) FROM invitations").await, 3, "nothing was swept");
}

/// Every way in which an invitation becomes void: the list agrees with the result of acceptance.
#[tokio::test]
async fn group_invitation_list_shows_what_can_be_accepted() {
    let ways: &[(&str, &[Call])] = &[
        ("nothing", &[]),
        ("withdrawn", &[("ada", Method::DELETE, "/v1/groups/@engine/invitations/{invitation}", "")]),
        ("suspended", &[("administrator", Method::POST, "/v1/users/@ada/suspend", "{}")]),
        (
            "reactivated",
            &[
                ("administrator", Method::POST, "/v1/users/@ada/suspend", "{}"),
                ("administrator", Method::POST, "/v1/users/@ada/reactivate", "{}"),
            ],
        ),
        ("left", &[("ada", Method::DELETE, "/v1/groups/@engine/members/me", "")]),
        (
            "back again",
            &[
                ("ada", Method::DELETE, "/v1/groups/@engine/members/me", ""),
                (
                    "grace",
                    Method::POST,
                    "/v1/groups/@engine/members",
                    r#"{"user":"@ada","roles":["@owner"]}"#,
                ),
            ],
        ),
        (
            "demoted",
            &[("grace", Method::PATCH, "/v1/groups/@engine/members/@ada", r#"{"roles":["@member"]}"#)],
        ),
        ("admin", &[("grace", Method::PATCH, "/v1/groups/@engine/members/@ada", r#"{"roles":["@admin"]}"#)]),
        (
            "maintainer",
            &[("grace", Method::PATCH, "/v1/groups/@engine/members/@ada", r#"{"roles":["@maintainer"]}"#)],
        ),
        (
            "left, but may write all groups",
            &[
                (
                    "administrator",
                    Method::POST,
                    "/v1/roles",
                    r#"{"name":"gardener","scope":"global","permissions":["groups:write"]}"#,
                ),
                ("administrator", Method::POST, "/v1/users/@ada/roles", r#"{"roles":["@gardener"]}"#),
                ("ada", Method::DELETE, "/v1/groups/@engine/members/me", ""),
            ],
        ),
        ("deleted", &[("administrator", Method::DELETE, "/v1/users/@ada", "")]),
        ("without its role", &[("administrator", Method::DELETE, "/v1/roles/@crew", "")]),
        (
            "password set",
            &[(
                "administrator",
                Method::PUT,
                "/v1/users/@ada/password",
                r#"{"password":"seven copper kettles sing at dawn"}"#,
            )],
        ),
    ];
    for (way, calls) in ways {
        for role in ["@member", "@worker", "@admin", "@owner", "@crew"] {
            let server = TestServer::start().await;
            for name in ["ada", "grace", "eve"] {
                server.user(name).await;
            }
            let call = async |who: &str, method: &Method, path: &str, body: &str| {
                let token = server.sign_in(who).await.token();
                let request = server.request(method.clone(), path).bearer_auth(token).header("if-match", "*");
                let request = if body.is_empty() {
                    request
                } else {
                    request.header("content-type", "application/json").body(body.to_owned())
                };
                let response = Answer::of(request).await;
                assert!(response.status.is_success(), "{way}: {path}: {}", response.message());
                response.json()
            };
            let engine = r#"{"slug":"engine","name":"Engine","owner":"@ada"}"#;
            call("administrator", &Method::POST, "/v1/groups", engine).await;
            let crew = r#"{"name":"crew","scope":"group","permissions":["work:do","work:lead"]}"#;
            call("administrator", &Method::POST, "/v1/roles", crew).await;
            let own = r#"{"user":"@grace","roles":["@owner"]}"#;
            call("ada", &Method::POST, "/v1/groups/@engine/members", own).await;
            let body = json!({ "roles": [role] }).to_string();
            let made = call("ada", &Method::POST, "/v1/groups/@engine/invitations", &body).await;
            let id = made["invitation"]["id"].as_str().unwrap();
            server.advance(TimeDelta::seconds(1));
            for (who, method, path, body) in *calls {
                call(who, method, &path.replace("{invitation}", id), body).await;
                server.advance(TimeDelta::seconds(1));
            }
            let listed = invited(&server.sign_in("grace").await, "@engine").await;
            let token = bodies::token(made["token"].as_str().unwrap());
            let accepted = server.sign_in("eve").await.invitation_accept().body(token).send().await.is_ok();
            assert_eq!(listed, if accepted { vec![id.to_owned()] } else { vec![] }, "{way}, {role}");
        }
    }
}

/// Ended by age and by idle time, and not earlier.
#[tokio::test]
async fn user_session_list_shows_no_session_that_has_ended() {
    let server =
        TestServer::builder().config(|config| config.session.idle_timeout_seconds = 7200).start().await;
    let ada = server.quick_user("ada").await;
    let admin = server.admin().await;
    let listed = async |who: &Person| {
        let sessions: Vec<types::Session> =
            who.user_session_list().user("@ada").limit(1u32).stream().collect().await.unwrap();
        sessions.into_iter().map(|session| session.id.0).collect::<Vec<_>>()
    };
    let (young, old) = (server.sign_in("ada").await, ada);
    assert_eq!(listed(&admin).await, [young.session_id, old.session_id]);
    server.expire(old.session_id).await;
    assert_eq!(listed(&admin).await, [young.session_id], "its time is over");
    server.advance(TimeDelta::seconds(7199));
    let admin = server.sign_in("administrator").await;
    assert_eq!(listed(&admin).await, [young.session_id]);
    server.advance(TimeDelta::seconds(1));
    assert!(listed(&admin).await.is_empty(), "nobody used it");
    assert_eq!(
        server
            .count(
                "SELECT count(*) FROM sessions WHERE user_id IN (SELECT id FROM users WHERE username = 'ada')"
            )
            .await,
        2
    );
}

//! Privilege escalation: each test takes a power that one request is denied and tries to get it by another
//! request.

use chrono::TimeDelta;
use rollcall_api::access::Permission;
use rollcall_client::{error_code, types};
use rollcall_server::clock::Clock;
use serde_json::json;

use super::{bodies, create, is_live, refusal, update};
use crate::support::people::new_user;
use crate::support::{Answer, PASSWORD, Person, Refused, TestServer};

const STRONG: &str = "@strong";

fn forbidden() -> (u16, String) {
    refusal(403, error_code::FORBIDDEN)
}

fn set(password: &str) -> types::UserPasswordSet {
    serde_json::from_value(json!({ "password": password })).unwrap()
}

/// A global role with `users:delete`, and one with an application's permission.
async fn strong(server: &TestServer) -> Person {
    let admin = server.admin().await;
    for body in [
        json!({ "name": "strong", "permissions": ["users:delete"] }),
        json!({ "name": "editor", "permissions": ["articles:write"] }),
    ] {
        admin.role_create().body(bodies::role(body)).send().await.unwrap();
    }
    admin
}

/// An administrator, and Ada, who owns the group `engine`.
async fn engine(server: &TestServer) -> (Person, Person) {
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let body = json!({ "slug": "engine", "name": "Engine", "owner": "@ada" });
    admin.group_create().body(bodies::group(body)).send().await.unwrap();
    (admin, ada)
}

#[tokio::test]
async fn role_update_makes_no_default_of_a_role_that_the_caller_may_not_grant() {
    let server = TestServer::start().await;
    strong(&server).await;
    let caller = server.holder("caller", &[Permission::RolesWrite, Permission::UsersWrite]).await;
    let default = |role: &'static str| {
        let body = bodies::role_changes(json!({ "is_default": true }));
        caller.role_update().role(role).body(body).send()
    };
    assert_eq!(default(STRONG).await.refusal(), forbidden());
    let by_role = default("@editor").await.refused();
    assert!(by_role.message().contains("roles:assign"), "{}", by_role.message());
    let new = json!({ "name": "new", "permissions": ["users:write"], "is_default": true });
    assert_eq!(caller.role_create().body(bodies::role(new.clone())).send().await.refusal(), forbidden());
    server.grant(caller.id, ["roles:assign"]).await;
    assert_eq!(default(STRONG).await.refusal(), forbidden(), "with roles:assign, but without users:delete");
    default("@editor").await.unwrap();
    caller.role_create().body(bodies::role(new)).send().await.unwrap();
    let made = caller.user_create().body(new_user("made")).send().await.unwrap();
    let roles = server.admin().await.user_view().user(made.id.0.to_string()).send().await.unwrap();
    assert_eq!(roles.roles.as_deref(), Some(&["editor".to_owned(), "new".into()][..]));
    // Only a caller who could grant a default role may change it.
    let grow = bodies::role_changes(json!({ "permissions": ["users:write", "users:delete"] }));
    assert_eq!(caller.role_update().role("@new").body(grow).send().await.refusal(), forbidden());
}

/// A default role is granted to every new user: changing it takes more than defining roles.
#[tokio::test]
async fn role_update_of_a_default_role_needs_the_permission_to_grant_it() {
    let server = TestServer::start().await;
    let admin = strong(&server).await;
    let held = [Permission::RolesWrite, Permission::UsersWrite, Permission::UsersDelete];
    let caller = server.holder("caller", &held).await;
    let default = bodies::role_changes(json!({ "is_default": true }));
    admin.role_update().role("@editor").body(default).send().await.unwrap();
    let change = async |body: serde_json::Value| {
        caller.role_update().role("@editor").body(bodies::role_changes(body)).send().await
    };
    for permissions in [json!(["articles:write", "users:write"]), json!(["articles:write", "a:b"]), json!([])]
    {
        for body in
            [json!({ "permissions": permissions }), json!({ "permissions": permissions, "is_default": true })]
        {
            let refused = change(body.clone()).await.refused();
            assert_eq!(refused.code(), Some(error_code::FORBIDDEN), "{body}");
            assert!(refused.message().contains("roles:assign"), "{body}: {}", refused.message());
        }
    }
    change(json!({ "description": "Writes.", "permissions": ["articles:write"] })).await.unwrap();
    server.grant(caller.id, ["roles:assign"]).await;
    change(json!({ "permissions": ["articles:write", "users:write"] })).await.unwrap();
    server
        .sql(
            "DELETE FROM role_permissions WHERE permission = 'roles:assign' AND role_id IN \
        (SELECT id FROM roles WHERE name LIKE 'only-%')",
        )
        .await;
    change(json!({ "is_default": false, "permissions": ["users:delete"] })).await.unwrap();
    let back = change(json!({ "is_default": true })).await.refusal();
    assert_eq!(back, forbidden());
}

#[tokio::test]
async fn role_update_of_a_group_role_makes_no_owner() {
    let server = TestServer::start().await;
    let (admin, ada) = engine(&server).await;
    let member = server.holder("member", &[Permission::RolesWrite, Permission::RolesAssign]).await;
    let crew = json!({ "name": "crew", "scope": "group", "permissions": ["data:read"] });
    admin.role_create().body(bodies::role(crew)).send().await.unwrap();
    ada.group_member_add().group("@engine").body(bodies::member("@member", &["@crew"])).send().await.unwrap();
    let change = |permissions: serde_json::Value| {
        let body = bodies::role_changes(json!({ "permissions": permissions }));
        member.role_update().role("@crew").body(body).send()
    };
    for power in ["group:own", "group:admin"] {
        assert_eq!(change(json!(["data:read", power])).await.refusal(), forbidden(), "{power}");
    }
    change(json!(["data:read", "data:write"])).await.unwrap();
    let role = json!({ "name": "chief", "scope": "group", "permissions": ["group:own"] });
    assert_eq!(member.role_create().body(bodies::role(role)).send().await.refusal(), forbidden());
    // Nor may the caller remove permissions from users who hold them by such a role.
    for change in [json!({ "permissions": [] }), json!({ "name": "minders" })] {
        let body = bodies::role_changes(change);
        assert_eq!(member.role_update().role("@maintainer").body(body).send().await.refusal(), forbidden());
    }
    assert_eq!(member.role_delete().role("@maintainer").force(true).send().await.refusal(), forbidden());
    server.grant(member.id, ["groups:write"]).await;
    change(json!(["group:own"])).await.unwrap();
}

#[tokio::test]
async fn role_delete_removes_nothing_from_users_who_outrank_the_caller() {
    let server = TestServer::start().await;
    let admin = strong(&server).await;
    let boss = server.user("boss").await;
    admin.user_role_add().user("@boss").body(bodies::roles(&[STRONG])).send().await.unwrap();
    let writer = server.holder("writer", &[Permission::RolesWrite, Permission::RolesAssign]).await;
    let before = server.dump().await;
    assert_eq!(writer.user_role_remove().user("@boss").role(STRONG).send().await.refusal(), forbidden());
    assert_eq!(writer.role_delete().role(STRONG).force(true).send().await.refusal(), forbidden());
    for change in [json!({ "permissions": [] }), json!({ "name": "weak" }), json!({ "is_default": false })] {
        let body = bodies::role_changes(change);
        assert_eq!(writer.role_update().role(STRONG).body(body).send().await.refusal(), forbidden());
    }
    assert_eq!(before, server.dump().await);
    assert!(boss.session_view().send().await.unwrap().permissions.contains(&"users:delete".to_owned()));
}

/// A caller who could log in as a group's owner would have the owner's power over the group.
#[tokio::test]
async fn user_password_set_takes_over_no_group() {
    let server = TestServer::start().await;
    let (_, ada) = engine(&server).await;
    let clerk = server.holder("clerk", &[Permission::UsersCredentials, Permission::UsersWrite]).await;
    let new = "seven copper kettles sing at dawn";
    assert_eq!(clerk.user_password_set().user("@ada").body(set(new)).send().await.refusal(), forbidden());
    for change in [json!({ "username": "adah" }), json!({ "email": "clerk@example.org" })] {
        let renamed = clerk.user_update().user("@ada").body(update(change)).send().await.refusal();
        assert_eq!(renamed, forbidden(), "what somebody signs in with");
    }
    clerk.user_update().user("@ada").body(update(json!({ "name": "Ada L." }))).send().await.unwrap();
    // A plain member outranks nobody, and neither does a group's administrator outrank its owner.
    server.user("grace").await;
    ada.group_member_add()
        .group("@engine")
        .body(bodies::member("@grace", &["@member"]))
        .send()
        .await
        .unwrap();
    clerk.user_password_set().user("@grace").body(set(new)).send().await.unwrap();
    let promote = bodies::member_roles(&["@admin"]);
    ada.group_member_update().group("@engine").user("@grace").body(promote).send().await.unwrap();
    assert_eq!(clerk.user_password_set().user("@grace").body(set(new)).send().await.refusal(), forbidden());
    server.grant(ada.id, ["users:credentials"]).await;
    ada.user_password_set().user("@grace").body(set(new)).send().await.unwrap();
    let joined = bodies::member("@clerk", &["@admin"]);
    ada.group_member_add().group("@engine").body(joined).send().await.unwrap();
    clerk.user_password_set().user("@grace").body(set(new)).send().await.unwrap();
    assert_eq!(clerk.user_password_set().user("@ada").body(set(new)).send().await.refusal(), forbidden());
    assert!(is_live(&ada).await);
    server.grant(clerk.id, ["groups:write"]).await;
    clerk.user_password_set().user("@ada").body(set(new)).send().await.unwrap();
    assert!(!is_live(&ada).await);
}

/// No caller may take over an account with an application's permission that they could not grant themselves.
#[tokio::test]
async fn user_password_set_takes_no_permission_of_an_application() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let cashier = server.user("cashier").await;
    server.grant(cashier.id, ["billing:refund"]).await;
    let held = [Permission::UsersCredentials, Permission::UsersWrite, Permission::UsersSuspend];
    let clerk = server.holder("clerk", &held).await;
    let new = "seven copper kettles sing at dawn";
    let before = server.dump().await;
    assert_eq!(clerk.user_password_set().user("@cashier").body(set(new)).send().await.refusal(), forbidden());
    let check = types::UserPasswordVerify::builder().password(PASSWORD);
    assert_eq!(clerk.user_password_verify().user("@cashier").body(check).send().await.refusal(), forbidden());
    for change in [
        json!({ "username": "clerk2" }),
        json!({ "email": "clerk@example.org" }),
        json!({ "phone": "+1234567" }),
        json!({ "email": "clerk@example.org", "email_verified": true }),
        json!({ "email_verified": false }),
    ] {
        let changed = clerk.user_update().user("@cashier").body(update(change.clone())).send().await;
        assert_eq!(changed.refusal(), forbidden(), "{change}");
    }
    let ended = clerk.user_session_delete_all().user("@cashier").send().await;
    assert_eq!(ended.refusal(), forbidden());
    assert_eq!(server.dump().await, before);
    // None of these requests lets the clerk log in as the user.
    clerk.user_update().user("@cashier").body(update(json!({ "name": "C." }))).send().await.unwrap();
    clerk.user_suspend().user("@cashier").body(bodies::suspension(json!({}))).send().await.unwrap();
    clerk.user_reactivate().user("@cashier").send().await.unwrap();
    // A caller who may grant the permission may take over the account: by holding it, or by changing roles.
    for way in ["billing:refund", "roles:write"] {
        let name = way.replace(':', "-");
        let other = server.user(&name).await;
        server.grant(other.id, ["users:credentials", way]).await;
        other.user_password_set().user("@cashier").body(set(new)).send().await.unwrap();
    }
    admin.user_password_set().user("@cashier").body(set(PASSWORD)).send().await.unwrap();
}

/// The same inside a group: the user's permissions there count, whichever application they belong to.
#[tokio::test]
async fn user_password_set_takes_no_permission_of_an_application_in_a_group() {
    let server = TestServer::start().await;
    let (admin, ada) = engine(&server).await;
    let clerk = server.holder("clerk", &[Permission::UsersCredentials]).await;
    server.user("grace").await;
    let worker = bodies::member("@grace", &["@worker"]);
    ada.group_member_add().group("@engine").body(worker).send().await.unwrap();
    let new = set("seven copper kettles sing at dawn");
    let grace = async |who: &Person| who.user_password_set().user("@grace").body(new.clone()).send().await;
    assert_eq!(grace(&clerk).await.refusal(), forbidden());
    let elsewhere = bodies::group(json!({ "slug": "tender", "name": "Tender", "owner": "@clerk" }));
    admin.group_create().body(elsewhere).send().await.unwrap();
    assert_eq!(grace(&clerk).await.refusal(), forbidden(), "an owner, but of another group");
    for role in ["@worker", "@supervisor"] {
        ada.group_member_add().group("@engine").body(bodies::member("@clerk", &[role])).send().await.unwrap();
        grace(&clerk).await.unwrap();
        ada.group_member_remove().group("@engine").user("@clerk").send().await.unwrap();
        assert_eq!(grace(&clerk).await.refusal(), forbidden());
    }
    for everywhere in ["work:do", "groups:write"] {
        let other = server.user(&everywhere.replace(':', "-")).await;
        server.grant(other.id, ["users:credentials", everywhere]).await;
        grace(&other).await.unwrap();
    }
}

/// A group's administrator cannot demote its owner, and therefore cannot delete the group either.
#[tokio::test]
async fn group_delete_is_for_owners() {
    let server = TestServer::start().await;
    let (_, ada) = engine(&server).await;
    let grace = server.user("grace").await;
    ada.group_member_add().group("@engine").body(bodies::member("@grace", &["@admin"])).send().await.unwrap();
    let demote = bodies::member_roles(&["@member"]);
    let demoted = grace.group_member_update().group("@engine").user("@ada").body(demote).send().await;
    assert_eq!(demoted.refusal(), forbidden());
    assert_eq!(grace.group_delete().group("@engine").send().await.refusal(), forbidden());
    ada.group_delete().group("@engine").send().await.unwrap();
}

/// Owners who cannot log in do not count: the last one who can must stay.
#[tokio::test]
async fn group_member_remove_keeps_an_owner_who_can_log_in() {
    let server = TestServer::start().await;
    let (admin, ada) = engine(&server).await;
    server.user("grace").await;
    let own = bodies::member("@grace", &["@owner"]);
    ada.group_member_add().group("@engine").body(own).send().await.unwrap();
    let body = bodies::suspension(json!({}));
    admin.user_suspend().user("@grace").body(body.clone()).send().await.unwrap();
    let last = refusal(409, error_code::LAST_OWNER);
    let leave = || ada.group_member_remove().group("@engine").user("me").send();
    assert_eq!(leave().await.refusal(), last);
    let demote = bodies::member_roles(&["@admin"]);
    let demoted = ada.group_member_update().group("@engine").user("me").body(demote).send().await;
    assert_eq!(demoted.refusal(), last);
    assert_eq!(admin.user_delete().user("@ada").send().await.refusal(), last);
    // Neither does an owner without a password.
    admin.user_create().body(create(json!({ "username": "mute" }))).send().await.unwrap();
    let own = bodies::member("@mute", &["@owner"]);
    ada.group_member_add().group("@engine").body(own).send().await.unwrap();
    assert_eq!(leave().await.refusal(), last);
    let until = (server.clock.now() + TimeDelta::hours(1)).to_rfc3339();
    let body = bodies::suspension(json!({ "until": until }));
    admin.user_suspend().user("@grace").body(body).send().await.unwrap();
    assert_eq!(leave().await.refusal(), last);
    server.advance(TimeDelta::hours(2));
    server.sign_in("ada").await.group_member_remove().group("@engine").user("me").send().await.unwrap();
}

/// A key belongs to one request: its method, path and body.
#[tokio::test]
async fn group_member_add_replays_nothing_of_another_group() {
    let server = TestServer::start().await;
    let (_, ada) = engine(&server).await;
    let admin = server.admin().await;
    server.user("grace").await;
    let loom = json!({ "slug": "loom", "name": "Loom", "owner": "@ada" });
    admin.group_create().body(bodies::group(loom)).send().await.unwrap();
    let add = |group: &'static str, roles: &'static [&'static str]| {
        let key = types::IdempotencyKey::try_from("k1").unwrap();
        ada.group_member_add().group(group).idempotency_key(key).body(bodies::member("@grace", roles)).send()
    };
    add("@engine", &["@owner"]).await.unwrap();
    assert_eq!(add("@loom", &["@owner"]).await.refusal(), refusal(409, error_code::IDEMPOTENCY_KEY_REUSED));
    assert_eq!(add("@engine", &["@owner"]).await.unwrap().headers()["idempotency-replayed"], "true");
    // A caller who could not send the request today gets no replay.
    let demote = bodies::member_roles(&["@admin"]);
    admin.group_member_update().group("@engine").user("@ada").body(demote).send().await.unwrap();
    assert_eq!(add("@engine", &["@owner"]).await.refusal(), forbidden());
}

/// A replayed response contains only what its caller may see today.
#[tokio::test]
async fn user_create_replays_nothing_that_is_hidden_from_the_caller_today() {
    let server = TestServer::start().await;
    let caller = server.holder("caller", &[Permission::UsersWrite]).await;
    let sees = json!({ "name": "sees", "permissions": ["users:read"] });
    let admin = server.admin().await;
    admin.role_create().body(bodies::role(sees)).send().await.unwrap();
    admin.user_role_add().user("@caller").body(bodies::roles(&["@sees"])).send().await.unwrap();
    let attempt = || {
        let key = types::IdempotencyKey::try_from("k1").unwrap();
        caller.user_create().idempotency_key(key).body(new_user("made")).send()
    };
    assert!(attempt().await.unwrap().created_at.is_some());
    assert!(attempt().await.unwrap().created_at.is_some());
    admin.user_role_remove().user("@caller").role("@sees").send().await.unwrap();
    assert_eq!(attempt().await.refusal(), refusal(409, error_code::IDEMPOTENCY_KEY_REUSED));
}

#[tokio::test]
async fn audit_event_list_counts_the_callers_own_events_exactly() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    server
        .sql(
            "INSERT INTO audit_events (id, at, operation, actor_id, result, request_id) \
            SELECT gen_random_uuid(), now(), 'login', gen_random_uuid(), 'done', 'r' FROM generate_series(1, 20000); \
            ANALYZE audit_events",
        )
        .await;
    let path = "/v1/audit-events?total=estimate&filter=operation%20eq%20%22login%22";
    let response = Answer::of(server.request(http::Method::GET, path).bearer_auth(ada.token())).await;
    assert_eq!(response.json()["total"], 1, "her own sign-in");
    let admin = server.admin().await;
    let response = Answer::of(server.request(http::Method::GET, path).bearer_auth(admin.token())).await;
    assert!(response.json()["total"].as_u64().unwrap() > 10_000, "all events are estimated");
}

/// The address and session of an administrator's request are hidden from the affected user, in responses and
/// in filters.
#[tokio::test]
async fn audit_event_list_hides_the_address_of_others() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    admin.user_update().user("@ada").body(update(json!({ "name": "Ada L." }))).send().await.unwrap();
    let events = ada.audit_event_list().send().await.unwrap().into_inner().items;
    let mut others = 0;
    for event in &events {
        let own = event.actor_id.as_ref().is_some_and(|actor| actor.0 == ada.id);
        others += i32::from(!own);
        assert_eq!(
            (event.address.is_some(), event.session_id.is_some()),
            (own, own && event.operation != "login")
        );
        assert!(event.actor_id.is_some(), "the actor is shown");
    }
    assert_eq!(others, 2, "made and renamed: {events:?}");
    for filter in ["address%20eq%20%22127.0.0.1%22", "session_id%20pr"] {
        let path = format!("/v1/audit-events?filter={filter}");
        let response = Answer::of(server.request(http::Method::GET, &path).bearer_auth(ada.token())).await;
        assert_eq!(response.code(), 400, "{filter}");
        let response = Answer::of(server.request(http::Method::GET, &path).bearer_auth(admin.token())).await;
        assert_eq!(response.code(), 200, "{filter}");
    }
    let auditor = server.holder("auditor", &[Permission::AuditRead]).await;
    let all = auditor.audit_event_list().target(ada.path()).send().await.unwrap().into_inner().items;
    assert!(all.iter().all(|event| event.address.is_some()));
}

#[tokio::test]
async fn user_delete_names_no_group_that_the_caller_may_not_see() {
    let server = TestServer::start().await;
    let (admin, _) = engine(&server).await;
    let remover = server.holder("remover", &[Permission::UsersDelete]).await;
    let refused = remover.user_delete().user("@ada").send().await.refused();
    assert_eq!(refused.code(), Some(error_code::LAST_OWNER));
    assert!(!refused.message().contains("engine"), "{}", refused.message());
    let refused = admin.user_delete().user("@ada").send().await.refused();
    assert!(refused.message().contains("@engine"), "{}", refused.message());
}

/// After a password reset, invitations that the previous holder of the account could still open are void.
#[tokio::test]
async fn user_password_set_voids_the_accounts_earlier_invitations() {
    let server = TestServer::start().await;
    let (admin, ada) = engine(&server).await;
    let eve = server.user("eve").await;
    let body = bodies::invitation(json!({ "roles": ["@owner"] }));
    let made = ada.group_invitation_create().group("@engine").body(body).send().await.unwrap();
    admin.user_password_set().user("@ada").body(set(PASSWORD)).send().await.unwrap();
    let accept = eve.invitation_accept().body(bodies::token(made.token.as_deref().unwrap())).send().await;
    assert_eq!(accept.refusal(), refusal(422, error_code::INVITATION_INVALID));
}

//! Deleted roles and groups between the deletion and the erasure of their rows: no reader sees them. The
//! tests lock the rows, so that they cannot be erased meanwhile.

use std::time::Duration;

use futures::future::join_all;
use rollcall_api::access::Permission;
use rollcall_client::{error_code, etag, types};
use serde_json::{Value, json};
use uuid::Uuid;

use super::bodies;
use crate::support::server::eventually;
use crate::support::{Answer, PASSWORD, Person, Refused, TestServer};

async fn get(server: &TestServer, who: &Person, path: &str) -> Answer {
    Answer::of(server.request(http::Method::GET, path).bearer_auth(who.token())).await
}

async fn send(server: &TestServer, who: &Person, method: &str, path: &str, body: Value) -> Answer {
    let request = server.request(method.parse().unwrap(), path).bearer_auth(who.token());
    Answer::of(request.json(&body)).await
}

/// Usernames that a filter matches.
async fn found(server: &TestServer, who: &Person, list: &str, filter: &str) -> Vec<String> {
    let mut url = reqwest::Url::parse("http://x").unwrap().join(list).unwrap();
    url.query_pairs_mut().append_pair("filter", filter);
    let response = get(server, who, &format!("{}?{}", url.path(), url.query().unwrap())).await;
    assert_eq!(response.code(), 200, "{filter}: {}", response.message());
    let items = response.json()["items"].as_array().unwrap().clone();
    let name =
        |item: &Value| item["username"].as_str().or(item["user"]["username"].as_str()).unwrap().to_owned();
    items.iter().map(name).collect()
}

/// Locks the rows that a query selects until the client is dropped.
async fn hold(server: &TestServer, selected: &[&str]) -> tokio_postgres::Client {
    let holder = server.database.connect().await;
    let locks: Vec<String> = selected.iter().map(|query| format!("{query} FOR UPDATE")).collect();
    holder.batch_execute(&format!("BEGIN; {}", locks.join("; "))).await.unwrap();
    holder
}

async fn release(server: &TestServer, holder: tokio_postgres::Client) {
    holder.batch_execute("ROLLBACK").await.unwrap();
    eventually("everything is erased", Duration::from_secs(10), async || server.erase().await.then_some(()))
        .await;
}

const MARKED: &str =
    "SELECT (SELECT count(*) FROM roles WHERE deleted) + (SELECT count(*) FROM groups WHERE deleted)";

/// Ada and Grace hold the global role `editor`, which is also a default role; it makes Ada staff.
#[tokio::test]
async fn role_delete_takes_effect_before_its_rows_are_erased() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    server.user("grace").await;
    let editor = json!({ "name": "editor", "permissions": ["users:read", "docs:edit"], "is_default": true });
    let editor = admin.role_create().body(bodies::role(editor)).send().await.unwrap().id.0;
    for user in ["@ada", "@grace"] {
        admin.user_role_add().user(user).body(bodies::roles(&["@editor"])).send().await.unwrap();
    }
    let holder = hold(&server, &[&format!("SELECT FROM user_roles WHERE role_id = '{editor}'")]).await;
    let refused = admin.role_delete().role("@editor").send().await.refused();
    assert_eq!(refused.code(), Some(error_code::ROLE_IN_USE));
    assert!(refused.to_string().contains("2 hold the role"), "{refused}");
    admin.role_delete().role("@editor").force(true).send().await.unwrap();
    let rows = format!("SELECT count(*) FROM user_roles WHERE role_id = '{editor}'");
    assert_eq!((server.count(MARKED).await, server.count(&rows).await), (1, 2), "they are still there");

    for role in ["@editor".to_owned(), editor.to_string()] {
        assert_eq!(get(&server, &admin, &format!("/v1/roles/{role}")).await.code(), 404);
        assert_eq!(get(&server, &admin, &format!("/v1/users?role={role}")).await.code(), 404);
        for (method, path) in
            [("PATCH", format!("/v1/roles/{role}")), ("DELETE", format!("/v1/users/@ada/roles/{role}"))]
        {
            assert_eq!(send(&server, &admin, method, &path, json!({})).await.code(), 404, "{method} {path}");
        }
        let give = send(&server, &admin, "POST", "/v1/users/@ada/roles", json!({ "roles": [role] })).await;
        assert_eq!(give.code(), 404);
    }
    let roles = get(&server, &admin, "/v1/roles?total=exact").await.json();
    assert!(roles["items"].as_array().unwrap().iter().all(|role| role["name"] != "editor"));
    assert_eq!(roles["total"].as_i64(), Some(server.count("SELECT count(*) FROM roles").await - 1));
    let seen = get(&server, &admin, "/v1/users/@ada").await.json();
    assert_eq!((&seen["roles"], &seen["is_staff"]), (&json!([]), &json!(false)));
    assert_eq!(get(&server, &admin, "/v1/users/@ada/roles").await.json()["items"], json!([]));
    assert_eq!(get(&server, &ada, "/v1/session").await.json()["permissions"], json!([]));
    assert_eq!(get(&server, &ada, "/v1/users/@grace").await.json()["view"], "card");
    let check = send(&server, &ada, "POST", "/v1/check", json!({ "permission": "docs:edit" })).await;
    assert_eq!(check.json()["allowed"], false);
    assert_eq!(get(&server, &ada, "/v1/users/me/permissions").await.json()["permissions"], json!([]));
    assert!(found(&server, &admin, "/v1/users", r#"roles eq "editor""#).await.is_empty());
    assert_eq!(found(&server, &admin, "/v1/users", "roles pr").await, ["administrator"]);
    assert_eq!(found(&server, &admin, "/v1/users", "not (roles pr)").await, ["ada", "grace"]);
    let eve = server.user("eve").await;
    assert_eq!(get(&server, &eve, "/v1/users/me").await.json()["roles"], json!([]), "no default any more");

    admin.role_create().body(bodies::role(json!({ "name": "editor" }))).send().await.unwrap();
    assert_eq!(get(&server, &admin, "/v1/users?role=@editor").await.json()["items"], json!([]));
    assert!(found(&server, &admin, "/v1/users", r#"roles eq "editor""#).await.is_empty());
    admin.role_delete().role("@editor").send().await.unwrap();

    release(&server, holder).await;
    assert_eq!((server.count(MARKED).await, server.count(&rows).await), (0, 0));
}

/// Grace is a mechanic in Ada's group, and another user is invited to become one.
#[tokio::test]
async fn role_delete_of_a_group_role_takes_effect_before_its_rows_are_erased() {
    let server = TestServer::start().await;
    let (admin, grace, eve) = (server.admin().await, server.user("grace").await, server.user("eve").await);
    let body = json!({ "name": "mechanic", "scope": "group", "permissions": ["work:fix", "group:admin"] });
    let mechanic = admin.role_create().body(bodies::role(body)).send().await.unwrap().id.0;
    let engine = bodies::group(json!({ "slug": "engine", "name": "Engine" }));
    admin.group_create().body(engine).send().await.unwrap();
    let member = bodies::member("@grace", &["@mechanic"]);
    admin.group_member_add().group("@engine").body(member).send().await.unwrap();
    let mut tokens = Vec::new();
    for roles in [json!(["@mechanic", "@read"]), json!(["@mechanic"])] {
        let body = bodies::invitation(json!({ "roles": roles }));
        let made = admin.group_invitation_create().group("@engine").body(body).send().await.unwrap();
        tokens.push(made.token.clone().unwrap());
    }
    let held = format!("SELECT FROM group_member_roles WHERE role_id = '{mechanic}'");
    let holder = hold(&server, &[&held]).await;
    admin.role_delete().role("@mechanic").force(true).send().await.unwrap();
    let promised = format!("INSERT INTO invitation_roles SELECT id, '{mechanic}' FROM invitations");
    server.sql(&promised).await;
    assert_eq!(server.count(MARKED).await, 1);

    let listed = get(&server, &admin, "/v1/groups/@engine/members").await.json();
    let listed = listed["items"].as_array().unwrap().iter().find(|item| item["user"]["username"] == "grace");
    assert_eq!(listed.unwrap()["roles"], json!([]));
    assert_eq!(get(&server, &grace, "/v1/users/me/groups").await.json()["items"][1]["roles"], json!([]));
    let check = json!({ "permission": "work:fix", "group": "@engine" });
    assert_eq!(send(&server, &grace, "POST", "/v1/check", check).await.json()["allowed"], false);
    let rename = send(&server, &grace, "PATCH", "/v1/groups/@engine", json!({ "name": "Mine" })).await;
    assert_eq!(rename.code(), 403);
    let invitations = get(&server, &admin, "/v1/groups/@engine/invitations").await.json();
    assert_eq!(
        (&invitations["items"][0]["roles"], &invitations["items"][1]["roles"]),
        (&json!(["read"]), &json!([]))
    );
    let members = "/v1/groups/@engine/members";
    assert_eq!(found(&server, &admin, members, "roles pr").await, ["administrator"]);
    assert!(found(&server, &admin, members, r#"roles eq "mechanic""#).await.is_empty());
    assert!(found(&server, &admin, "/v1/users", r#"groups[role eq "mechanic"]"#).await.is_empty());
    let joined = send(&server, &eve, "POST", "/v1/invitations/accept", json!({ "token": tokens[0] })).await;
    assert_eq!((joined.code(), &joined.json()["roles"]), (200, &json!(["read"])));

    release(&server, holder).await;
    assert_eq!(server.count("SELECT count(*) FROM invitation_roles").await, 0);
    assert_eq!(server.count(MARKED).await, 0);
}

/// Ada owns a group with Grace as a member and with a pending invitation.
#[tokio::test]
async fn group_delete_takes_effect_before_its_rows_are_erased() {
    let server = TestServer::start().await;
    let (admin, ada, grace) = (server.admin().await, server.user("ada").await, server.user("grace").await);
    let eve = server.user("eve").await;
    let body = json!({ "name": "mechanic", "scope": "group", "permissions": ["work:fix"] });
    admin.role_create().body(bodies::role(body)).send().await.unwrap();
    let engine = || bodies::group(json!({ "slug": "engine", "name": "Engine", "owner": "@ada" }));
    let id = admin.group_create().body(engine()).send().await.unwrap().id.0;
    let member = bodies::member("@grace", &["@mechanic"]);
    admin.group_member_add().group("@engine").body(member).send().await.unwrap();
    let invitation = bodies::invitation(json!({}));
    let made = ada.group_invitation_create().group("@engine").body(invitation).send().await.unwrap();
    let holder = hold(&server, &[&format!("SELECT FROM group_members WHERE group_id = '{id}'")]).await;
    server.sql("CREATE TABLE kept AS SELECT * FROM invitations").await;
    admin.group_delete().group("@engine").send().await.unwrap();
    server.sql("INSERT INTO invitations SELECT * FROM kept").await;
    let rows = format!("SELECT count(*) FROM group_members WHERE group_id = '{id}'");
    assert_eq!((server.count(MARKED).await, server.count(&rows).await), (1, 2), "they are still there");

    for group in ["@engine".to_owned(), id.to_string()] {
        for who in [&ada, &admin] {
            for path in ["", "/members", "/invitations"] {
                let path = format!("/v1/groups/{group}{path}");
                assert_eq!(get(&server, who, &path).await.code(), 404, "{path}");
            }
            let check = json!({ "permission": "group:own", "group": group });
            assert_eq!(send(&server, who, "POST", "/v1/check", check).await.code(), 404);
            let permissions = format!("/v1/users/me/permissions?group={group}");
            let permissions = get(&server, who, &permissions).await;
            assert_eq!(permissions.code(), 404);
            let list = format!("/v1/users?group={group}");
            assert_eq!(get(&server, who, &list).await.code(), 404);
            let path = format!("/v1/groups/{group}");
            assert_eq!(send(&server, who, "PATCH", &path, json!({ "name": "Mine" })).await.code(), 404);
            let join = json!({ "user": "@eve" });
            assert_eq!(send(&server, who, "POST", &format!("{path}/members"), join).await.code(), 404);
        }
    }
    for who in [&ada, &admin] {
        let groups = get(&server, who, "/v1/groups?total=exact").await.json();
        assert_eq!((&groups["items"].as_array().unwrap().len(), &groups["total"]), (&1, &json!(1)));
    }
    for who in [&ada, &grace] {
        assert_eq!(get(&server, who, "/v1/users/me").await.json()["groups"], json!(["public"]));
        let groups = get(&server, who, "/v1/users/me/groups").await.json();
        assert_eq!(groups["items"].as_array().unwrap().len(), 1);
    }
    for filter in [
        r#"groups eq "engine""#,
        r#"groups[role eq "owner"]"#,
        r#"groups[slug eq "engine" and role eq "owner"]"#,
        r#"groups[role eq "mechanic"]"#,
        r#"not (groups pr)"#,
    ] {
        assert!(found(&server, &admin, "/v1/users", filter).await.is_empty(), "{filter}");
    }
    server.sql("DELETE FROM group_members WHERE group_id = (SELECT id FROM groups WHERE is_default)").await;
    assert!(found(&server, &admin, "/v1/users", "groups pr").await.is_empty());
    let token = json!({ "token": made.token.clone().unwrap() });
    let joined = send(&server, &eve, "POST", "/v1/invitations/accept", token).await;
    assert_eq!((joined.code(), joined.error_code().as_str()), (422, error_code::INVITATION_INVALID));
    admin.role_delete().role("@mechanic").send().await.unwrap();
    // The former owner can be deleted: the group no longer needs an owner.
    server
        .sql(&format!(
            "INSERT INTO group_members (group_id, user_id, joined_at) VALUES ('{id}', '{0}', now()); \
             INSERT INTO group_member_roles (group_id, user_id, role_id) \
             SELECT '{id}', '{0}', id FROM roles WHERE name = 'owner'",
            eve.id
        ))
        .await;
    eve.user_delete().user("me").send().await.unwrap();

    let again = admin.group_create().body(engine()).send().await.unwrap();
    let members = get(&server, &admin, &format!("/v1/groups/{}/members", again.id.0)).await.json();
    assert_eq!(members["items"].as_array().unwrap().len(), 1, "only its owner");
    release(&server, holder).await;
    assert_eq!((server.count(MARKED).await, server.count(&rows).await), (0, 0));
    assert_eq!(get(&server, &ada, "/v1/groups/@engine").await.code(), 200);
}

/// Ada created a group and sent an invitation, has been invited herself, and her account is the response to a
/// request.
#[tokio::test]
async fn user_delete_leaves_no_trace_once_it_is_erased() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let create = async || {
        let body = json!({ "username": "ada", "email": "ada@example.org", "password": PASSWORD });
        let request = server.request(http::Method::POST, "/v1/users").bearer_auth(admin.token());
        Answer::of(request.header("idempotency-key", "k1").json(&body)).await
    };
    create().await;
    let ada = server.sign_in("ada").await;
    server.grant(ada.id, ["groups:write"]).await;
    let engine = bodies::group(json!({ "slug": "engine", "name": "Engine", "owner": "@administrator" }));
    ada.group_create().body(engine).send().await.unwrap();
    let tender = bodies::group(json!({ "slug": "tender", "name": "Tender" }));
    admin.group_create().body(tender).send().await.unwrap();
    let invite = async |who: &Person, group: &str, to: &str| {
        let body = bodies::invitation(json!({ "email": to }));
        who.group_invitation_create().group(group).body(body).send().await.unwrap()
    };
    invite(&ada, "@engine", "eve@example.org").await;
    invite(&admin, "@engine", "ada@example.org").await;
    let seen = admin.group_view().group("@engine").send().await.unwrap();
    let holder = hold(&server, &["SELECT FROM groups WHERE slug = 'engine'"]).await;
    server.sql("CREATE TABLE kept AS SELECT * FROM idempotency_keys WHERE key = 'k1'").await;
    admin.user_delete().user("@ada").send().await.unwrap();
    server.sql("DELETE FROM idempotency_keys; INSERT INTO idempotency_keys SELECT * FROM kept").await;
    let left = "SELECT count(*) FROM deleted_users WHERE NOT erased";
    assert_eq!(server.count(left).await, 1, "the group still names her");
    let again = create().await;
    assert_eq!((again.code(), again.error_code().as_str()), (409, error_code::IDEMPOTENCY_KEY_REUSED));
    assert!(again.message().contains("no longer exists"), "{}", again.message());
    invite(&admin, "@tender", "ada@example.org").await;

    release(&server, holder).await;
    assert_eq!(server.count(left).await, 0);
    assert_eq!(
        server.count("SELECT count(*) FROM idempotency_keys WHERE key = 'k1' AND body <> ''").await,
        0
    );
    let after = admin.group_view().group("@engine").send().await.unwrap();
    assert!(seen.created_by.is_some() && after.created_by.is_none());
    assert_ne!(etag(&after), etag(&seen));
    let sent = server.count("SELECT count(*) FROM invitations WHERE email = 'ada@example.org'").await;
    assert_eq!(sent, 1, "the one that was sent since");
    let named = server.count("SELECT count(*) FROM invitations WHERE invited_by IS NULL").await;
    assert_eq!(named, 1, "hers, which is void");
    assert_eq!(server.count("SELECT count(*) FROM deleted_users WHERE email_folded IS NOT NULL").await, 0);
}

/// An erasure that one server did not finish is finished by the next one that starts.
#[tokio::test]
async fn group_delete_and_role_delete_are_finished_by_another_server() {
    let server = TestServer::start().await;
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let engine = bodies::group(json!({ "slug": "engine", "name": "Engine", "owner": "@ada" }));
    admin.group_create().body(engine).send().await.unwrap();
    server.grant(ada.id, ["docs:edit"]).await;
    server
        .sql(
            "UPDATE groups SET deleted = true WHERE slug = 'engine'; \
             UPDATE roles SET deleted = true WHERE name LIKE 'only-%'",
        )
        .await;
    let _next = TestServer::builder().beside(&server).start().await;
    let gone = async || (server.count(MARKED).await == 0).then_some(());
    eventually("the next server erases", Duration::from_secs(20), gone).await;
    assert_eq!(get(&server, &admin, "/v1/users/@ada").await.json()["groups"], json!(["public"]));
}

/// A grant concurrent with the deletion either comes first, and the role is not deleted, or fails.
#[tokio::test]
async fn role_delete_without_force_keeps_a_role_that_was_just_granted() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let people = join_all((0..6).map(|number| {
        let name = format!("ada{number}");
        let server = &server;
        async move { server.quick_user(&name).await }
    }))
    .await;
    for _ in 0..10 {
        admin.role_create().body(bodies::role(json!({ "name": "editor" }))).send().await.unwrap();
        let path = |person: &Person| format!("/v1/users/{}/roles", person.id);
        let body = json!({ "roles": ["@editor"] });
        let give = people.iter().map(|person| {
            let (path, body, server, admin) = (path(person), body.clone(), &server, &admin);
            async move { send(server, admin, "POST", &path, body).await }
        });
        let delete = send(&server, &admin, "DELETE", "/v1/roles/@editor", json!({}));
        let (given, deleted) = futures::join!(join_all(give), delete);
        let statuses: Vec<u16> = given.iter().map(Answer::code).collect();
        assert!(statuses.iter().all(|status| matches!(status, 200 | 404 | 409)), "{statuses:?}");
        match deleted.code() {
            204 => assert!(!statuses.contains(&200), "{statuses:?}"),
            code => {
                assert_eq!((code, deleted.error_code().as_str()), (409, error_code::ROLE_IN_USE));
                assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
                admin.role_delete().role("@editor").force(true).send().await.unwrap();
            }
        }
        assert!(server.erase().await);
        let rows = "SELECT count(*) FROM user_roles JOIN roles ON roles.id = role_id WHERE name = 'editor'";
        assert_eq!(server.count(rows).await + server.count(MARKED).await, 0);
    }
}

/// A user who joins a group during its deletion is in no group, or joined before.
#[tokio::test]
async fn group_delete_leaves_no_member_who_joins_meanwhile() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let people = join_all((0..6).map(|number| {
        let name = format!("ada{number}");
        let server = &server;
        async move { server.quick_user(&name).await }
    }))
    .await;
    for _ in 0..10 {
        let engine = bodies::group(json!({ "slug": "engine", "name": "Engine" }));
        let id: Uuid = admin.group_create().body(engine).send().await.unwrap().id.0;
        let mut tokens = Vec::new();
        for _ in &people {
            let body = bodies::invitation(json!({}));
            let made = admin.group_invitation_create().group("@engine").body(body).send().await.unwrap();
            tokens.push(made.token.clone().unwrap());
        }
        let join = people.iter().zip(&tokens).map(|(person, token)| {
            send(&server, person, "POST", "/v1/invitations/accept", json!({ "token": token }))
        });
        let delete = send(&server, &admin, "DELETE", "/v1/groups/@engine", json!({}));
        let (joined, deleted) = futures::join!(join_all(join), delete);
        let statuses: Vec<u16> = joined.iter().map(Answer::code).collect();
        assert!(statuses.iter().all(|status| matches!(status, 200 | 404 | 409 | 422)), "{statuses:?}");
        assert_eq!(deleted.code(), 204, "{}", deleted.message());
        eventually("everything is erased", Duration::from_secs(10), async || {
            server.erase().await.then_some(())
        })
        .await;
        let rows = format!(
            "SELECT (SELECT count(*) FROM group_members WHERE group_id = '{id}') \
                + (SELECT count(*) FROM group_member_roles WHERE group_id = '{id}') \
                + (SELECT count(*) FROM invitations WHERE group_id = '{id}')"
        );
        assert_eq!(server.count(&rows).await + server.count(MARKED).await, 0, "{statuses:?}");
    }
}

/// A caller who may only assign roles learns nothing new, and the audit event contains the number of former
/// holders.
#[tokio::test]
async fn role_delete_records_the_number_of_holders() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    server.holder("reader", &[Permission::RolesAssign]).await;
    admin.role_create().body(bodies::role(json!({ "name": "editor" }))).send().await.unwrap();
    server
        .sql(
            "INSERT INTO users (id, username, username_folded, created_via, created_at, updated_at) \
             SELECT gen_random_uuid(), 'u' || n, 'u' || n, 'admin', now(), now() FROM generate_series(1, 1200) n; \
             INSERT INTO user_roles (user_id, role_id, granted_at) \
             SELECT users.id, roles.id, now() FROM users, roles WHERE roles.name = 'editor' AND username LIKE 'u%'",
        )
        .await;
    let refused = admin.role_delete().role("@editor").send().await.refused();
    assert!(refused.to_string().contains("at least 1000 hold the role"), "{refused}");
    admin.role_delete().role("@editor").force(true).send().await.unwrap();
    let events: types::AuditEventPage =
        admin.audit_event_list().operation("role_delete").send().await.unwrap().into_inner();
    assert_eq!(events.items[0].detail["holders_at_least"], json!(1000));
    let gone = async || (server.count("SELECT count(*) FROM user_roles").await == 2).then_some(());
    eventually("the rest is erased beside the requests", Duration::from_secs(20), gone).await;
}

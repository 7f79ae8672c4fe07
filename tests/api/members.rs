//! Groups that people make: members, owners, invitations, and what applications ask about them.

use rollcall_api::access::Permission;
use rollcall_client::error_code;
use rollcall_server::config::RegistrationMode;
use serde_json::{Value, json};

use crate::support::{Answer, PASSWORD, Person, TestServer};

async fn call(server: &TestServer, who: &Person, method: &str, path: &str, body: Option<Value>) -> Answer {
    let mut request = server.request(method.parse().unwrap(), path).bearer_auth(who.token());
    if let Some(body) = body {
        request = request.json(&body);
    }
    Answer::of(request).await
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.code(), answer.error_code())
}

/// An administrator, and Ada who owns the group `engine`.
async fn engine(server: &TestServer) -> (Person, Person) {
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let body =
        json!({ "slug": "engine", "name": "Engine", "owner": "@ada", "custom_data": { "a": { "b": 1 } } });
    let made = call(server, &admin, "POST", "/v1/groups", Some(body)).await;
    assert_eq!(made.code(), 201, "{}", made.message());
    (admin, ada)
}

#[tokio::test]
async fn owners_manage_their_group_and_nothing_beyond() {
    let server = TestServer::start().await;
    let (admin, ada) = engine(&server).await;
    let grace = server.user("grace").await;
    let body = json!({ "user": "@grace", "roles": ["@read", "@write", "@read"] });
    let added = call(&server, &ada, "POST", "/v1/groups/@engine/members", Some(body.clone())).await;
    assert_eq!((added.code(), &added.json()["roles"]), (201, &json!(["read", "write"])));
    let twice = call(&server, &ada, "POST", "/v1/groups/@engine/members", Some(body)).await;
    assert_eq!(refused(&twice), (409, error_code::ALREADY_MEMBER.to_owned()));
    let update = json!({ "custom_data": { "a": { "b": null, "c": 2 } }, "description": "Brass" });
    let updated = call(&server, &ada, "PATCH", "/v1/groups/@engine", Some(update)).await.json();
    assert_eq!(updated["custom_data"], json!({ "a": { "c": 2 } }));
    assert_eq!(call(&server, &grace, "PATCH", "/v1/groups/@engine", Some(json!({}))).await.code(), 403);
    let other = json!({ "slug": "loom", "name": "Loom" });
    assert_eq!(call(&server, &admin, "POST", "/v1/groups", Some(other)).await.code(), 201);
    assert_eq!(call(&server, &ada, "PATCH", "/v1/groups/@loom", Some(json!({}))).await.code(), 404);
    let user = json!({ "name": "Somebody" });
    assert_eq!(call(&server, &ada, "PATCH", "/v1/users/@grace", Some(user)).await.code(), 403);
}

#[tokio::test]
async fn group_admins_grant_only_what_they_hold() {
    let server = TestServer::start().await;
    let (_, ada) = engine(&server).await;
    let (grace, _) = (server.user("grace").await, server.user("alan").await);
    let add = async |who: &Person, user: &str, role: &str| {
        let body = json!({ "user": user, "roles": [role] });
        call(&server, who, "POST", "/v1/groups/@engine/members", Some(body)).await
    };
    assert_eq!(add(&ada, "@grace", "@admin").await.code(), 201);
    for role in ["@owner", "@maintainer", "@write"] {
        let answer = add(&grace, "@alan", role).await;
        assert_eq!(refused(&answer), (403, error_code::FORBIDDEN.to_owned()), "{role}");
    }
    assert_eq!(add(&grace, "@alan", "@administrator").await.code(), 422);
    assert_eq!(add(&grace, "@alan", "@nobody").await.code(), 404);
    assert_eq!(add(&grace, "@alan", "@member").await.code(), 201);
    let demote =
        call(&server, &grace, "PATCH", "/v1/groups/@engine/members/@ada", Some(json!({ "roles": [] }))).await;
    assert_eq!(refused(&demote), (403, error_code::FORBIDDEN.to_owned()));
    assert_eq!(call(&server, &grace, "DELETE", "/v1/groups/@engine/members/@ada", None).await.code(), 403);
}

#[tokio::test]
async fn a_group_keeps_an_owner_against_parallel_requests() {
    let server = TestServer::start().await;
    let (admin, ada) = engine(&server).await;
    let last = call(&server, &ada, "DELETE", "/v1/groups/@engine/members/me", None).await;
    assert_eq!(refused(&last), (409, error_code::LAST_OWNER.to_owned()));
    let gone = call(&server, &admin, "DELETE", "/v1/users/@ada", None).await;
    assert_eq!(refused(&gone), (409, error_code::LAST_OWNER.to_owned()));
    for round in 0..5 {
        let second = server.quick_user(&format!("second{round}")).await;
        let body = json!({ "user": second.path(), "roles": ["@owner"] });
        assert_eq!(call(&server, &admin, "POST", "/v1/groups/@engine/members", Some(body)).await.code(), 201);
        let owners = ["@ada".to_owned(), second.path()];
        let attempts = (0..64).map(|number| {
            let path = format!("/v1/groups/@engine/members/{}", owners[number % 2]);
            let request = server.request(http::Method::PATCH, &path).bearer_auth(admin.token());
            Answer::of(request.json(&json!({ "roles": ["@member"] })))
        });
        let answers = futures::future::join_all(attempts).await;
        assert!(answers.iter().all(|answer| answer.code() < 500));
        let count = "SELECT count(*) FROM group_member_roles JOIN roles ON roles.id = role_id \
            JOIN groups ON groups.id = group_id WHERE roles.name = 'owner' AND groups.slug = 'engine'";
        let left: i64 = server.db().await.query_one(count, &[]).await.unwrap().get(0);
        assert_eq!(left, 1, "round {round}");
        let heal = json!({ "roles": ["@owner"] });
        call(&server, &admin, "PATCH", "/v1/groups/@engine/members/@ada", Some(heal)).await;
        call(&server, &admin, "DELETE", &format!("/v1/groups/@engine/members/{}", second.path()), None).await;
    }
}

#[tokio::test]
async fn the_default_group_stays_as_it_is() {
    let server = TestServer::start().await;
    let (admin, ada) = engine(&server).await;
    for (who, method, path, body) in [
        (&admin, "DELETE", "/v1/groups/@public", None),
        (&ada, "DELETE", "/v1/groups/@public/members/me", None),
        (&admin, "DELETE", "/v1/groups/@public/members/@ada", None),
        (&admin, "PATCH", "/v1/groups/@public", Some(json!({ "slug": "everybody" }))),
        (&admin, "POST", "/v1/groups/@public/invitations", Some(json!({}))),
    ] {
        let answer = call(&server, who, method, path, body).await;
        assert_eq!(refused(&answer), (409, error_code::DEFAULT_GROUP.to_owned()), "{method} {path}");
    }
}

#[tokio::test]
async fn an_invitation_works_once_and_lists_nobody() {
    let server = TestServer::start().await;
    let (_, ada) = engine(&server).await;
    let (grace, alan) = (server.user("grace").await, server.user("alan").await);
    let body = json!({ "roles": ["@read"], "expires_in_seconds": 3600 });
    let made = call(&server, &ada, "POST", "/v1/groups/@engine/invitations", Some(body.clone())).await.json();
    let token = made["token"].as_str().unwrap().to_owned();
    let members = call(&server, &ada, "GET", "/v1/groups/@engine/members", None).await.json();
    assert_eq!(members["items"].as_array().unwrap().len(), 1, "invited is not a member");
    let accept = async |who: &Person, token: &str| {
        call(&server, who, "POST", "/v1/invitations/accept", Some(json!({ "token": token }))).await
    };
    let both = futures::join!(accept(&grace, &token), accept(&alan, &token));
    let mut codes = [both.0.code(), both.1.code()];
    codes.sort_unstable();
    assert_eq!(codes, [200, 422]);
    let again = call(&server, &ada, "POST", "/v1/groups/@engine/invitations", Some(body)).await.json();
    let path = format!("/v1/groups/@engine/invitations/{}", again["invitation"]["id"].as_str().unwrap());
    assert_eq!(call(&server, &ada, "DELETE", &path, None).await.code(), 204);
    let withdrawn = accept(&alan, again["token"].as_str().unwrap()).await;
    assert_eq!(refused(&withdrawn), (422, error_code::INVITATION_INVALID.to_owned()));
    let late = call(
        &server,
        &ada,
        "POST",
        "/v1/groups/@engine/invitations",
        Some(json!({ "expires_in_seconds": 60 })),
    )
    .await;
    server.clock.advance(chrono::TimeDelta::seconds(61));
    assert_eq!(accept(&alan, late.json()["token"].as_str().unwrap()).await.code(), 422);
    let mine = json!({ "email": "alan@example.org" });
    let bound = call(&server, &ada, "POST", "/v1/groups/@engine/invitations", Some(mine)).await.json();
    assert_eq!(
        accept(&alan, bound["token"].as_str().unwrap()).await.code(),
        422,
        "the address is not verified"
    );
}

#[tokio::test]
async fn an_invitation_opens_a_registration_by_invitation() {
    let server = TestServer::builder()
        .config(|config| config.registration.mode = RegistrationMode::Invite)
        .start()
        .await;
    let (_, ada) = engine(&server).await;
    let made = call(&server, &ada, "POST", "/v1/groups/@engine/invitations", Some(json!({}))).await.json();
    let register = async |username: &str, token: Option<&str>| {
        let mut body = json!({ "username": username, "password": PASSWORD });
        if let Some(token) = token {
            body["invitation"] = token.into();
        }
        Answer::of(server.request(http::Method::POST, "/v1/register").json(&body)).await
    };
    assert_eq!(refused(&register("eve", None).await), (403, error_code::REGISTRATION_CLOSED.to_owned()));
    assert_eq!(register("eve", Some("rci_nonsense")).await.code(), 422);
    let token = made["token"].as_str().unwrap();
    let grace = register("grace", Some(token)).await;
    assert_eq!((grace.code(), &grace.json()["groups"]), (201, &json!(["engine", "public"])));
    assert_eq!(register("eve", Some(token)).await.code(), 422);
}

#[tokio::test]
async fn applications_ask_who_may_do_what() {
    let server = TestServer::start().await;
    let (admin, ada) = engine(&server).await;
    let grace = server.user("grace").await;
    let body = json!({ "user": "@grace", "roles": ["@write"] });
    call(&server, &ada, "POST", "/v1/groups/@engine/members", Some(body)).await;
    let check = async |who: &Person, body: Value| call(&server, who, "POST", "/v1/check", Some(body)).await;
    let inside = check(&grace, json!({ "permission": "data:write", "group": "@engine" })).await.json();
    assert_eq!(
        (&inside["allowed"], &inside["role"], &inside["scope"]),
        (&json!(true), &json!("write"), &json!("group"))
    );
    let outside = check(&grace, json!({ "permission": "data:write" })).await.json();
    assert_eq!(outside["allowed"], false);
    assert_eq!(check(&grace, json!({ "user": "@ada", "permission": "data:write" })).await.code(), 403);
    assert_eq!(check(&grace, json!({ "permission": "data:write", "group": "@nowhere" })).await.code(), 404);
    let hidden = json!({ "permission": "data:write", "group": "@engine" });
    let outsider = server.user("outsider").await;
    assert_eq!(check(&outsider, hidden).await.code(), 404, "a group that one may not see");
    let global =
        check(&admin, json!({ "user": "@administrator", "permission": "users:read", "group": "@engine" }))
            .await
            .json();
    assert_eq!((&global["allowed"], &global["scope"]), (&json!(true), &json!("global")));
    let list = call(&server, &grace, "GET", "/v1/users/me/permissions?group=@engine", None).await.json();
    assert_eq!(
        list["permissions"],
        json!([{ "permission": "data:write", "role": "write", "scope": "group" }])
    );
    server.suspend(grace.id).await;
    let suspended =
        check(&admin, json!({ "user": "@grace", "permission": "data:write", "group": "@engine" }))
            .await
            .json();
    assert_eq!(suspended["allowed"], false);
}

#[tokio::test]
async fn lists_narrow_to_groups_and_roles() {
    let server = TestServer::start().await;
    let (admin, ada) = engine(&server).await;
    server.user("grace").await;
    let names = async |who: &Person, query: &str| {
        let answer = call(&server, who, "GET", &format!("/v1/users?{query}"), None).await;
        let items = answer.json()["items"].as_array().cloned().unwrap_or_default();
        (
            answer.code(),
            items.iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect::<Vec<_>>(),
        )
    };
    assert_eq!(names(&admin, "group=@engine").await, (200, vec!["ada".to_owned()]));
    assert_eq!(
        names(&admin, "not_group=@engine&not_role=@administrator").await,
        (200, vec!["grace".to_owned()])
    );
    assert_eq!(names(&admin, "role=@administrator").await, (200, vec!["administrator".to_owned()]));
    assert_eq!(names(&ada, "group=@engine").await.1, ["ada"]);
    assert_eq!(names(&ada, "role=@administrator").await.0, 403);
    let grace = server.sign_in("grace").await;
    assert_eq!(names(&grace, "group=@engine").await.0, 404);
    assert_eq!(names(&admin, "role=@nope").await.0, 404);
}

#[tokio::test]
async fn people_see_their_own_trail_and_auditors_all() {
    let server = TestServer::start().await;
    let (admin, ada) = engine(&server).await;
    let grace = server.user("grace").await;
    call(&server, &grace, "PATCH", "/v1/users/me", Some(json!({ "name": "Grace" }))).await;
    assert_eq!(
        call(&server, &grace, "POST", "/v1/users", Some(json!({ "username": "x" }))).await.code(),
        403
    );
    let events = call(&server, &grace, "GET", "/v1/audit-events?limit=100", None).await.json();
    let items = events["items"].as_array().unwrap();
    assert_eq!((&items[0]["operation"], &items[0]["result"]), (&json!("user_create"), &json!("refused")));
    assert_eq!((&items[1]["operation"], &items[1]["result"]), (&json!("user_update"), &json!("done")));
    let own = json!(grace.path());
    assert!(items.iter().all(|event| event["actor_id"] == own || event["target_id"] == own));
    let auditor = server.holder("auditor1", &[Permission::AuditRead]).await;
    let path = format!("/v1/audit-events?actor={}&operation=group_create", admin.id);
    let found = call(&server, &auditor, "GET", &path, None).await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(call(&server, &ada, "GET", &path, None).await.json()["items"], json!([]));
    let first = call(&server, &auditor, "GET", "/v1/audit-events?limit=2", None).await.json();
    let token = first["next_page"].as_str().unwrap();
    let next =
        call(&server, &auditor, "GET", &format!("/v1/audit-events?limit=2&page_token={token}"), None).await;
    assert_eq!(next.code(), 200);
    assert_ne!(next.json()["items"][0]["id"], first["items"][0]["id"]);
    let db = server.db().await;
    for change in
        ["UPDATE audit_events SET operation = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"]
    {
        assert!(db.execute(change, &[]).await.is_err(), "{change}");
    }
}

//! The user management of CVAT, a server for annotating images: organizations, memberships, invitations,
//! suspension and partial update, with the operations that replace it here. Each test is named after the
//! operation that it replaces.

use http::Method;
use rollcall_client::{Paged, error_code, types, user_view};
use serde_json::json;

use super::{bodies, is_live, refusal, sign_in_refused, update};
use crate::support::{Answer, PASSWORD, Person, Refused, TestServer};

/// An administrator; Ada, who owns the organization `engine`; Grace, a worker in it; Eve, who is not a
/// member.
async fn organization(server: &TestServer) -> [Person; 4] {
    let admin = server.admin().await;
    let [ada, grace, eve] = [server.user("ada").await, server.user("grace").await, server.user("eve").await];
    let body =
        json!({ "slug": "engine", "name": "Engine", "owner": "@ada", "custom_data": { "mail": "a@b.c" } });
    admin.group_create().body(bodies::group(body)).send().await.unwrap();
    let join = bodies::member("@grace", &["@worker"]);
    ada.group_member_add().group("@engine").body(join).send().await.unwrap();
    [admin, ada, grace, eve]
}

async fn members(who: &Person) -> Vec<(String, Vec<String>)> {
    let list: Vec<types::GroupMember> =
        who.group_member_list().group("@engine").limit(1u32).stream().collect().await.unwrap();
    list.into_iter().map(|member| (member.user.username.unwrap(), member.roles)).collect()
}

/// In CVAT, `?org=` shows members to members, as cards, and to nobody else; invited users were listed as
/// well.
#[tokio::test]
async fn cvat_users_list() {
    let server = TestServer::start().await;
    let [admin, ada, grace, eve] = organization(&server).await;
    let invitation = bodies::invitation(json!({}));
    ada.group_invitation_create().group("@engine").body(invitation).send().await.unwrap();
    for (who, view) in [(&admin, user_view::FULL), (&grace, user_view::CARD)] {
        let seen = who.user_list().group("@engine").send().await.unwrap();
        assert_eq!((seen.items.len(), seen.items[0].view.0.as_str()), (2, view));
    }
    let refused = eve.user_list().group("@engine").send().await.refusal();
    assert_eq!(refused, refusal(404, error_code::NOT_FOUND));
}

/// A user's own names, but no derived field such as `is_staff`, which no request contains.
#[tokio::test]
async fn cvat_users_partial_update() {
    let server = TestServer::start().await;
    let [admin, ada, ..] = organization(&server).await;
    let change = json!({ "name": "Ada L", "profile": { "given_name": "Ada" } });
    let mine = ada.user_update().user("me").body(update(change)).send().await.unwrap();
    assert_eq!((mine.is_superuser, mine.is_staff), (Some(false), Some(false)));
    let theirs = admin.user_update().user("@ada").body(update(json!({ "email": "ada@example.org" })));
    let theirs = theirs.send().await.unwrap();
    assert_eq!((theirs.name.as_deref(), theirs.email.as_deref()), (Some("Ada L"), Some("ada@example.org")));
    let before = server.dump().await;
    for field in ["is_superuser", "is_staff", "is_active", "suspended", "roles", "groups", "date_joined"] {
        for who in [&ada, &admin] {
            let request = server.request(Method::PATCH, "/v1/users/@ada").bearer_auth(who.token());
            let response = Answer::of(request.json(&json!({ "name": "X", field: true }))).await;
            assert_eq!((response.code(), response.error_code().as_str()), (400, error_code::INVALID_REQUEST));
            assert!(response.message().contains(field), "{}", response.message());
        }
    }
    let other = ada.user_update().user("@grace").body(update(json!({ "name": "X" }))).send().await.refusal();
    assert_eq!(other, refusal(403, error_code::FORBIDDEN));
    assert_eq!(before, server.dump().await);
    let chief = admin.user_view().user("me").send().await.unwrap();
    assert_eq!((chief.is_superuser, chief.is_staff), (Some(true), Some(true)));
}

/// `is_active`: false is a suspension, true a reactivation. The username stays taken.
#[tokio::test]
async fn cvat_users_partial_update_of_is_active() {
    let server = TestServer::start().await;
    let [admin, ada, ..] = organization(&server).await;
    let off = admin.user_suspend().user("@ada").body(bodies::suspension(json!({}))).send().await.unwrap();
    assert_eq!(off.suspended, Some(true));
    assert!(!is_live(&ada).await);
    sign_in_refused(&server, "ada", PASSWORD).await;
    let again = admin.user_create().body(super::create(json!({ "username": "ADA" }))).send().await.refusal();
    assert_eq!(again, refusal(409, error_code::USERNAME_TAKEN));
    assert_eq!(members(&admin).await.len(), 2, "and what the user is stays");
    admin.user_reactivate().user("@ada").send().await.unwrap();
    server.sign_in("ada").await;
}

#[tokio::test]
async fn cvat_organizations() {
    let server = TestServer::start().await;
    let [admin, ada, grace, eve] = organization(&server).await;
    let seen = grace.group_view().group("@engine").send().await.unwrap();
    assert_eq!((seen.name.as_str(), seen.created_by.as_ref().map(|by| by.0)), ("Engine", Some(admin.id)));
    let slugs = async |who: &Person| {
        let list: Vec<types::Group> = who.group_list().stream().collect().await.unwrap();
        list.into_iter().map(|group| group.slug).collect::<Vec<_>>()
    };
    assert_eq!(
        (slugs(&grace).await, slugs(&eve).await),
        (vec!["public".into(), "engine".into()], vec!["public".into()])
    );
    let change = json!({ "name": "Engines", "description": "Brass", "custom_data": { "phone": "1" } });
    let changed =
        ada.group_update().group("@engine").body(bodies::group_changes(change)).send().await.unwrap();
    assert_eq!(changed.custom_data.0, json!({ "mail": "a@b.c", "phone": "1" }).as_object().unwrap().clone());
    let refused = grace.group_delete().group("@engine").send().await.refusal();
    assert_eq!(refused, refusal(403, error_code::FORBIDDEN));
    ada.group_delete().group("@engine").send().await.unwrap();
    assert_eq!(slugs(&grace).await, ["public"]);
    assert_eq!(
        grace.user_view().user("me").send().await.unwrap().groups.as_deref(),
        Some(&["public".into()][..])
    );
}

#[tokio::test]
async fn cvat_memberships_list_and_retrieve() {
    let server = TestServer::start().await;
    let [_, _, grace, eve] = organization(&server).await;
    let expected =
        [("ada".to_owned(), vec!["owner".to_owned()]), ("grace".to_owned(), vec!["worker".to_owned()])];
    assert_eq!(members(&grace).await, expected);
    let refused = eve.group_member_list().group("@engine").send().await.refusal();
    assert_eq!(refused, refusal(404, error_code::NOT_FOUND));
    let own: Vec<types::UserGroup> = grace.user_group_list().user("me").stream().collect().await.unwrap();
    assert_eq!((own[1].group.slug.as_str(), &own[1].roles[..]), ("engine", &["worker".to_owned()][..]));
}

/// A maintainer manages members of lower roles, but neither the owner nor other maintainers.
#[tokio::test]
async fn cvat_memberships_partial_update() {
    let server = TestServer::start().await;
    let [_, ada, grace, eve] = organization(&server).await;
    let role = async |who: &Person, user: &str, role: &str| {
        let body = bodies::member_roles(&[role]);
        who.group_member_update().group("@engine").user(user).body(body).send().await
    };
    ada.group_member_add()
        .group("@engine")
        .body(bodies::member("@eve", &["@maintainer"]))
        .send()
        .await
        .unwrap();
    for name in ["supervisor", "worker"] {
        let changed = role(&eve, "@grace", &format!("@{name}")).await.unwrap();
        assert_eq!(changed.roles, [name]);
    }
    let before = server.dump().await;
    for (who, user, name) in [
        (&eve, "@ada", "@worker"),
        (&eve, "@grace", "@owner"),
        (&eve, "me", "@owner"),
        (&grace, "me", "@maintainer"),
        (&grace, "@eve", "@worker"),
    ] {
        assert_eq!(
            role(who, user, name).await.refusal(),
            refusal(403, error_code::FORBIDDEN),
            "{user} {name}"
        );
    }
    assert_eq!(role(&ada, "me", "@worker").await.refusal(), refusal(409, error_code::LAST_OWNER));
    assert_eq!(before, server.dump().await);
    role(&ada, "@eve", "@owner").await.unwrap();
    assert_eq!(role(&ada, "me", "@worker").await.unwrap().roles, ["worker"], "an owner hands over");
}

#[tokio::test]
async fn cvat_memberships_destroy() {
    let server = TestServer::start().await;
    let [_, ada, grace, eve] = organization(&server).await;
    ada.group_member_add()
        .group("@engine")
        .body(bodies::member("@eve", &["@maintainer"]))
        .send()
        .await
        .unwrap();
    let remove =
        async |who: &Person, user: &str| who.group_member_remove().group("@engine").user(user).send().await;
    assert_eq!(remove(&eve, "@ada").await.refusal(), refusal(403, error_code::FORBIDDEN));
    assert_eq!(remove(&grace, "@eve").await.refusal(), refusal(403, error_code::FORBIDDEN));
    remove(&eve, "@grace").await.unwrap();
    assert_eq!(
        grace.group_view().group("@engine").send().await.refusal(),
        refusal(404, error_code::NOT_FOUND)
    );
    remove(&eve, "me").await.unwrap();
    assert_eq!(members(&ada).await.len(), 1);
}

/// Pending until accepted; the caller delivers the token, which is shown once.
#[tokio::test]
async fn cvat_invitations() {
    let server = TestServer::start().await;
    let [_, ada, _, eve] = organization(&server).await;
    let body = bodies::invitation(json!({ "roles": ["@supervisor", "@supervisor"] }));
    let made = ada.group_invitation_create().group("@engine").body(body).send().await.unwrap().into_inner();
    assert_eq!(
        (made.invitation.roles, made.invitation.invited_by.map(|by| by.0)),
        (vec!["supervisor".into()], Some(ada.id))
    );
    let week = made.invitation.expires_at - made.invitation.created_at;
    assert_eq!(week.num_days(), 7);
    let pending = ada.group_invitation_list().group("@engine").send().await.unwrap();
    assert_eq!((pending.items.len(), pending.items[0].id.0), (1, made.invitation.id.0));
    assert_eq!(members(&ada).await.len(), 2, "nobody is a member yet");
    let joined = eve.invitation_accept().body(bodies::token(&made.token.unwrap())).send().await.unwrap();
    assert_eq!((joined.group.slug.as_str(), &joined.roles[..]), ("engine", &["supervisor".to_owned()][..]));
    assert_eq!(members(&eve).await.len(), 3);
    assert_eq!(ada.group_invitation_list().group("@engine").send().await.unwrap().items.len(), 0);
}

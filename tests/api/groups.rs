//! Groups, their members and their visibility.

use http::Method;
use rollcall_api::access::Permission;
use rollcall_client::{Paged, Session, error_code, etag, types, user_view};
use uuid::Uuid;

use super::refusal;
use crate::support::{Answer, Person, Refused, TestServer};

/// A group with these members, the first of whom created and owns it; inserted into the database, because
/// plain users cannot create groups.
async fn group(server: &TestServer, slug: &str, members: &[&Person]) -> Uuid {
    let (id, db) = (Uuid::now_v7(), server.db().await);
    let insert = "INSERT INTO groups (id, slug, name, description, custom_data, created_by, created_at, updated_at) \
        VALUES ($1, $2, upper($2), 'Tries things out.', '{\"plan\": \"pro\"}', $3, now(), now())";
    db.execute(insert, &[&id, &slug, &members.first().map(|person| person.id)]).await.unwrap();
    for (index, person) in members.iter().enumerate() {
        let insert = "INSERT INTO group_members (group_id, user_id, joined_at) VALUES ($1, $2, now())";
        db.execute(insert, &[&id, &person.id]).await.unwrap();
        for role in if index == 0 { &["owner", "admin"][..] } else { &["member"] } {
            let insert = "INSERT INTO group_member_roles (group_id, user_id, role_id) \
                SELECT $1, $2, id FROM roles WHERE scope = 'group' AND name = $3";
            db.execute(insert, &[&id, &person.id, role]).await.unwrap();
        }
    }
    id
}

async fn slugs(session: &Session) -> Vec<String> {
    let groups: Vec<types::Group> = session.group_list().limit(1u32).stream().collect().await.unwrap();
    groups.into_iter().map(|group| group.slug).collect()
}

async fn members(session: &Session, group: &str) -> Vec<types::GroupMember> {
    session.group_member_list().group(group).limit(2u32).stream().collect().await.unwrap()
}

#[tokio::test]
async fn group_view_finds_public_in_a_new_directory() {
    let server = TestServer::start().await;
    let seen = server.admin().await.group_view().group("@public").send().await.unwrap();
    assert_eq!((seen.slug.as_str(), seen.name.as_str(), seen.default), ("public", "Public", true));
    assert!(seen.description.is_some() && seen.created_by.is_none());
}

#[tokio::test]
async fn user_create_adds_the_user_to_public() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let groups: Vec<types::UserGroup> = ada.user_group_list().user("me").stream().collect().await.unwrap();
    assert_eq!((groups.len(), groups[0].group.slug.as_str()), (1, "public"));
    assert_eq!(groups[0].roles, ["member"]);
    let me = ada.user_view().user("me").send().await.unwrap();
    assert_eq!(Some(groups[0].joined_at), me.created_at);
    let names: Vec<_> =
        members(&ada, "@public").await.into_iter().map(|member| member.user.username.unwrap()).collect();
    assert_eq!(names, ["administrator", "ada"], "in the order in which their accounts were made");
}

/// A caller who may change every group sees all groups: the response to a change would reveal them anyway.
#[tokio::test]
async fn group_view_and_every_list_are_open_to_writers_of_all_groups() {
    let server = TestServer::start().await;
    let (ada, keeper) = (server.user("ada").await, server.holder("keeper", &[Permission::GroupsWrite]).await);
    group(&server, "qa", &[&ada]).await;
    keeper.group_view().group("@qa").send().await.unwrap();
    assert_eq!(slugs(&keeper).await, ["public", "qa"]);
    let filtered = keeper.group_list().filter("slug eq \"qa\"").total("exact").send().await.unwrap();
    assert_eq!((filtered.items.len(), filtered.total), (1, Some(1)));
    assert_eq!(keeper.group_member_list().group("@qa").send().await.unwrap().items.len(), 1);
    let members = keeper.user_list().group("@qa").send().await.unwrap();
    assert_eq!(members.items.len(), 1);
    let body = types::AccessCheck::builder()
        .permission("group:own")
        .group("@qa".parse::<types::GroupRef>().unwrap());
    let check = keeper.access_check().body(body).send().await.unwrap();
    assert!(!check.allowed, "sees the group, and has no power in it by that");
    // A user's group list needs another permission.
    let refused = keeper.user_group_list().user("@ada").send().await.refusal();
    assert_eq!(refused, refusal(403, error_code::FORBIDDEN));
}

#[tokio::test]
async fn group_view_is_for_members_and_holders() {
    let server = TestServer::start().await;
    let (ada, grace, eve) = (server.user("ada").await, server.user("grace").await, server.user("eve").await);
    let id = group(&server, "qa", &[&ada, &grace]).await;
    let auditor = server.holder("auditor", &[Permission::GroupsRead]).await;
    for session in [&ada, &grace, &auditor] {
        let seen = session.group_view().group("@qa").send().await.unwrap();
        assert_eq!(
            (seen.id.0, seen.default, seen.created_by.as_ref().map(|by| by.0)),
            (id, false, Some(ada.id))
        );
        assert_eq!((seen.name.as_str(), seen.description.as_deref()), ("QA", Some("Tries things out.")));
        assert_eq!(seen.custom_data.0["plan"], "pro");
        assert_eq!(slugs(session).await, ["public", "qa"]);
        assert_eq!(session.group_view().group(id.to_string()).send().await.unwrap().slug, "qa");
    }
    assert_eq!(slugs(&eve).await, ["public"]);
    let refused = eve.group_member_list().group("@qa").send().await.refusal();
    assert_eq!(refused, refusal(404, error_code::NOT_FOUND));
    assert_eq!(eve.group_view().group("@qa").send().await.refusal(), refused);
}

/// A caller outside of a group cannot find out that it exists.
#[tokio::test]
async fn group_view_of_a_hidden_group_equals_a_missing_one() {
    let server = TestServer::start().await;
    let (ada, eve) = (server.user("ada").await, server.user("eve").await);
    let id = group(&server, "qa", &[&ada]).await;
    let look = async |path: String| {
        let response = Answer::of(server.request(Method::GET, &path).bearer_auth(eve.token())).await;
        let request = response.header("x-request-id").to_owned();
        let body = String::from_utf8(response.body.to_vec()).unwrap().replace(&request, "");
        let mut headers: Vec<String> = response.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        (response.code(), headers, body)
    };
    for suffix in ["", "/members"] {
        let missing = look(format!("/v1/groups/{}{suffix}", Uuid::now_v7())).await;
        assert_eq!(missing.0, 404);
        for name in [id.to_string(), "@qa".to_owned(), "@no-such-group".to_owned()] {
            assert_eq!(look(format!("/v1/groups/{name}{suffix}")).await, missing, "{name}");
        }
    }
}

#[tokio::test]
async fn group_member_list_returns_cards_or_full_records_with_roles() {
    let server = TestServer::start().await;
    let (ada, grace) = (server.user("ada").await, server.user("grace").await);
    group(&server, "qa", &[&ada, &grace]).await;
    let seen = members(&grace, "@qa").await;
    let views: Vec<&str> = seen.iter().map(|member| member.user.view.0.as_str()).collect();
    assert_eq!(views, [user_view::CARD, user_view::OWN]);
    assert_eq!(
        (&seen[0].roles[..], &seen[1].roles[..]),
        (&["admin".to_owned(), "owner".to_owned()][..], &["member".to_owned()][..])
    );
    assert!(seen[0].user.created_at.is_none() && seen[1].user.created_at.is_some());
    let whole = members(&*server.admin().await, "@qa").await;
    assert!(whole.iter().all(|member| member.user.view.0 == user_view::FULL && member.user.groups.is_some()));
}

#[tokio::test]
async fn user_group_list_is_for_the_user_and_holders() {
    let server = TestServer::start().await;
    let (ada, eve) = (server.user("ada").await, server.user("eve").await);
    let id = group(&server, "qa", &[&ada]).await;
    let reader = server.holder("reader", &[Permission::UsersRead]).await;
    for session in [&ada, &reader] {
        let list = session.user_group_list().user("@ada").limit(1u32).stream();
        let groups: Vec<types::UserGroup> = list.collect().await.unwrap();
        let slugs: Vec<&str> = groups.iter().map(|group| group.group.slug.as_str()).collect();
        assert_eq!((slugs, groups[1].group.id.0), (vec!["public", "qa"], id));
        assert_eq!(groups[1].roles, ["admin", "owner"]);
    }
    let refused = eve.user_group_list().user("@ada").send().await.refusal();
    assert_eq!(refused, refusal(403, error_code::FORBIDDEN));
    let me = ada.user_view().user("me").send().await.unwrap();
    assert_eq!(me.groups.as_deref(), Some(&["public".to_owned(), "qa".to_owned()][..]));
}

/// Dioptra continues to list deleted users.
#[tokio::test]
async fn group_member_list_excludes_deleted_users() {
    let server = TestServer::start().await;
    let (ada, grace) = (server.user("ada").await, server.user("grace").await);
    let id = group(&server, "qa", &[&ada, &grace]).await;
    let heir = "INSERT INTO group_member_roles (group_id, user_id, role_id) \
        SELECT $1, $2, id FROM roles WHERE name = 'owner'";
    server.db().await.execute(heir, &[&id, &grace.id]).await.unwrap();
    ada.user_delete().user("me").send().await.unwrap();
    let left = members(&grace, "@qa").await;
    assert_eq!((left.len(), left[0].user.id.0), (1, grace.id));
    let names: Vec<_> = members(&grace, "@public").await.into_iter().map(|member| member.user.id.0).collect();
    assert!(!names.contains(&ada.id));
    let seen = grace.group_view().group(id.to_string()).send().await.unwrap();
    assert!(seen.created_by.is_none(), "the group outlives its maker");
}

#[tokio::test]
async fn group_view_of_a_known_tag_is_not_modified() {
    let server = TestServer::start().await;
    let ada = server.user("ada").await;
    let seen = ada.group_view().group("@public").send().await.unwrap();
    let tag = etag(&seen).unwrap();
    let again = ada.group_view().group("@public").if_none_match(tag).send().await.refused();
    assert!(again.is_not_modified());
    ada.group_view().group("@public").if_none_match("\"0\"").send().await.unwrap();
}

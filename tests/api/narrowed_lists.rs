//! The list of users filtered by `group`, `not_group`, `role` and `not_role`: every combination, and callers
//! who may not use them.

use rollcall_api::access::Permission;
use rollcall_client::{Paged, Session, error_code, types};
use serde_json::json;
use uuid::Uuid;

use super::{bodies, refusal};
use crate::support::{Person, Refused, TestServer};

/// The parameters of one list: `group`, `not_group`, `role`, `not_role`. `None` omits a parameter.
type Narrowing<'a> = [Option<&'a str>; 4];

fn list<'a>(session: &'a Session, [group, not_group, role, not_role]: Narrowing<'_>) -> UserList<'a> {
    let mut list = session.user_list().limit(1u32);
    list = group.map_or(list.clone(), |group| list.group(group));
    list = not_group.map_or(list.clone(), |group| list.not_group(group));
    list = role.map_or(list.clone(), |role| list.role(role));
    not_role.map_or(list.clone(), |role| list.not_role(role))
}

type UserList<'a> = rollcall_client::api::builder::UserList<'a>;

async fn names(session: &Session, narrowing: Narrowing<'_>) -> Vec<String> {
    let users: Vec<types::User> = list(session, narrowing).stream().collect().await.unwrap();
    users.into_iter().map(|user| user.username.unwrap()).collect()
}

/// Ada, Grace and Alan. Ada owns `engine`, Grace is a member; Ada and Alan are editors.
async fn people(server: &TestServer) -> [Person; 4] {
    let admin = server.admin().await;
    let people = [server.user("ada").await, server.user("grace").await, server.user("alan").await];
    let engine = bodies::group(json!({ "slug": "engine", "name": "Engine", "owner": "@ada" }));
    admin.group_create().body(engine).send().await.unwrap();
    admin.group_member_add().group("@engine").body(bodies::member("@grace", &[])).send().await.unwrap();
    admin.role_create().body(bodies::role(json!({ "name": "editor" }))).send().await.unwrap();
    for user in ["@ada", "@alan"] {
        admin.user_role_add().user(user).body(bodies::roles(&["@editor"])).send().await.unwrap();
    }
    let [ada, grace, alan] = people;
    [admin, ada, grace, alan]
}

#[tokio::test]
async fn user_list_combines_group_and_role_parameters() {
    let server = TestServer::start().await;
    let [admin, ..] = people(&server).await;
    let everybody = [("administrator", "a"), ("ada", "ge"), ("grace", "g"), ("alan", "e")];
    let holds = |sign: &str, wanted: Option<&str>| {
        let letter = match wanted {
            Some("@engine") => "g",
            Some("@editor") => "e",
            Some("@administrator") => "a",
            _ => "",
        };
        sign.contains(letter)
    };
    let groups = [None, Some("@engine"), Some("@public")];
    let roles = [None, Some("@editor"), Some("@administrator")];
    for number in 0..81 {
        let narrowing =
            [groups[number % 3], groups[number / 3 % 3], roles[number / 9 % 3], roles[number / 27]];
        let [group, not_group, role, not_role] = narrowing;
        let fits = |sign: &str| {
            holds(sign, group)
                && (not_group.is_none() || !holds(sign, not_group))
                && holds(sign, role)
                && (not_role.is_none() || !holds(sign, not_role))
        };
        let expected: Vec<&str> =
            everybody.iter().filter(|(_, sign)| fits(sign)).map(|(name, _)| *name).collect();
        assert_eq!(names(&admin, narrowing).await, expected, "{narrowing:?}");
    }
}

/// Each unknown name is a 404 whose message starts with the parameter, alone and beside valid ones.
#[tokio::test]
async fn user_list_reports_the_parameter_of_an_unknown_name() {
    let server = TestServer::start().await;
    let [admin, ..] = people(&server).await;
    let nobody = Uuid::now_v7().to_string();
    let good: Narrowing<'_> = [Some("@engine"), Some("@engine"), Some("@editor"), Some("@editor")];
    for (place, parameter) in ["group", "not_group", "role", "not_role"].into_iter().enumerate() {
        for unknown in ["@nowhere", nobody.as_str()] {
            for mut narrowing in [[None; 4], good] {
                narrowing[place] = Some(unknown);
                let refused = list(&admin, narrowing).send().await.refused();
                assert_eq!(refused.code(), Some(error_code::NOT_FOUND), "{narrowing:?}");
                let message = refused.message();
                assert!(message.starts_with(&format!("{parameter}: ")), "{narrowing:?}: {message}");
            }
        }
    }
}

/// A hidden group gets the same response as a missing one, word for word; members need no permission.
#[tokio::test]
async fn user_list_treats_hidden_groups_as_missing() {
    let server = TestServer::start().await;
    let [_, ada, grace, alan] = people(&server).await;
    for (group, not_group) in [(Some("@engine"), None), (None, Some("@engine"))] {
        let hidden = list(&alan, [group, not_group, None, None]).send().await.refused();
        let missing = [group.map(|_| "@nowhere"), not_group.map(|_| "@nowhere"), None, None];
        let missing = list(&alan, missing).send().await.refused();
        assert_eq!((hidden.code(), hidden.message()), (missing.code(), missing.message()));
        assert_eq!(hidden.code(), Some(error_code::NOT_FOUND));
    }
    assert_eq!(names(&grace, [Some("@engine"), None, None, None]).await, ["ada", "grace"]);
    assert_eq!(names(&ada, [None, Some("@engine"), None, None]).await, ["administrator", "alan"]);
    let seer = server.holder("seer", &[Permission::GroupsRead]).await;
    assert_eq!(names(&seer, [Some("@engine"), None, None, None]).await, ["ada", "grace"]);
    let reader = server.holder("reader", &[Permission::UsersRead]).await;
    let refused = list(&reader, [Some("@engine"), None, None, None]).send().await.refusal();
    assert_eq!(refused, refusal(404, error_code::NOT_FOUND), "whoever reads users sees no groups by it");
}

/// Filtering by role needs `users:read`; other callers do not even learn if the role exists.
#[tokio::test]
async fn user_list_filters_by_role_for_readers_only() {
    let server = TestServer::start().await;
    let [_, ada, ..] = people(&server).await;
    let all_but = |permission: &&Permission| **permission != Permission::UsersRead && !permission.in_group();
    let others: Vec<Permission> = Permission::ALL.iter().filter(all_but).copied().collect();
    let clerk = server.holder("clerk", &others).await;
    for (place, parameter) in [(2, "role"), (3, "not_role")] {
        for role in ["@editor", "@nowhere"] {
            for who in [&ada, &clerk] {
                let mut narrowing = [None; 4];
                narrowing[place] = Some(role);
                let refused = list(who, narrowing).send().await.refused();
                assert_eq!(refused.code(), Some(error_code::FORBIDDEN), "{narrowing:?}");
                assert!(refused.message().starts_with(&format!("{parameter}: ")), "{}", refused.message());
            }
        }
    }
    let reader = server.holder("reader", &[Permission::UsersRead]).await;
    assert_eq!(names(&reader, [None, None, Some("@editor"), None]).await, ["ada", "alan"]);
}

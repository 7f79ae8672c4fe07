//! Rejected changes to roles, groups, members and invitations: the code of each, the words of its message,
//! and the unchanged database.

mod groups;
mod invitations;
mod members;
mod roles;
mod user_roles;

use rollcall_client::{Error, ResponseValue, error_code as code};
use serde_json::json;

use super::bodies;
use crate::support::{Person, Refused, TestServer};

/// Compares the database before and after each rejection.
struct Unchanged<'a> {
    server: &'a TestServer,
    before: Vec<(String, String)>,
}

impl<'a> Unchanged<'a> {
    async fn new(server: &'a TestServer) -> Self {
        Self { server, before: server.dump().await }
    }

    /// Asserts that the call was rejected with this code and a message that contains `named`, without any
    /// change.
    async fn rejected<T>(
        &self,
        response: Result<ResponseValue<T>, Error>,
        (status, code): (u16, &str),
        named: &str,
    ) {
        let error = response.refused();
        let got = (error.status().map(|status| status.as_u16()), error.code());
        assert_eq!(got, (Some(status), Some(code)), "{named}: {}", error.message());
        assert!(error.message().contains(named), "`{named}` is not in `{}`", error.message());
        assert_eq!(self.before, self.server.dump().await, "{named}: something has changed");
    }
}

const UNKNOWN: (u16, &str) = (404, code::NOT_FOUND);
const WRONG_TYPE: (u16, &str) = (422, code::WRONG_ROLE_TYPE);
const FORBIDDEN: (u16, &str) = (403, code::FORBIDDEN);

/// An administrator; Ada, who owns `engine` and is an editor; Grace, a member of it.
async fn scene(server: &TestServer) -> (Person, Person, Person) {
    let (admin, ada) = (server.admin().await, server.user("ada").await);
    let grace = server.user("grace").await;
    for role in [
        json!({ "name": "editor", "permissions": ["articles:write"] }),
        json!({ "name": "robot", "type": "machine" }),
        json!({ "name": "wheel", "scope": "group", "type": "machine" }),
    ] {
        admin.role_create().body(bodies::role(role)).send().await.unwrap();
    }
    admin.user_role_add().user("@ada").body(bodies::roles(&["@editor"])).send().await.unwrap();
    let engine = bodies::group(json!({ "slug": "engine", "name": "Engine", "owner": "@ada" }));
    admin.group_create().body(engine).send().await.unwrap();
    ada.group_member_add().group("@engine").body(bodies::member("@grace", &[])).send().await.unwrap();
    (admin, ada, grace)
}

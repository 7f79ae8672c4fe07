//! Requests for each operation whose outcome depends on the caller only. An operation whose example in the document doesn't fit
//! the test data needs a line in [`FITTED`].

use serde_json::{Value, json};
use uuid::Uuid;

use rollcall_server::secrets::token::Token;

use crate::support::contract::Operation;
use crate::support::{PASSWORD, Person, TestServer};

/// A valid new password.
pub const NEW_PASSWORD: &str = "seven copper kettles sing at dawn";

/// Targets of the requests.
pub struct Scene {
    /// The user of `{user}` in paths.
    pub target: Person,
    /// An unused session of the target.
    pub session: Uuid,
    /// A group without members.
    pub group: Uuid,
    /// A role without permissions that the target holds.
    pub role: String,
    /// An invitation to the group.
    pub invitation: Uuid,
    /// The token of the invitation.
    pub token: String,
    /// Unique number of the scene.
    pub number: u32,
}

impl Scene {
    /// Creates the targets.
    pub async fn set(server: &TestServer, number: u32) -> Self {
        let target = server.quick_user(&format!("target{number}")).await;
        let (session, group) = (Uuid::now_v7(), Uuid::now_v7());
        let copy = "INSERT INTO sessions (id, user_id, token_hash, created_at, authenticated_at, last_used_at, expires_at) \
            SELECT $1, user_id, sha256(token_hash), created_at, authenticated_at, last_used_at, expires_at \
            FROM sessions WHERE id = $2";
        let db = server.db().await;
        db.execute(copy, &[&session, &target.session_id]).await.unwrap();
        let insert = "INSERT INTO groups (id, slug, name, created_at, updated_at) VALUES ($1, $2, 'A group', now(), now())";
        db.execute(insert, &[&group, &format!("group-{number}")]).await.unwrap();
        let role = format!("role-{number}");
        let insert = "INSERT INTO roles (id, scope, name, created_at, updated_at) VALUES ($1, 'global', $2, now(), now())";
        let id = Uuid::now_v7();
        db.execute(insert, &[&id, &role]).await.unwrap();
        let hold = "INSERT INTO user_roles (user_id, role_id, granted_at) VALUES ($1, $2, now())";
        db.execute(hold, &[&target.id, &id]).await.unwrap();
        let (invitation, token) = (Uuid::now_v7(), Token::invitation());
        let invite = "INSERT INTO invitations (id, group_id, token_hash, invited_by, created_at, expires_at) \
            SELECT $1, $2, $3, id, now(), now() + interval '1 day' FROM users WHERE username = 'administrator'";
        db.execute(invite, &[&invitation, &group, &token.hash().0.to_vec()]).await.unwrap();
        Self { target, session, group, role, invitation, token: token.expose().to_owned(), number }
    }

    /// Adds a user to the scene's group with a built-in group role.
    pub async fn join(&self, server: &TestServer, user: Uuid, role: &str) {
        let db = server.db().await;
        let join = "INSERT INTO group_members (group_id, user_id, joined_at) VALUES ($1, $2, now())";
        db.execute(join, &[&self.group, &user]).await.unwrap();
        let role_of = "INSERT INTO group_member_roles (group_id, user_id, role_id) \
            SELECT $1, $2, id FROM roles WHERE name = $3";
        db.execute(role_of, &[&self.group, &user, &role]).await.unwrap();
    }

    /// Returns the path of a request.
    pub fn path(&self, operation: &Operation) -> String {
        operation
            .path
            .replace("{user}", &self.target.path())
            .replace("{role}", &format!("@{}", self.role))
            .replace("{invitation}", &self.invitation.to_string())
            .replace("{session}", &self.session.to_string())
            .replace("{group}", &self.group.to_string())
            + if operation.id == "role_delete" { "?force=true" } else { "" }
    }

    /// Returns the body of a request, if it has one.
    pub fn body(&self, operation: &Operation) -> Option<Value> {
        let mut body = operation.example()?;
        if let Some((_, fit)) = FITTED.iter().find(|(id, _)| *id == operation.id) {
            fit(self, &mut body);
        }
        Some(body)
    }
}

type Fit = fn(&Scene, &mut Value);

/// Operations whose example in the document doesn't fit the scene, with the function that adapts it.
pub const FITTED: &[(&str, Fit)] = &[
    ("login", |scene, body| *body = json!({ "identifier": scene.target.username, "password": PASSWORD })),
    ("login_change_password", |scene, body| {
        *body = json!({ "identifier": scene.target.username, "password": PASSWORD, "new_password": NEW_PASSWORD });
    }),
    ("register", unique_names),
    ("session_reauthenticate", |_, body| body["password"] = PASSWORD.into()),
    ("user_create", unique_names),
    ("user_update", unique_names),
    ("user_password_set", |_, body| body["password"] = NEW_PASSWORD.into()),
    ("user_password_change", |_, body| {
        *body = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    }),
    ("user_password_verify", |_, body| body["password"] = PASSWORD.into()),
    ("group_create", |scene, body| {
        body["slug"] = format!("fresh-{}", scene.number).into();
        body["owner"] = scene.target.path().into();
    }),
    ("group_member_add", |scene, body| *body = json!({ "user": scene.target.path(), "roles": ["@member"] })),
    ("group_member_update", |_, body| *body = json!({ "roles": ["@member"] })),
    ("invitation_accept", |scene, body| body["token"] = scene.token.clone().into()),
    ("role_create", |scene, body| body["name"] = format!("fresh-{}", scene.number).into()),
    ("user_role_add", |scene, body| *body = json!({ "roles": [format!("@{}", scene.role)] })),
    ("user_role_replace", |_, body| *body = json!({ "roles": [] })),
    ("access_check", |scene, body| {
        *body = json!({ "user": scene.target.path(), "permission": "articles:write" });
    }),
];

/// Sets unique names, and a password that doesn't contain them.
fn unique_names(scene: &Scene, body: &mut Value) {
    let number = scene.number;
    for (field, value) in [
        ("username", format!("fresh{number}")),
        ("email", format!("fresh{number}@example.org")),
        ("phone", format!("+4420790{number:05}")),
        ("password", NEW_PASSWORD.to_owned()),
    ] {
        if body.get(field).is_some() {
            body[field] = value.into();
        }
    }
}

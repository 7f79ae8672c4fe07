//! How each operation is called so that only who calls decides. A new operation needs a line in [`RECIPES`].

use serde_json::{Value, json};
use uuid::Uuid;

use rollcall_server::secrets::token::Token;

use crate::support::contract::Operation;
use crate::support::{PASSWORD, Person, TestServer};

/// A password to set.
pub const NEW_PASSWORD: &str = "seven copper kettles sing at dawn";

/// What the calls of one scene are about.
pub struct Scene {
    /// Whom `{user}` names.
    pub target: Person,
    /// A session of theirs that nobody uses.
    pub session: Uuid,
    /// A group that nobody is in yet.
    pub group: Uuid,
    /// A role without permissions that the target holds.
    pub role: String,
    /// An invitation to the group.
    pub invitation: Uuid,
    /// Its token.
    pub token: String,
    /// Different in each scene.
    pub number: u32,
}

impl Scene {
    /// Sets a scene.
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

    /// Takes somebody into the scene's group, with a built-in group role.
    pub async fn join(&self, server: &TestServer, user: Uuid, role: &str) {
        let db = server.db().await;
        let join = "INSERT INTO group_members (group_id, user_id, joined_at) VALUES ($1, $2, now())";
        db.execute(join, &[&self.group, &user]).await.unwrap();
        let role_of = "INSERT INTO group_member_roles (group_id, user_id, role_id) \
            SELECT $1, $2, id FROM roles WHERE name = $3";
        db.execute(role_of, &[&self.group, &user, &role]).await.unwrap();
    }

    /// The path of a call.
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

    /// The body of a call, where it has one.
    #[track_caller]
    pub fn body(&self, operation: &Operation) -> Option<Value> {
        let recipe = RECIPES.iter().find(|(id, _)| *id == operation.id);
        let Some((_, recipe)) = recipe else {
            panic!("`{}` has no recipe: add one to tests/contract/recipes.rs", operation.id);
        };
        let mut body = operation.example()?;
        recipe(self, &mut body);
        Some(body)
    }
}

type Recipe = fn(&Scene, &mut Value);

fn as_it_is(_: &Scene, _: &mut Value) {}

/// Operation, and what of the document's example must fit the scene.
pub const RECIPES: &[(&str, Recipe)] = &[
    ("login", |scene, body| *body = json!({ "identifier": scene.target.username, "password": PASSWORD })),
    ("login_change_password", |scene, body| {
        *body = json!({ "identifier": scene.target.username, "password": PASSWORD, "new_password": NEW_PASSWORD });
    }),
    ("register", unique_names),
    ("logout", as_it_is),
    ("session_view", as_it_is),
    ("session_reauthenticate", |_, body| body["password"] = PASSWORD.into()),
    ("user_list", as_it_is),
    ("user_create", unique_names),
    ("user_view", as_it_is),
    ("user_update", unique_names),
    ("user_delete", as_it_is),
    ("user_custom_data_view", as_it_is),
    ("user_custom_data_update", as_it_is),
    ("user_custom_data_replace", as_it_is),
    ("user_preferences_view", as_it_is),
    ("user_preferences_update", as_it_is),
    ("user_group_list", as_it_is),
    ("user_password_set", |_, body| body["password"] = NEW_PASSWORD.into()),
    ("user_password_change", |_, body| {
        *body = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    }),
    ("user_password_verify", |_, body| body["password"] = PASSWORD.into()),
    ("user_session_list", as_it_is),
    ("user_session_delete", as_it_is),
    ("user_session_delete_all", as_it_is),
    ("group_list", as_it_is),
    ("group_view", as_it_is),
    ("group_member_list", as_it_is),
    ("user_suspend", as_it_is),
    ("user_reactivate", as_it_is),
    ("group_create", |scene, body| {
        body["slug"] = format!("fresh-{}", scene.number).into();
        body["owner"] = scene.target.path().into();
    }),
    ("group_update", as_it_is),
    ("group_delete", as_it_is),
    ("group_member_add", |scene, body| *body = json!({ "user": scene.target.path(), "roles": ["@member"] })),
    ("group_member_update", |_, body| *body = json!({ "roles": ["@member"] })),
    ("group_member_remove", as_it_is),
    ("group_invitation_list", as_it_is),
    ("group_invitation_create", as_it_is),
    ("group_invitation_delete", as_it_is),
    ("invitation_accept", |scene, body| body["token"] = scene.token.clone().into()),
    ("role_list", as_it_is),
    ("role_create", |scene, body| body["name"] = format!("fresh-{}", scene.number).into()),
    ("role_view", as_it_is),
    ("role_update", as_it_is),
    ("role_delete", as_it_is),
    ("user_role_list", as_it_is),
    ("user_role_add", |scene, body| *body = json!({ "roles": [format!("@{}", scene.role)] })),
    ("user_role_replace", |_, body| *body = json!({ "roles": [] })),
    ("user_role_remove", as_it_is),
    ("access_check", |scene, body| {
        *body = json!({ "user": scene.target.path(), "permission": "articles:write" });
    }),
    ("user_permission_list", as_it_is),
    ("audit_event_list", as_it_is),
    ("system_version", as_it_is),
    ("system_health", as_it_is),
    ("system_ready", as_it_is),
    ("document_view", as_it_is),
];

/// Nobody else's names, and a password that isn't made of them.
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

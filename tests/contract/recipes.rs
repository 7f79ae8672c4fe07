//! How each operation is called so that only who calls decides. A new operation needs a line in [`RECIPES`].

use serde_json::{Value, json};
use uuid::Uuid;

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
        Self { target, session, group, number }
    }

    /// The path of a call.
    pub fn path(&self, operation: &Operation) -> String {
        operation
            .path
            .replace("{user}", &self.target.path())
            .replace("{session}", &self.session.to_string())
            .replace("{group}", &self.group.to_string())
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

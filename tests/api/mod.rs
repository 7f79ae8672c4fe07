//! Behaviour of each operation, through the generated client: one file for each tag of the document, or
//! several for a large tag. `users` shows the pattern.

mod access;
mod attempts;
mod audit_events;
mod auth;
mod auth_sessions;
mod bodies;
mod coverage;
mod cvat;
mod deletions;
mod documents;
mod escalation;
mod expired_lists;
mod finding;
mod folded_names;
mod granting;
mod groups;
mod idempotency;
mod invisible_texts;
mod invitations;
mod logto;
mod many_holders;
mod members;
mod narrowed_lists;
mod outside;
mod password_length;
mod passwords;
mod registration;
mod rejections;
mod roles;
mod sessions;
mod suspension;
mod suspension_end;
mod system;
mod tags;
mod user_deletion;
mod user_lists;
mod user_names;
mod user_role_lists;
mod user_tags;
mod user_updates;
mod username_characters;
mod users;
mod vanished_replays;
mod verification;

use rollcall_client::{Error, Session, error_code, types};
use serde_json::Value;

use crate::support::{Refused, TestServer};

/// Another password that the policy accepts.
const NEW_PASSWORD: &str = "seven copper kettles sing at dawn";

/// A `UserCreate` body from JSON.
fn create(body: Value) -> types::UserCreate {
    serde_json::from_value(body).unwrap()
}

/// A `UserUpdate` body from JSON. `null` would be lost here as in any program; the `Nullable…` types clear a
/// field.
fn update(body: Value) -> types::UserUpdate {
    serde_json::from_value(body).unwrap()
}

/// A JSON object for custom data and preferences.
fn object(body: Value) -> types::JsonObject {
    serde_json::from_value(body).unwrap()
}

/// The error of a failed login.
async fn sign_in_refused(server: &TestServer, identifier: &str, password: &str) -> Error {
    match server.client().login(identifier, password).await {
        Ok(_) => panic!("{identifier} could sign in"),
        Err(error) => error,
    }
}

/// Status and code, as [`Refused::refusal`] returns them.
fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// True if a session's token is still valid.
async fn is_live(session: &Session) -> bool {
    match session.session_view().send().await {
        Ok(_) => true,
        response => {
            assert_eq!(response.refusal(), refusal(401, error_code::UNAUTHENTICATED));
            false
        }
    }
}

/// A text from the database, such as a hash.
async fn text(server: &TestServer, query: &str) -> String {
    server.db().await.query_one(query, &[]).await.unwrap().get(0)
}

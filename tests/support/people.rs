//! Callers: the administrator, plain users, holders of given permissions.

use std::ops::Deref;

use chrono::TimeDelta;
use rollcall_api::access::Permission;
use rollcall_client::{Password, Session, types};
use rollcall_server::clock::Clock;
use rollcall_server::secrets::token::Token;
use uuid::Uuid;

use super::TestServer;

/// Username of the administrator of every test database.
pub const ADMINISTRATOR: &str = "administrator";
/// Password of all users.
pub const PASSWORD: &str = "plum lantern over quiet rivers";

/// A user who is signed in. Every operation is a method, through the generated client.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: Uuid,
    pub username: String,
    pub session_id: Uuid,
    pub session: Session,
}

impl Person {
    /// The token, for calls over the wire.
    pub fn token(&self) -> String {
        self.session.token().expose().to_owned()
    }

    /// The id as a path segment.
    pub fn path(&self) -> String {
        self.id.to_string()
    }
}

impl Deref for Person {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

/// Body that creates a user with a username and [`PASSWORD`].
pub fn new_user(username: &str) -> types::builder::UserCreate {
    types::UserCreate::builder()
        .username(types::Username::try_from(username).unwrap())
        .password(Password::from(PASSWORD))
}

impl TestServer {
    /// Signs the administrator in.
    pub async fn admin(&self) -> Person {
        self.sign_in(ADMINISTRATOR).await
    }

    /// Signs in a user whose password is [`PASSWORD`].
    pub async fn sign_in(&self, username: &str) -> Person {
        let body = types::Login {
            identifier: types::Identifier::try_from(username).unwrap(),
            password: PASSWORD.into(),
        };
        let created = self.client().api().login().body(body).send().await.unwrap().into_inner();
        let session = self.client().with_token(created.token.clone());
        Person {
            id: created.user.id.0,
            username: username.to_owned(),
            session_id: created.session.id.0,
            session,
        }
    }

    /// Creates a plain user and signs it in.
    pub async fn user(&self, username: &str) -> Person {
        self.admin().await.user_create().body(new_user(username)).send().await.unwrap();
        self.sign_in(username).await
    }

    /// Creates a user with a role of exactly these permissions, and signs it in.
    pub async fn holder(&self, username: &str, permissions: &[Permission]) -> Person {
        let person = self.user(username).await;
        self.grant(person.id, permissions.iter().map(|permission| permission.as_str())).await;
        person
    }

    /// Inserts a plain user with a session into the database, for tests that need hundreds.
    pub async fn quick_user(&self, username: &str) -> Person {
        let (id, session_id, now) = (Uuid::now_v7(), Uuid::now_v7(), self.clock.now());
        let token = Token::session();
        let user = "INSERT INTO users (id, username, username_folded, password_hash, password_changed_at, created_via, \
                created_at, updated_at) \
            SELECT $1, $2, $2, password_hash, $4, 'admin', $4, $4 FROM users WHERE username_folded = $3";
        let member = "INSERT INTO group_members (group_id, user_id, joined_at) \
            SELECT id, $1, $2 FROM groups WHERE is_default";
        let session = "INSERT INTO sessions (id, user_id, token_hash, created_at, authenticated_at, last_used_at, expires_at) \
            VALUES ($1, $2, $3, $4, $4, $4, $5)";
        let db = self.db().await;
        db.execute(user, &[&id, &username, &ADMINISTRATOR, &now]).await.unwrap();
        db.execute(member, &[&id, &now]).await.unwrap();
        let expires = now + TimeDelta::hours(12);
        db.execute(session, &[&session_id, &id, &&token.hash().0[..], &now, &expires]).await.unwrap();
        let session = self.client().with_token(token.expose());
        Person { id, username: username.to_owned(), session_id, session }
    }

    /// Assigns a user a new role with exactly these permissions.
    pub async fn grant<'a>(&self, user: Uuid, permissions: impl IntoIterator<Item = &'a str>) {
        let role = Uuid::now_v7();
        let db = self.db().await;
        let insert = "INSERT INTO roles (id, scope, name, created_at, updated_at) VALUES ($1, 'global', $2, now(), now())";
        db.execute(insert, &[&role, &format!("only-{role}")]).await.unwrap();
        for permission in permissions {
            let insert = "INSERT INTO role_permissions (role_id, permission) VALUES ($1, $2)";
            db.execute(insert, &[&role, &permission]).await.unwrap();
        }
        let insert = "INSERT INTO user_roles (user_id, role_id, granted_at) VALUES ($1, $2, now())";
        db.execute(insert, &[&user, &role]).await.unwrap();
    }

    /// Assigns a user the role `administrator`.
    pub async fn make_administrator(&self, user: Uuid) {
        let insert = "INSERT INTO user_roles (user_id, role_id, granted_at) \
            SELECT $1, id, now() FROM roles WHERE scope = 'global' AND name = 'administrator'";
        self.db().await.execute(insert, &[&user]).await.unwrap();
    }

    /// Suspends a user in the database, without the server: the user's sessions are kept.
    pub async fn suspend(&self, user: Uuid) {
        self.db().await.execute("UPDATE users SET suspended = true WHERE id = $1", &[&user]).await.unwrap();
    }

    /// Sets a session's expiry into the past.
    pub async fn expire(&self, session: Uuid) {
        let update = "UPDATE sessions SET expires_at = created_at WHERE id = $1";
        self.db().await.execute(update, &[&session]).await.unwrap();
    }

    /// A well-formed token that was never issued.
    pub fn garbage_token() -> String {
        Token::session().expose().to_owned()
    }
}

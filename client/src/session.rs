//! A signed-in client.

use std::ops::Deref;

use progenitor_client::ClientInfo;

use crate::error::Error;
use crate::generated;
use crate::secret::{Password, Token};
use crate::types;

/// A client that sends a credential. It has every operation as a method, through [`api::Client`](crate::api::Client).
/// Clones share the credential, so a new token reaches them all.
#[derive(Clone, Debug)]
pub struct Session(generated::Client);

impl Session {
    pub(crate) fn new(client: generated::Client) -> Self {
        Self(client)
    }

    /// The current token, to store it in a safe place.
    pub fn token(&self) -> Token {
        self.0.inner().token().expect("a session always has a token")
    }

    /// Replaces the token. Needed after `session_reauthenticate` and `user_password_change`, which return a new one;
    /// [`reauthenticate`](Self::reauthenticate) and [`change_password`](Self::change_password) do it themselves.
    pub fn set_token(&self, token: impl Into<Token>) {
        self.0.inner().set_token(token.into());
    }

    /// Authenticates again (`session_reauthenticate`) and uses the new token from then on.
    pub async fn reauthenticate(
        &self,
        password: impl Into<Password>,
    ) -> Result<types::SessionCreated, Error> {
        let body = types::SessionReauthenticate { password: password.into() };
        let created = self.0.session_reauthenticate().body(body).send().await?.into_inner();
        self.set_token(created.token.clone());
        Ok(created)
    }

    /// Changes the caller's password (`user_password_change`) and uses the new token from then on.
    pub async fn change_password(
        &self,
        current: impl Into<Password>,
        new: impl Into<Password>,
    ) -> Result<types::SessionCreated, Error> {
        let body = types::UserPasswordChange { current_password: current.into(), new_password: new.into() };
        let created = self.0.user_password_change().user("me").body(body).send().await?.into_inner();
        self.set_token(created.token.clone());
        Ok(created)
    }

    /// Ends the session (`logout`). Its token is rejected from the next request on.
    pub async fn end(&self) -> Result<(), Error> {
        self.0.logout().send().await?;
        Ok(())
    }

    /// The generated client.
    pub fn api(&self) -> &generated::Client {
        &self.0
    }
}

impl Deref for Session {
    type Target = generated::Client;

    fn deref(&self) -> &generated::Client {
        &self.0
    }
}

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

    /// The token that is sent, to keep it in a safe place.
    pub fn token(&self) -> Token {
        self.0.inner().token().expect("a session is made with a token and never loses it")
    }

    /// Sends this token from now on. Needed after `session_reauthenticate` and `user_password_change`, which answer with
    /// a new one; [`reauthenticate`](Self::reauthenticate) and [`change_password`](Self::change_password) do it.
    pub fn set_token(&self, token: impl Into<Token>) {
        self.0.inner().set_token(token.into());
    }

    /// Proves again who is there (`session_reauthenticate`), and goes on with the new token.
    pub async fn reauthenticate(
        &self,
        password: impl Into<Password>,
    ) -> Result<types::SessionCreated, Error> {
        let body = types::SessionReauthenticate { password: password.into() };
        let answer = self.0.session_reauthenticate().body(body).send().await?.into_inner();
        self.set_token(answer.token.clone());
        Ok(answer)
    }

    /// Changes one's password (`user_password_change`), and goes on with the new token.
    pub async fn change_password(
        &self,
        current: impl Into<Password>,
        new: impl Into<Password>,
    ) -> Result<types::SessionCreated, Error> {
        let body = types::UserPasswordChange { current_password: current.into(), new_password: new.into() };
        let answer = self.0.user_password_change().user("me").body(body).send().await?.into_inner();
        self.set_token(answer.token.clone());
        Ok(answer)
    }

    /// Ends the session (`logout`). Its token is dead on the next request.
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

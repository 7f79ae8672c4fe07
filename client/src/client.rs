//! A client of one server, and its builder.

use std::ops::Deref;
use std::time::Duration;

use crate::edge::{Edge, Retries};
use crate::error::Error;
use crate::generated;
use crate::secret::{Password, Token};
use crate::session::Session;
use crate::types;

/// A client of one server. Cheap to clone; clones share connections.
///
/// It has every operation as a method, through [`api::Client`](crate::api::Client). Without a token only the public
/// operations succeed: [`login`](Self::login) and [`with_token`](Self::with_token) return a [`Session`] that has one.
#[derive(Clone, Debug)]
pub struct Client(generated::Client);

impl Client {
    /// Creates a client of the server at this URL, such as `http://127.0.0.1:8080`, with the default settings.
    pub fn new(url: &str) -> Result<Self, Error> {
        Self::builder().url(url).build()
    }

    /// Returns a builder for a client with other settings.
    ///
    /// ```no_run
    /// # fn example() -> Result<(), rollcall_client::Error> {
    /// use std::time::Duration;
    ///
    /// let client = rollcall_client::Client::builder()
    ///     .url("https://people.example.org")
    ///     .timeout(Duration::from_secs(10))
    ///     .retries(5)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Signs in with a username, e-mail address or telephone number.
    pub async fn login(&self, identifier: &str, password: impl Into<Password>) -> Result<Session, Error> {
        let body = types::Login::builder().identifier(identifier).password(password.into());
        let response = self.0.login().body(body).send().await?;
        Ok(self.with_token(response.into_inner().token))
    }

    /// Creates a session from an existing token. Sends nothing.
    pub fn with_token(&self, token: impl Into<Token>) -> Session {
        let mut client = self.0.clone();
        client.inner = client.inner.with(token.into());
        Session::new(client)
    }

    /// The generated client, for operations with the name of a method of this type.
    pub fn api(&self) -> &generated::Client {
        &self.0
    }
}

impl Deref for Client {
    type Target = generated::Client;

    fn deref(&self) -> &generated::Client {
        &self.0
    }
}

/// The settings of a [`Client`].
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    url: String,
    timeout: Duration,
    connect_timeout: Duration,
    retries: Retries,
    token: Option<Token>,
    http: Option<reqwest::Client>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8080".to_owned(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            retries: Retries::default(),
            token: None,
            http: None,
        }
    }
}

impl ClientBuilder {
    /// Sets the URL of the server, `http://127.0.0.1:8080` by default. A path is kept, for servers behind a proxy.
    pub fn url(mut self, url: &str) -> Self {
        self.url = url.to_owned();
        self
    }

    /// Sets the timeout of one attempt as a whole, 30 seconds by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the timeout of connecting, 5 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the maximum number of retries after a broken connection, a 503, a 409 `idempotency_in_progress`, or a 429 whose
    /// `Retry-After` is no longer than the longest pause: 3 by default, 0 for none. Only reads are retried, and requests
    /// with an idempotency key, which the client adds to operations that create.
    pub fn retries(mut self, count: u32) -> Self {
        self.retries.count = count;
        self
    }

    /// Sets the pause before the first retry, for responses without `Retry-After`, and the longest pause: 100 milliseconds
    /// and 5 seconds by default. Each pause is twice as long as the one before.
    pub fn retry_pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.retries.pause = first;
        self.retries.longest = longest;
        self
    }

    /// Sends this token with every request.
    pub fn token(mut self, token: impl Into<Token>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Uses this HTTP client, with its own timeouts, proxies and certificates.
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Validates the settings and creates the client.
    pub fn build(self) -> Result<Client, Error> {
        let url = reqwest::Url::parse(&self.url)
            .map_err(|error| Error::invalid(format!("{}: {error}", self.url)))?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
            return Err(Error::invalid(format!(
                "{}: must be an http or https URL without a query",
                self.url
            )));
        }
        let http = match self.http {
            Some(http) => http,
            // A redirect could send the credential to another server.
            None => reqwest::Client::builder()
                .timeout(self.timeout)
                .connect_timeout(self.connect_timeout)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("rollcall-client/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(Error::connection)?,
        };
        let edge = Edge::new(self.token, self.retries);
        Ok(Client(generated::Client::new_with_client(url.as_str().trim_end_matches('/'), http, edge)))
    }
}

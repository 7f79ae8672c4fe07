//! An HTTP client for the load: one connection, one request at a time, no retries, and errors as text.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, HOST, IF_MATCH, RETRY_AFTER};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpSocket;

/// A request.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Option<Value>,
}

impl Call {
    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, None)
    }

    /// A POST.
    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::POST, path, Some(body))
    }

    /// A PATCH.
    pub fn patch(path: impl Into<String>, body: Value) -> Self {
        Self::new(Method::PATCH, path, Some(body))
    }

    fn new(method: Method, path: impl Into<String>, body: Option<Value>) -> Self {
        Self { method, path: path.into(), headers: HeaderMap::new(), body }
    }

    /// Adds a bearer token.
    pub fn token(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// Adds `If-Match`.
    pub fn if_match(self, tag: &str) -> Self {
        self.header(IF_MATCH.as_str(), tag)
    }

    /// Adds a header. Values that are not valid are left out; those of the load are all printable.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value))
        {
            self.headers.insert(name, value);
        }
        self
    }

    /// Method and path for messages, without ids and names.
    pub fn name(&self) -> String {
        let path: Vec<&str> = self
            .path
            .split('/')
            .map(|part| if part.len() > 30 || part.starts_with('@') { "{…}" } else { part })
            .collect();
        format!("{} {}", self.method, path.join("/"))
    }
}

/// A response.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    headers: HeaderMap,
    /// The JSON; null where the body is not JSON.
    pub body: Value,
}

impl Reply {
    /// The entity tag.
    pub fn etag(&self) -> Option<String> {
        Some(self.headers.get(ETAG)?.to_str().ok()?.to_owned())
    }

    /// True if there is a `Retry-After`.
    pub fn has_retry_after(&self) -> bool {
        self.headers.contains_key(RETRY_AFTER)
    }

    /// True for errors with `Retry-After` after which the same request may succeed.
    pub fn asks_to_retry(&self) -> bool {
        let waits = matches!(
            (self.status, self.error_code()),
            // While the database hangs, the user's share of connections is exhausted first.
            (409, "idempotency_in_progress") | (429, "too_many_requests")
        );
        (self.status == 503 || waits) && self.has_retry_after()
    }

    /// The error code, `-` where there is none.
    pub fn error_code(&self) -> &str {
        self.body["error_code"].as_str().unwrap_or("-")
    }
}

/// A client with a connection that is opened on demand.
#[derive(Debug)]
pub struct Client {
    server: SocketAddr,
    own: Ipv4Addr,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// Creates a client of a server, with a loopback address of its own.
    pub fn new(server: SocketAddr, own: Ipv4Addr) -> Self {
        Self { server, own, connection: None }
    }

    /// Creates a client of a loopback port.
    pub fn of(port: u16) -> Self {
        Self::new(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), Ipv4Addr::LOCALHOST)
    }

    /// Sends a request, once, and waits for the whole response.
    pub async fn send(&mut self, call: &Call, timeout: Duration) -> Result<Reply, String> {
        let Ok(outcome) = tokio::time::timeout(timeout, self.exchange(call)).await else {
            self.connection = None;
            return Err(format!("no response within {} s", timeout.as_secs()));
        };
        if outcome.is_err() {
            self.connection = None;
        }
        outcome
    }

    async fn exchange(&mut self, call: &Call) -> Result<Reply, String> {
        let mut connection = match self.connection.take() {
            Some(mut open) => match open.ready().await {
                Ok(()) => open,
                // The server may close a connection between two requests.
                Err(_) => self.connect().await?,
            },
            None => self.connect().await?,
        };
        let mut request = Request::builder().method(&call.method).uri(&call.path);
        if let Some(headers) = request.headers_mut() {
            headers.clone_from(&call.headers);
        }
        request = request.header(HOST, self.server.to_string());
        let body = match &call.body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(body.to_string())
            }
            None => Bytes::new(),
        };
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        let response = connection.send_request(request).await.map_err(|error| broken(&error))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| broken(&error))?.to_bytes();
        self.connection = Some(connection);
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let socket = TcpSocket::new_v4().map_err(|error| error.to_string())?;
        socket.bind(SocketAddr::from((self.own, 0))).map_err(|error| error.to_string())?;
        let connected = socket.connect(self.server).await;
        let stream = connected.map_err(|error| format!("no connection: {}", error.kind()))?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, driver) = handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error))?;
        tokio::spawn(driver);
        Ok(sender)
    }
}

fn broken(error: &hyper::Error) -> String {
    format!("the connection broke: {error}")
}

//! Hooks around every request: they add the credential and, for operations that create, an idempotency key, and retry
//! requests that are safe to retry. The only implementation of progenitor's `ClientHooks`.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use progenitor_client::{ClientHooks, ClientInfo, OperationInfo};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Request, Response, StatusCode};

use crate::generated;
use crate::secret::Token;
use crate::values;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Number of retries, and the pauses between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries {
    /// Maximum number of retries after the first attempt.
    pub count: u32,
    /// Pause before the first retry; each further one is twice as long.
    pub pause: Duration,
    /// Longest pause, also where the server's `Retry-After` is longer.
    pub longest: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { count: 3, pause: Duration::from_millis(100), longest: Duration::from_secs(5) }
    }
}

/// State of a client beside its connections. Clones share the credential.
#[derive(Clone, Debug, Default)]
pub struct Edge {
    token: Arc<RwLock<Option<Token>>>,
    retries: Retries,
}

impl Edge {
    pub(crate) fn new(token: Option<Token>, retries: Retries) -> Self {
        Self { token: Arc::new(RwLock::new(token)), retries }
    }

    /// Copies the settings, with a credential of its own.
    pub(crate) fn with(&self, token: Token) -> Self {
        Self::new(Some(token), self.retries)
    }

    pub(crate) fn token(&self) -> Option<Token> {
        self.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_token(&self, token: Token) {
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }
}

impl ClientHooks<Edge> for generated::Client {
    async fn pre<E>(&self, request: &mut Request, info: &OperationInfo) -> Result<(), generated::Error<E>> {
        let creates = values::CREATING.contains(&info.operation_id);
        let headers = request.headers_mut();
        if let Some(token) = self.inner().token() {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| {
                generated::Error::InvalidRequest(
                    "token: must contain only visible ASCII characters".to_owned(),
                )
            })?;
            value.set_sensitive(true);
            headers.entry(AUTHORIZATION).or_insert(value);
        }
        if creates && !headers.contains_key(IDEMPOTENCY_KEY) {
            let key = uuid::Uuid::new_v4().to_string();
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_str(&key).expect("a UUID is visible ASCII"));
        }
        Ok(())
    }

    async fn exec(&self, mut request: Request, _: &OperationInfo) -> reqwest::Result<Response> {
        let retries = self.inner().retries;
        let keyed = request.headers().contains_key(IDEMPOTENCY_KEY);
        let retryable = keyed || request.method() == Method::GET;
        for attempt in 0..retries.count {
            let Some(next) = retryable.then(|| request.try_clone()).flatten() else { break };
            let result = self.client().execute(request).await;
            let Some(retry_after) = should_retry(&result, keyed, retries.longest) else {
                return result.map(ensure_json_error);
            };
            let pause = retries.pause.saturating_mul(2u32.saturating_pow(attempt));
            tokio::time::sleep(retry_after.unwrap_or(pause).min(retries.longest)).await;
            request = next;
        }
        self.client().execute(request).await.map(ensure_json_error)
    }
}

/// Replaces the body of an error response that is not JSON, from a proxy for example, by that of a Rollcall error. The
/// generated code would fail to deserialize the original body and lose the status.
fn ensure_json_error(response: Response) -> Response {
    let status = response.status();
    let json = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let mut headers = response.headers().clone();
    headers.remove(CONTENT_LENGTH);
    let reason = status.canonical_reason().unwrap_or("an error");
    let body = serde_json::json!({ "request_id": "", "message": reason }).to_string();
    let mut synthetic = http::Response::new(body);
    *synthetic.status_mut() = status;
    *synthetic.headers_mut() = headers;
    synthetic.into()
}

/// Decides whether to retry; returns the pause that the server asks for. A retryable request is so after a broken
/// connection too: a read has no effect, and the key keeps a write from taking effect twice.
fn should_retry(
    result: &reqwest::Result<Response>,
    keyed: bool,
    longest: Duration,
) -> Option<Option<Duration>> {
    match result {
        Err(error) => (!error.is_timeout() && (error.is_connect() || error.is_request())).then_some(None),
        Ok(response) => {
            let pause = retry_after(response.headers());
            match response.status() {
                StatusCode::SERVICE_UNAVAILABLE => Some(pause),
                // `too_many_requests` is over soon, `too_many_attempts` is not.
                StatusCode::TOO_MANY_REQUESTS => pause.filter(|pause| *pause <= longest).map(Some),
                // Of the conflicts only `idempotency_in_progress`, which passes, comes with `Retry-After`.
                StatusCode::CONFLICT if keyed && pause.is_some() => Some(pause),
                _ => None,
            }
        }
    }
}

/// Reads the seconds of `Retry-After`.
pub(crate) fn retry_after(headers: &reqwest::header::HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

//! The wrapper of every handler: source address, deadline, panics, and conversion of errors into responses.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use dropshot::{HttpError, RequestContext};
use futures::FutureExt;
use http::header::USER_AGENT;
use rollcall_api::{OperationSpec, document, error};

use crate::config::Http;
use crate::context::App;
use crate::error::{AppResult, Error};
use crate::operation::Operation;

/// The context that Dropshot passes to every request.
pub type Shared = Arc<App>;

/// Maximum number of characters of a `User-Agent` that are stored.
const USER_AGENT_MAX: usize = 256;

/// Operations with extractors that read the query string and reject unknown parameters.
static WITH_QUERY: LazyLock<BTreeSet<String>> = LazyLock::new(document::with_query);

/// The first query parameter of an operation that takes none. Probes and caches are exempt.
fn unknown_parameter<'a>(spec: &OperationSpec, query: Option<&'a str>) -> Option<Cow<'a, str>> {
    let (name, _) = form_urlencoded::parse(query?.as_bytes()).next()?;
    let probed = !spec.writes() && !spec.access.needs_credential();
    (!probed && !WITH_QUERY.contains(spec.id)).then_some(name)
}

/// Runs an operation.
pub async fn handle<T, F>(
    rqctx: &RequestContext<Shared>,
    run: impl FnOnce(Arc<Operation>) -> F,
) -> Result<T, HttpError>
where
    F: Future<Output = AppResult<T>> + Send,
{
    let app = rqctx.context();
    let id = rqctx.endpoint.operation_id.as_str();
    let Some(spec) = OperationSpec::of(id) else {
        return Err(Error::internal(format!("{id} is not in operations::OPERATIONS")).into());
    };
    if let Some(parameter) = unknown_parameter(spec, rqctx.request.uri().query()) {
        let message = format!("{parameter}: {id} takes no parameters in the query string; leave it out");
        return Err(error::INVALID_REQUEST.with(message));
    }
    let Some(peer) = app.peers.of(rqctx.request.remote_addr()) else {
        return Err(error::FORBIDDEN.with("connect to the server's own address"));
    };
    let operation = Arc::new(Operation::new(
        Arc::clone(app),
        spec,
        format!("{} {}", rqctx.request.method(), rqctx.request.uri().path()),
        rqctx.request_id.clone(),
        source(rqctx, peer.ip().to_canonical(), &app.config.http),
        user_agent(rqctx),
    ));
    let deadline = Duration::from_secs(app.config.http.request_timeout_seconds);
    let work = AssertUnwindSafe(run(Arc::clone(&operation))).catch_unwind();
    let error = match tokio::time::timeout(deadline, operation.time.within(work)).await {
        Ok(Ok(Ok(Ok(response)))) => return Ok(response),
        Ok(Ok(Ok(Err(error)))) => error,
        Ok(Ok(Err(panic))) => Error::internal(format!("panic: {}", panic_text(&*panic))),
        Ok(Err(_)) | Err(_) => Error::retry_later(
            error::UNAVAILABLE,
            "the request took too long; a change may still take effect",
            1,
        ),
    };
    let response = HttpError::from(error);
    if let Some(code) = response.error_code.as_deref()
        // A caller over their limit must not have a row written, and wait for a connection, for each request.
        && code != error::TOO_MANY_REQUESTS.code
        && on_record(response.status_code.as_u16(), spec.writes())
    {
        // Recorded before the response, but the response waits for it no longer than for the database: the write goes
        // on in the background.
        let (recorded, code) = (Arc::clone(&operation), code.to_owned());
        let recording = tokio::spawn(async move { recorded.record_refusal(&code).await });
        let _goes_on = operation.time.within(recording).await;
    }
    if response.status_code.is_server_error() {
        slog::error!(app.log, "request failed";
            "operation" => spec.id, "request_id" => &operation.request_id, "status" => response.status_code.as_u16(),
            "reason" => &response.internal_message);
    }
    Err(response)
}

/// Returns true if a rejected request belongs in the audit trail: of writes, all rejections; of reads, forbidden
/// ones. Malformed requests are left out, and internal errors are in the log.
fn on_record(status: u16, writes: bool) -> bool {
    match status {
        403 => true,
        401 | 404 | 409 | 412 | 422 | 429 => writes,
        _ => false,
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

fn user_agent(rqctx: &RequestContext<Shared>) -> Option<String> {
    let value = rqctx.request.headers().get(USER_AGENT)?.to_str().ok()?;
    let text: String = value.chars().take(USER_AGENT_MAX).collect();
    (!text.is_empty()).then_some(text)
}

/// The client's address: the peer, or behind a trusted proxy the last address in `X-Forwarded-For` that isn't a
/// trusted proxy. Earlier entries were written by the client. If the last hop can't be parsed, the proxy's own
/// address is used.
fn source(rqctx: &RequestContext<Shared>, peer: IpAddr, http: &Http) -> IpAddr {
    if !http.trusts(peer) {
        return peer;
    }
    let forwarded: Vec<&[u8]> =
        rqctx.request.headers().get_all("x-forwarded-for").iter().map(http::HeaderValue::as_bytes).collect();
    for hop in forwarded.iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b',')) {
        let address = str::from_utf8(hop).ok().and_then(|hop| hop.trim().parse::<IpAddr>().ok());
        match address.map(|address| address.to_canonical()) {
            Some(address) if http.trusts(address) => {}
            Some(address) => return address,
            None => return peer,
        }
    }
    peer
}

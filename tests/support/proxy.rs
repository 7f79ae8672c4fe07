//! A proxy between tests and server. It changes nothing, validates every response against the document, and keeps
//! violations until the end of the test.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::contract::{self, Seen};

/// Observations of the proxy.
#[derive(Debug, Default)]
pub struct Notes {
    /// Violations of the document.
    pub violations: Vec<String>,
    /// Pairs of operation and status of the responses.
    pub answers: BTreeSet<(String, u16)>,
}

/// Observations shared with the proxy.
pub type Shared = Arc<Mutex<Notes>>;

type Upstream = Client<HttpConnector, Full<Bytes>>;

/// Starts a proxy for a server; it runs as long as the runtime that it was started on.
pub async fn start(server: SocketAddr, notes: Shared) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let upstream: Upstream =
        Client::builder(TokioExecutor::new()).pool_max_idle_per_host(256).build(connector);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            // Without `TCP_NODELAY` a small response may wait for a delayed acknowledgement.
            let _at_once = stream.set_nodelay(true);
            let (upstream, notes) = (upstream.clone(), Arc::clone(&notes));
            let service =
                service_fn(move |request| forward(request, server, upstream.clone(), Arc::clone(&notes)));
            tokio::spawn(async move {
                // A client may close its connection at any time.
                let served = hyper::server::conn::http1::Builder::new();
                let _ended = served.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

async fn forward(
    request: Request<Incoming>,
    server: SocketAddr,
    upstream: Upstream,
    notes: Shared,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let (method, target) =
        (parts.method.clone(), parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned());
    parts.uri = format!("http://{server}{target}").parse::<Uri>().unwrap();
    for hop in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        parts.headers.remove(hop);
    }
    let sent = upstream.request(Request::from_parts(parts, Full::new(body))).await;
    let response = match sent {
        Ok(response) => response,
        Err(error) => {
            return Ok(failed(
                &notes,
                &format!("{method} {target}: the server closed the connection: {error:?}"),
            ));
        }
    };
    let (mut parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => {
            return Ok(failed(&notes, &format!("{method} {target}: the response is incomplete: {error:?}")));
        }
    };
    let seen =
        Seen { method: &method, target: &target, status: parts.status, headers: &parts.headers, body: &body };
    let (operation, found) = contract::check(&seen);
    let mut notes = notes.lock().unwrap();
    notes.violations.extend(found);
    if let Some(operation) = operation {
        notes.answers.insert((operation, parts.status.as_u16()));
    }
    parts.headers.remove(TRANSFER_ENCODING);
    parts.headers.remove(CONNECTION);
    Ok(Response::from_parts(parts, Full::new(body)))
}

fn failed(notes: &Shared, what: &str) -> Response<Full<Bytes>> {
    notes.lock().unwrap().violations.push(what.to_owned());
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(what.as_bytes())));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}

//! Responses of operations: a status fixed by the type, a JSON body or none, and headers. Every response has
//! `Cache-Control: no-store`; one whose entity tag the caller already has becomes a 304.

use dropshot::{
    ApiEndpointResponse, Body, HttpError, HttpResponse, HttpResponseCreated, HttpResponseDeleted,
    HttpResponseOk,
};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use hyper::body::Bytes;
use schemars::JsonSchema;
use serde::Serialize;

use crate::extract::{IfNoneMatch, Tags};

/// Header of a response that repeats the one to an earlier request with the same idempotency key.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// 200 with a JSON body.
pub type Ok200<T> = Reply<T, 200>;
/// 201 with the new resource, its `Location` and its entity tag.
pub type Created<T> = Reply<T, 201>;
/// 204 without a body.
pub type NoContent = Reply<(), 204>;

/// A response with the status `STATUS` and a body of type `T`.
#[derive(Debug)]
pub struct Reply<T, const STATUS: u16> {
    body: Content<T>,
    headers: HeaderMap,
}

#[derive(Debug)]
enum Content<T> {
    Value(T),
    /// JSON that is already serialized: the published document, a replayed response.
    Raw(Bytes),
    NotModified,
    Empty,
}

impl<T, const STATUS: u16> Reply<T, STATUS> {
    fn from_content(body: Content<T>) -> Self {
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self { body, headers }
    }

    /// Creates a response with this body.
    pub fn new(value: T) -> Self {
        Self::from_content(Content::Value(value))
    }

    /// Creates a response with JSON that is already serialized.
    pub fn raw(json: impl Into<Bytes>) -> Self {
        Self::from_content(Content::Raw(json.into()))
    }

    /// Adds a strong `ETag` with this opaque text.
    pub fn tagged(self, opaque: &str) -> Self {
        self.header(ETAG, &format!("\"{opaque}\""))
    }

    /// Adds the `Location` of the new resource.
    pub fn located(self, path: &str) -> Self {
        self.header(LOCATION, path)
    }

    /// Adds a header. Omits it if the value is not a valid header value.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Turns the response into a 304 without a body if the caller already has its entity tag.
    pub fn unless_known(mut self, known: &IfNoneMatch) -> Self {
        let Some(mine) = self.headers.get(ETAG).and_then(|value| value.to_str().ok()) else { return self };
        let mine = mine.trim_matches('"');
        let known = match &known.0 {
            None => false,
            Some(Tags::Any) => true,
            // Weak comparison, RFC 9110 section 13.1.2.
            Some(Tags::Listed(tags)) => tags.iter().any(|tag| tag.opaque == mine),
        };
        if known {
            self.body = Content::NotModified;
        }
        self
    }
}

impl NoContent {
    /// Creates a response without a body.
    pub fn done() -> Self {
        Self::from_content(Content::Empty)
    }
}

impl<T: Serialize + JsonSchema + Send + Sync + 'static, const STATUS: u16> HttpResponse for Reply<T, STATUS> {
    fn to_result(self) -> Result<Response<Body>, HttpError> {
        let status = self.status_code();
        let body = match self.body {
            Content::Value(value) => {
                let json = serde_json::to_vec(&value)
                    .map_err(|error| HttpError::for_internal_error(error.to_string()))?;
                Some(Bytes::from(json))
            }
            Content::Raw(json) => Some(json),
            Content::NotModified | Content::Empty => None,
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        *response.headers_mut() = self.headers;
        if let Some(json) = body {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *response.body_mut() = json.into();
        }
        Ok(response)
    }

    fn response_metadata() -> ApiEndpointResponse {
        match STATUS {
            200 => HttpResponseOk::<T>::response_metadata(),
            201 => HttpResponseCreated::<T>::response_metadata(),
            204 => HttpResponseDeleted::response_metadata(),
            other => panic!("no operation returns {other}"),
        }
    }

    fn status_code(&self) -> StatusCode {
        match self.body {
            Content::NotModified => StatusCode::NOT_MODIFIED,
            _ => StatusCode::from_u16(STATUS).expect("the three aliases hold valid statuses"),
        }
    }
}

//! The one error type of this crate, converted from those of the generated client.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::edge::retry_after;
use crate::{generated, types};

/// A failed request.
#[derive(Debug)]
pub struct Error(Box<Kind>);

#[derive(Debug)]
enum Kind {
    /// The server returned an error.
    Response { status: StatusCode, headers: HeaderMap, body: Option<types::ApiError> },
    /// The request was not sent.
    Invalid(String),
    /// The connection failed.
    Connection(reqwest::Error),
    /// The response does not have the type of the document.
    Decode(serde_json::Error),
}

impl Error {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self(Box::new(Kind::Invalid(message.into())))
    }

    pub(crate) fn connection(error: reqwest::Error) -> Self {
        Self(Box::new(Kind::Connection(error)))
    }

    fn body(&self) -> Option<&types::ApiError> {
        match &*self.0 {
            Kind::Response { body, .. } => body.as_ref(),
            _ => None,
        }
    }

    /// The error code, for programs: compare it with the constants of [`error_code`](crate::error_code). A newer server
    /// may send others. `None` where no response of a Rollcall server arrived.
    pub fn code(&self) -> Option<&str> {
        self.body()?.error_code.as_deref()
    }

    /// The message, for people.
    pub fn message(&self) -> String {
        match &*self.0 {
            Kind::Response { body: Some(body), .. } => body.message.clone(),
            Kind::Response { status, .. } => format!("a response that is not in the document: {status}"),
            Kind::Invalid(message) => message.clone(),
            Kind::Connection(error) if error.is_timeout() => "the server did not respond in time".to_owned(),
            Kind::Connection(error) if error.is_connect() => "the server can't be reached".to_owned(),
            Kind::Connection(error) => error.to_string(),
            Kind::Decode(_) => "the response does not have the type of the document".to_owned(),
        }
    }

    /// The status of the response, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        match &*self.0 {
            Kind::Response { status, .. } => Some(*status),
            Kind::Connection(error) => error.status(),
            Kind::Invalid(_) | Kind::Decode(_) => None,
        }
    }

    /// The id of the request, as in the server's log.
    pub fn request_id(&self) -> Option<&str> {
        match &*self.0 {
            Kind::Response { headers, body, .. } => {
                let header = headers.get("x-request-id").and_then(|value| value.to_str().ok());
                header.or_else(|| body.as_ref().map(|body| body.request_id.as_str()))
            }
            _ => None,
        }
    }

    /// The pause that the server asks for before another attempt (`Retry-After`).
    pub fn retry_after(&self) -> Option<Duration> {
        match &*self.0 {
            Kind::Response { headers, .. } => retry_after(headers),
            _ => None,
        }
    }

    /// The current entity tag, which comes with `precondition_failed`.
    pub fn etag(&self) -> Option<&str> {
        match &*self.0 {
            Kind::Response { headers, .. } => headers.get(reqwest::header::ETAG)?.to_str().ok(),
            _ => None,
        }
    }

    /// True where the request was not sent, because a value doesn't follow its rule or is missing: the message names the
    /// field, the value and the rule. The server would have responded with `invalid_request`.
    pub fn is_invalid(&self) -> bool {
        matches!(&*self.0, Kind::Invalid(_))
    }

    /// True for the 304 that `if_changed` and `if_none_match` ask for: the caller's copy is current.
    pub fn is_not_modified(&self) -> bool {
        self.status() == Some(StatusCode::NOT_MODIFIED)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message())?;
        match (self.status(), self.code()) {
            (Some(status), Some(code)) => write!(formatter, " ({code}, {})", status.as_u16()),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::Connection(error) => Some(error),
            Kind::Decode(error) => Some(error),
            Kind::Response { .. } | Kind::Invalid(_) => None,
        }
    }
}

impl From<generated::Error<types::ApiError>> for Error {
    fn from(error: generated::Error<types::ApiError>) -> Self {
        let kind = match error {
            generated::Error::ErrorResponse(response) => Kind::Response {
                status: response.status(),
                headers: response.headers().clone(),
                body: Some(response.into_inner()),
            },
            generated::Error::UnexpectedResponse(response) => {
                Kind::Response { status: response.status(), headers: response.headers().clone(), body: None }
            }
            generated::Error::InvalidResponsePayload(_, error) => Kind::Decode(error),
            generated::Error::InvalidRequest(message) | generated::Error::Custom(message) => {
                Kind::Invalid(message)
            }
            generated::Error::CommunicationError(error)
            | generated::Error::InvalidUpgrade(error)
            | generated::Error::ResponseBodyError(error) => Kind::Connection(error),
        };
        Self(Box::new(kind))
    }
}

//! The one error of this crate, made from the several that the generated client has.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::edge::retry_after;
use crate::{generated, types};

/// Why a request failed.
#[derive(Debug)]
pub struct Error(Box<Kind>);

#[derive(Debug)]
enum Kind {
    /// The server answered with an error.
    Answer { status: StatusCode, headers: HeaderMap, body: Option<types::ApiError> },
    /// Nothing was sent.
    Invalid(String),
    /// The connection failed.
    Connection(reqwest::Error),
    /// The answer isn't what the document says.
    Unreadable(serde_json::Error),
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
            Kind::Answer { body, .. } => body.as_ref(),
            _ => None,
        }
    }

    /// What went wrong, for programs: compare it with the constants of [`error_code`](crate::error_code). A newer
    /// server may send others. `None` where nothing of the server's answered.
    pub fn code(&self) -> Option<&str> {
        self.body()?.error_code.as_deref()
    }

    /// What went wrong, for people.
    pub fn message(&self) -> String {
        match &*self.0 {
            Kind::Answer { body: Some(body), .. } => body.message.clone(),
            Kind::Answer { status, .. } => format!("an answer that the document doesn't have: {status}"),
            Kind::Invalid(message) => message.clone(),
            Kind::Connection(error) if error.is_timeout() => "the server did not answer in time".to_owned(),
            Kind::Connection(error) if error.is_connect() => "the server can't be reached".to_owned(),
            Kind::Connection(error) => error.to_string(),
            Kind::Unreadable(_) => "the answer is not what the document says".to_owned(),
        }
    }

    /// The status of the answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        match &*self.0 {
            Kind::Answer { status, .. } => Some(*status),
            Kind::Connection(error) => error.status(),
            Kind::Invalid(_) | Kind::Unreadable(_) => None,
        }
    }

    /// The id of the request, which finds it in the server's log.
    pub fn request_id(&self) -> Option<&str> {
        match &*self.0 {
            Kind::Answer { headers, body, .. } => {
                let header = headers.get("x-request-id").and_then(|value| value.to_str().ok());
                header.or_else(|| body.as_ref().map(|body| body.request_id.as_str()))
            }
            _ => None,
        }
    }

    /// How long the server asks to wait before another attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        match &*self.0 {
            Kind::Answer { headers, .. } => retry_after(headers),
            _ => None,
        }
    }

    /// The current entity tag, which comes with `precondition_failed`.
    pub fn etag(&self) -> Option<&str> {
        match &*self.0 {
            Kind::Answer { headers, .. } => headers.get(reqwest::header::ETAG)?.to_str().ok(),
            _ => None,
        }
    }

    /// Whether nothing was sent, because a value doesn't follow its rule or is missing: the message names the field, the value
    /// and the rule. The server would have said `invalid_request`.
    pub fn is_invalid(&self) -> bool {
        matches!(&*self.0, Kind::Invalid(_))
    }

    /// Whether this is the 304 that `if_changed` and `if_none_match` ask for: what the caller has is still good.
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
            Kind::Unreadable(error) => Some(error),
            Kind::Answer { .. } | Kind::Invalid(_) => None,
        }
    }
}

impl From<generated::Error<types::ApiError>> for Error {
    fn from(error: generated::Error<types::ApiError>) -> Self {
        let kind = match error {
            generated::Error::ErrorResponse(answer) => Kind::Answer {
                status: answer.status(),
                headers: answer.headers().clone(),
                body: Some(answer.into_inner()),
            },
            generated::Error::UnexpectedResponse(answer) => {
                Kind::Answer { status: answer.status(), headers: answer.headers().clone(), body: None }
            }
            generated::Error::InvalidResponsePayload(_, error) => Kind::Unreadable(error),
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

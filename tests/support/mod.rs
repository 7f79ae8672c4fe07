//! Support for all tests: a Postgres shared by the tests of a run ([`cluster`]), a database per test, the real server in
//! this process ([`TestServer`]), a proxy that validates every response against the published document ([`proxy`],
//! [`contract`]), and users that are signed in ([`Person`]).

pub mod cluster;
pub mod contract;
pub mod log;
pub mod own_postgres;
pub mod people;
pub mod proxy;
pub mod relay;
pub mod server;
pub mod turns;

pub use people::{PASSWORD, Person};
pub use server::TestServer;

use http::StatusCode;
use rollcall_client::{Error, ResponseValue};

/// The error of a call that must fail.
pub trait Refused {
    /// The client's error; panics on success.
    fn refused(self) -> Error;
    /// Status and code of the error; panics on success.
    fn refusal(self) -> (u16, String);
}

impl<T> Refused for Result<ResponseValue<T>, Error> {
    #[track_caller]
    fn refused(self) -> Error {
        match self {
            Ok(response) => panic!("expected an error, got {}", response.status()),
            Err(error) => error,
        }
    }

    #[track_caller]
    fn refusal(self) -> (u16, String) {
        let error = self.refused();
        let status = error.status().unwrap_or_else(|| panic!("no response: {error:?}"));
        (status.as_u16(), error.code().unwrap_or_default().to_owned())
    }
}

/// A response with its whole body, over the wire.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: bytes::Bytes,
}

impl Answer {
    /// Sends a request and reads the response.
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, body: response.bytes().await.unwrap() }
    }

    /// The status as a number.
    pub fn code(&self) -> u16 {
        self.status.as_u16()
    }

    /// The body as JSON; null where there is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The `error_code` of an error.
    pub fn error_code(&self) -> String {
        self.json()["error_code"].as_str().unwrap_or_default().to_owned()
    }

    /// The `message` of an error.
    pub fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_default().to_owned()
    }

    /// A header, empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

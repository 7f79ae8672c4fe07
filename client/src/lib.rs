//! A typed client of [Rollcall](crate), the directory of people that you host yourself.
//!
//! Everything that the server can do is a method of [`api::Client`], generated from the published document. Around it
//! stands a thin edge: [`Client`] and [`Session`] send the credential and repeat what may safely be repeated, [`Error`]
//! says what went wrong, [`Paged`] walks over lists, [`etag`] reads the tag for a conditional request. It depends on
//! nothing of the server.
//!
//! # Sign in and look around
//!
//! ```no_run
//! use rollcall_client::{Client, Paged};
//!
//! # async fn example() -> Result<(), rollcall_client::Error> {
//! let client = Client::new("http://127.0.0.1:8080")?;
//! let session = client.login("ada", "plum lantern over quiet rivers").await?;
//!
//! let me = session.user_view().user("me").send().await?;
//! println!("Hello, {}!", me.name.as_deref().unwrap_or("you"));
//!
//! let mut users = session.user_list().limit(100u32).stream();
//! while let Some(user) = users.next().await {
//!     println!("{}", user?.username.unwrap_or_default());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Change something that nobody else has changed
//!
//! A field of an update has three states: left out it keeps its value, `Nullable…(Some(value))` sets it, and
//! `Nullable…(None)` clears it.
//!
//! ```no_run
//! use rollcall_client::{Session, error_code, etag, types};
//!
//! # async fn example(session: Session) -> Result<(), rollcall_client::Error> {
//! let before = session.user_view().user("me").send().await?;
//! let changes = types::UserUpdate::builder().phone(types::NullablePhone(None));
//! let request = session.user_update().user("me").if_match(etag(&before).unwrap_or("*")).body(changes);
//! match request.send().await.map_err(rollcall_client::Error::from) {
//!     Ok(after) => println!("now {}", etag(&after).unwrap_or("without a tag")),
//!     Err(error) if error.code() == Some(error_code::PRECONDITION_FAILED) => println!("somebody was faster"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What survives a newer server
//!
//! Answers may have fields that this client doesn't know; they are ignored. Values such as [`types::UserView`] may be ones
//! that it doesn't know; they are kept as they are, and [`user_view`], [`created_via`] and [`error_code`] name the known ones.

mod client;
mod edge;
mod error;
#[expect(
    unused_imports,
    unused_qualifications,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::unwrap_used,
    reason = "generated"
)]
mod generated;
mod known;
mod paging;
mod secret;
mod session;

/// The generated client, with one builder for each operation.
pub mod api {
    pub use crate::edge::Edge;
    pub use crate::generated::{Client, Error, ResponseValue, builder};
}

pub use client::{Client, ClientBuilder};
pub use error::Error;
pub use generated::types;
pub use known::{audit_result, created_via, error_code, role_scope, role_type, user_view};
pub use paging::{Items, Page, Paged, paginate};
pub use progenitor_client::ResponseValue;
pub use secret::{Password, Token};
pub use session::Session;

/// The entity tag of an answer, as `if_match` and `if_none_match` take it.
pub fn etag<T>(answer: &ResponseValue<T>) -> Option<&str> {
    answer.headers().get(reqwest::header::ETAG)?.to_str().ok()
}

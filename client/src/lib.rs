//! A typed client of [Rollcall](crate), the self-hosted user directory.
//!
//! Every operation of the server is a method of [`api::Client`], generated from the published document. A thin layer is
//! written by hand: [`Client`] and [`Session`] send the credential and retry requests that are safe to retry, [`Error`] is
//! the one error type, [`Paged`] turns lists into streams, [`etag`] reads the tag for a conditional request. The crate
//! depends on no crate of the server.
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
//! # Update with optimistic locking
//!
//! A field of an update has three states: left out it keeps its value, [`Set`] or the value alone sets it, and [`Clear`]
//! clears it. A value that doesn't follow its rule is an error of `send` that names field and rule; nothing is sent then.
//!
//! ```no_run
//! use rollcall_client::{Clear, Error, Session, Set, error_code, types};
//!
//! # async fn example(session: Session) -> Result<(), Error> {
//! let before = session.user_view().user("me").send().await?;
//! let changes = types::UserUpdate::builder().name(Set("Ada King")).phone(Clear);
//! match session.user_update().user(before.id).if_unchanged(&before).body(changes).send().await {
//!     Ok(after) => println!("now {:?}", after.name),
//!     Err(error) if error.code() == Some(error_code::PRECONDITION_FAILED) => println!("changed meanwhile"),
//!     Err(error) => return Err(error),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Arguments of setters
//!
//! Setters take more than the exact type of a field: texts as `&str` or `String`, ids wherever a user, group or role is
//! named, lists of either, builders without building them first, JSON objects as [`serde_json::Value`]. [`Input`] is the
//! trait behind them.
//!
//! # Newer servers
//!
//! Responses may have fields that this client doesn't know; they are ignored. Open sets such as [`types::UserView`] may
//! have values that it doesn't know; they are kept as they are. [`user_view`], [`created_via`] and [`error_code`] have
//! constants for the known values: `user.view == user_view::CARD`.

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
mod input;
mod paging;
mod secret;
mod session;
mod values;

/// The generated client, with one builder for each operation.
pub mod api {
    pub use crate::edge::Edge;
    pub use crate::generated::{Client, ResponseValue, builder};
}

pub use client::{Client, ClientBuilder};
pub use error::Error;
pub use generated::types;
pub use input::{Clear, Input, Invalid, Set, SetOrClear};
pub use paging::{Items, Page, Paged, paginate};
pub use progenitor_client::ResponseValue;
pub use secret::{Password, Token};
pub use session::Session;
pub use values::*;
pub use {chrono, serde_json, uuid};

/// The entity tag of a response, as `if_match` and `if_none_match` take it.
pub fn etag<T>(response: &ResponseValue<T>) -> Option<&str> {
    response.headers().get(reqwest::header::ETAG)?.to_str().ok()
}

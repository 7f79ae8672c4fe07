//! Connections and hashing threads for an operation, each taken from the caller's bounded share. Requests of one
//! caller wait for each other before they wait for the pool, and other callers don't wait for them.
//!
//! A user's share covers all sessions, so the token's owner must be known before a pooled connection is taken to look
//! the token up. The process caches owners ([`TokenOwners`]). A token that it has not seen is looked up once on the
//! shared connections first, and an invalid one is rejected there. So an ordinary change has no further round trip,
//! and made-up tokens never reach the pool.
//!
//! [`TokenOwners`]: crate::share::TokenOwners

use std::collections::HashSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rollcall_api::error;
use rollcall_store::pool::Pooled;
use rollcall_store::{Conn, sessions};
use uuid::Uuid;

use crate::context::App;
use crate::error::{AppResult, Error};
use crate::operation::Operation;
use crate::secrets::password::Verified;
use crate::share::{Held, Sharer, Shares, Source};
use crate::slow_searches::Search;

/// Longest wait for a share in the last step of a request: the audit event of a rejected request, which must be
/// written even if the caller sends more requests than the share allows, and a sign-in with a checked password.
const LAST_STEP_WAIT: Duration = Duration::from_secs(5);

/// A pooled connection, counted in a caller's share.
#[derive(Debug)]
pub struct Shared {
    // Dropped in this order: the share is free again only when the connection is back in the pool.
    connection: Pooled,
    _held: Held,
}

impl Deref for Shared {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.connection
    }
}

/// A search connection, counted in a caller's share.
#[derive(Debug)]
pub struct Searching {
    // Dropped in this order, as in `Shared`.
    connection: Pooled,
    _search: Search,
    _held: Held,
}

impl Deref for Searching {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.connection
    }
}

impl Operation {
    /// The owner of the share: the caller, or the source address of a request without a sign-in.
    pub fn sharer(&self) -> Sharer {
        match self.caller_id() {
            Some(user) => Sharer::User(user),
            None => Sharer::Source(Source::of(self.address)),
        }
    }

    /// Takes one of the concurrent changes in a share.
    pub async fn share(&self, whose: Sharer) -> AppResult<Held> {
        within(&self.app.changes, whose, self.app.share_wait()).await
    }

    /// The same, with the longer wait for the last step of a request.
    pub async fn share_patiently(&self, whose: Sharer) -> AppResult<Held> {
        within(&self.app.changes, whose, LAST_STEP_WAIT.max(self.app.share_wait())).await
    }

    /// A connection for single statements that change something.
    pub async fn own(&self) -> AppResult<Shared> {
        let held = self.share(self.sharer()).await?;
        Ok(Shared { connection: self.app.store.own().await?, _held: held })
    }

    /// The same, with the longer wait for the last step of a request.
    pub async fn own_patiently(&self) -> AppResult<Shared> {
        let held = self.share_patiently(self.sharer()).await?;
        Ok(Shared { connection: self.app.store.own().await?, _held: held })
    }

    /// A search connection, for statements with a cost that the caller determines.
    pub async fn search(&self) -> AppResult<Searching> {
        let (whose, wait) = (self.sharer(), self.app.share_wait());
        let held = within(&self.app.searches, whose, wait).await?;
        let Some(search) = self.app.slow_searches.begin(whose, wait).await else {
            let message =
                "your recent searches were slow, and other slow searches are running; narrow yours, or retry";
            return Err(Error::retry_later(error::TOO_MANY_REQUESTS, message, 1));
        };
        Ok(Searching { connection: self.app.store.search().await?, _search: search, _held: held })
    }

    /// Hashes a new password; `own` are the user's personal words, which must not make up the password.
    pub async fn hash(&self, field: &'static str, password: &str, own: Vec<String>) -> AppResult<String> {
        let _held = self.share_of_hashing().await?;
        let hashing = self.app.hasher.hash(field, password, self.app.config.password.min_length, own);
        self.time.pause(hashing).await
    }

    /// Checks a password against the stored hash.
    pub async fn verify(&self, password: &str, kept: Option<&str>) -> AppResult<Verified> {
        let _held = self.share_of_hashing().await?;
        self.time.pause(self.app.hasher.verify(password, kept)).await
    }

    /// Keeps a signed-in caller from filling the queue of sign-ins. Others are limited by the throttle's attempts,
    /// and many people can share one address.
    async fn share_of_hashing(&self) -> AppResult<Option<Held>> {
        match self.caller_id() {
            Some(user) => within(&self.app.hashes, Sharer::User(user), self.app.share_wait()).await.map(Some),
            None => Ok(None),
        }
    }
}

async fn within(shares: &Arc<Shares>, whose: Sharer, wait: Duration) -> AppResult<Held> {
    match shares.take(whose, wait).await {
        Some(held) => Ok(held),
        None => {
            let message = "you have too many requests in progress; wait until some are done, then retry";
            Err(Error::retry_later(error::TOO_MANY_REQUESTS, message, 1))
        }
    }
}

/// Sessions with an update of `last_used_at` in progress.
#[derive(Debug, Default)]
pub struct Touching(Mutex<HashSet<Uuid>>);

impl Touching {
    fn sessions(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Updates the session's `last_used_at`, in the background. Concurrent requests of one session update it once.
pub fn touch(app: &Arc<App>, user: Uuid, session: Uuid) {
    let Some(touch) = Touch::begin(app, session) else { return };
    tokio::spawn(async move {
        let app = &touch.app;
        let touched = async {
            let _held = within(&app.changes, Sharer::User(user), LAST_STEP_WAIT).await?;
            AppResult::Ok(sessions::touch(&*app.store.own().await?, session, app.clock.now()).await?)
        };
        if let Err(error) = touched.await {
            let error = error.to_string();
            slog::warn!(app.log, "a session's last_used_at could not be updated"; "error" => error);
        }
    });
}

/// One session's entry in [`Touching`].
struct Touch {
    app: Arc<App>,
    session: Uuid,
}

impl Touch {
    /// Registers the update; `None` if another one of the same session is in progress.
    fn begin(app: &Arc<App>, session: Uuid) -> Option<Self> {
        let first = app.touching.sessions().insert(session);
        first.then(|| Self { app: Arc::clone(app), session })
    }
}

impl Drop for Touch {
    fn drop(&mut self) {
        self.app.touching.sessions().remove(&self.session);
    }
}

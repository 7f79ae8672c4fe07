//! Connections and hashing threads for an operation. Whoever asks takes them out of a bounded share: one caller's requests wait for each
//! other before they wait for the pool, and nobody else waits for them.
//!
//! A user's share is one over all sessions, so whose token it is must be known before a connection of the pool is taken
//! to look it up. The process remembers that ([`TokenOwners`]); a token that it has not seen yet is looked up on the shared
//! connections first, once, and if it is no good that is all it costs. So an ordinary change has no round trip more, and
//! made-up tokens never reach the pool.
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

/// How long what is at its end waits for its share, longer than what only begins: the record of a refused request, which
/// must not be missing because the caller sends more than the share lets through, and a sign-in whose password has been
/// checked.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection of a pool, out of somebody's share.
#[derive(Debug)]
pub struct Shared {
    // In this order: the share is free again once the connection is back in the pool.
    connection: Pooled,
    _held: Held,
}

impl Deref for Shared {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.connection
    }
}

/// A connection for a search, out of somebody's share.
#[derive(Debug)]
pub struct Searching {
    // In this order, as in `Shared`.
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
    /// Whose share the operation takes from: the caller's, or the source's where nobody is signed in.
    pub fn sharer(&self) -> Sharer {
        match self.caller_id() {
            Some(user) => Sharer::User(user),
            None => Sharer::Source(Source::of(self.address)),
        }
    }

    /// Takes one of the changes that may be under way at once for somebody.
    pub async fn share(&self, whose: Sharer) -> AppResult<Held> {
        within(&self.app.changes, whose, self.app.share_wait()).await
    }

    /// The same, for what is at its end.
    pub async fn share_patiently(&self, whose: Sharer) -> AppResult<Held> {
        within(&self.app.changes, whose, PATIENCE.max(self.app.share_wait())).await
    }

    /// A connection for single statements that change something.
    pub async fn own(&self) -> AppResult<Shared> {
        let held = self.share(self.sharer()).await?;
        Ok(Shared { connection: self.app.store.own().await?, _held: held })
    }

    /// The same, for what is at its end.
    pub async fn own_patiently(&self) -> AppResult<Shared> {
        let held = self.share_patiently(self.sharer()).await?;
        Ok(Shared { connection: self.app.store.own().await?, _held: held })
    }

    /// A connection for what the caller may make costly.
    pub async fn search(&self) -> AppResult<Searching> {
        let (whose, wait) = (self.sharer(), self.app.share_wait());
        let held = within(&self.app.searches, whose, wait).await?;
        let Some(search) = self.app.slow_searches.begin(whose, wait).await else {
            let message =
                "your searches take long, and others' that do are under way; make them narrower, or retry";
            return Err(Error::retry_later(error::TOO_MANY_REQUESTS, message, 1));
        };
        Ok(Searching { connection: self.app.store.search().await?, _search: search, _held: held })
    }

    /// Hashes a new password that is not made of the user's own names.
    pub async fn hash(&self, field: &'static str, password: &str, own: Vec<String>) -> AppResult<String> {
        let _held = self.share_of_hashing().await?;
        let hashing = self.app.hasher.hash(field, password, self.app.config.password.min_length, own);
        self.time.pause(hashing).await
    }

    /// Checks a password against the hash that is kept.
    pub async fn verify(&self, password: &str, kept: Option<&str>) -> AppResult<Verified> {
        let _held = self.share_of_hashing().await?;
        self.time.pause(self.app.hasher.verify(password, kept)).await
    }

    /// Keeps who is signed in from filling the queue that sign-ins wait in. Whoever isn't has a number of attempts, and
    /// there may be many people behind one address.
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
            let message =
                "you have too many requests under way at once; wait until some are done, then retry";
            Err(Error::retry_later(error::TOO_MANY_REQUESTS, message, 1))
        }
    }
}

/// Sessions whose use is being noted now.
#[derive(Debug, Default)]
pub struct Touching(Mutex<HashSet<Uuid>>);

impl Touching {
    fn sessions(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a session from idling out, beside the request. Requests of one session that come together do it once.
pub fn touch(app: &Arc<App>, user: Uuid, session: Uuid) {
    let Some(touch) = Touch::begin(app, session) else { return };
    tokio::spawn(async move {
        let app = &touch.app;
        let touched = async {
            let _held = within(&app.changes, Sharer::User(user), PATIENCE).await?;
            AppResult::Ok(sessions::touch(&*app.store.own().await?, session, app.clock.now()).await?)
        };
        if let Err(error) = touched.await {
            let error = error.to_string();
            slog::warn!(app.log, "a session's use could not be noted"; "error" => error);
        }
    });
}

/// One session's entry in [`Touching`].
struct Touch {
    app: Arc<App>,
    session: Uuid,
}

impl Touch {
    /// `None` where somebody is at it.
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

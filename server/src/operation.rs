//! What holds under every operation: one credential, looked up on each request; policy before anything is shown or done;
//! changes in a transaction that can't commit unless something was authorized and audited; refusals on record.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use rollcall_api::OperationSpec;
use rollcall_api::error;
use rollcall_api::extract::Bearer;
use rollcall_api::operations::VERIFICATION;
use rollcall_api::types::{GroupRef, RoleRef, UserId, UserRef};
use rollcall_policy::{Actor, Decision, Resource, decide};
use rollcall_store::audit::{self, NewEvent};
use rollcall_store::connect::Connection;
use rollcall_store::groups::{self, GroupRow};
use rollcall_store::roles::{self, RoleKey, RoleRecord};
use rollcall_store::sessions::{self, Credential};
use rollcall_store::users::{self, UserKey, UserRecord};
use rollcall_store::{Conn, MaybeLost, StoreError, Transaction};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::connections;
use crate::context::{App, seconds};
use crate::error::{AppResult, Error, not_found, reject};
use crate::ration::Share;
use crate::secrets::token::TokenHash;
use crate::share::{Held, Sharer};
use crate::time_limit::TimeLimit;
use crate::views;

/// One request's operation. Its name is the operation's id, the trait's method and the audit row's.
#[derive(Debug)]
pub struct Operation {
    /// The server's state.
    pub app: Arc<App>,
    /// The facts about the operation.
    pub spec: &'static OperationSpec,
    /// The request's method and path, as they were sent.
    pub target_line: String,
    /// The request's id, as the answer's `x-request-id` says it.
    pub request_id: String,
    /// Where the request comes from.
    pub address: IpAddr,
    /// What the calling program calls itself.
    pub user_agent: Option<String>,
    /// What is left of the time for the database.
    pub time: TimeLimit,
    /// Who calls, once that is known; for the record of a refusal.
    caller: OnceLock<(Uuid, Uuid)>,
    /// What it is about, once that is known; for the same.
    about: OnceLock<Target>,
    /// Whether the caller was told that there is no such thing, although there is.
    hidden: AtomicBool,
}

/// What a path names and a read fetches, beside the credential and in the same round trip.
pub trait Fetch: Sync {
    /// What is found.
    type Found: Send;

    /// Fetches it; `hash` is that of the caller's token, for what belongs to the caller.
    fn fetch(
        &self,
        conn: &Conn,
        hash: &TokenHash,
    ) -> impl Future<Output = Result<Self::Found, StoreError>> + Send;
}

impl Fetch for () {
    type Found = ();

    async fn fetch(&self, _: &Conn, _: &TokenHash) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Fetch for UserRef {
    type Found = Option<UserRecord>;

    async fn fetch(&self, conn: &Conn, hash: &TokenHash) -> Result<Option<UserRecord>, StoreError> {
        users::find(conn, UserKey::of(self, &hash.0)).await
    }
}

impl Fetch for GroupRef {
    type Found = Option<GroupRow>;

    async fn fetch(&self, conn: &Conn, _: &TokenHash) -> Result<Option<GroupRow>, StoreError> {
        groups::find(conn, self.into()).await
    }
}

impl Fetch for RoleRef {
    type Found = Option<RoleRecord>;

    async fn fetch(&self, conn: &Conn, _: &TokenHash) -> Result<Option<RoleRecord>, StoreError> {
        let key = match self {
            Self::Id(id) => RoleKey::Id(id.uuid()),
            Self::Name(name) => RoleKey::Name(name),
        };
        roles::find(conn, key).await
    }
}

/// Two things, in one round trip.
impl<A: Fetch, B: Fetch> Fetch for (A, B) {
    type Found = (A::Found, B::Found);

    async fn fetch(&self, conn: &Conn, hash: &TokenHash) -> Result<Self::Found, StoreError> {
        futures::try_join!(self.0.fetch(conn, hash), self.1.fetch(conn, hash))
    }
}

/// Who calls: the actor that policy judges, and the session behind it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// For policy.
    pub actor: Actor,
    /// The session.
    pub credential: Credential,
}

impl Caller {
    /// The caller's id.
    pub fn id(&self) -> Uuid {
        self.credential.user_id
    }
}

impl Operation {
    /// The operation of a request.
    pub fn new(
        app: Arc<App>,
        spec: &'static OperationSpec,
        target_line: String,
        request_id: String,
        address: IpAddr,
        user_agent: Option<String>,
    ) -> Self {
        Self {
            time: TimeLimit::start(app.database_time()),
            app,
            spec,
            target_line,
            request_id,
            address,
            user_agent,
            caller: OnceLock::new(),
            about: OnceLock::new(),
            hidden: AtomicBool::new(false),
        }
    }

    /// Who calls, once that is known.
    pub fn caller_id(&self) -> Option<Uuid> {
        self.caller.get().map(|(user, _)| *user)
    }

    /// Notes what the call is about, for the record of a refusal. What was noted first stays.
    pub fn about(&self, target: Target) {
        let _first = self.about.set(target);
    }

    /// The time now.
    pub fn now(&self) -> DateTime<Utc> {
        self.app.clock.now()
    }

    /// Reads for a caller: looks the credential up and fetches in one round trip, on a shared connection. What was
    /// fetched stays closed until [`Fetched::authorize`].
    pub async fn read<F: Fetch>(&self, bearer: &Bearer, what: &F) -> AppResult<Fetched<'_, F::Found>> {
        let hash = hash_of(bearer)?;
        let token = &hash;
        let reading = self.app.store.reading(|conn| async move {
            match futures::join!(sessions::credential(&conn, &token.0), what.fetch(&conn, token)) {
                (_, Err(error)) if error.is_lost() => Err(error),
                (credential, value) => Ok((credential?, value)),
            }
        });
        let (credential, value) = reading.await?;
        let caller = self.admit(&hash, credential)?;
        self.note_use(&caller);
        Ok(Fetched { operation: self, caller, value: value? })
    }

    /// Reads on a shared connection; whole once more on a new one where that one died.
    pub async fn reading<T, F>(&self, read: impl Fn(Arc<Connection>) -> F) -> AppResult<T>
    where
        F: Future<Output = AppResult<T>>,
    {
        self.app.store.reading(read).await
    }

    /// Only looks the credential up.
    pub async fn authenticate(&self, bearer: &Bearer) -> AppResult<Fetched<'_, ()>> {
        self.read(bearer, &()).await
    }

    /// Begins a change by a caller.
    pub async fn begin(self: &Arc<Self>, bearer: &Bearer) -> AppResult<Change> {
        let hash = hash_of(bearer)?;
        let user = match self.app.owners.of(&hash) {
            Some(user) => user,
            None => self.read(bearer, &()).await?.caller.id(),
        };
        let held = self.share(Sharer::User(user)).await?;
        let token = hash.0;
        let begun = self
            .app
            .store
            .begin_reading(|conn| async move { sessions::credential(conn, &token).await }.boxed())
            .await?;
        let (transaction, credential) = begun;
        let mut change = Change::new(self, transaction, held);
        let caller = self.admit(&hash, credential)?;
        self.note_use(&caller);
        change.caller = Some(caller);
        Ok(change)
    }

    /// Begins a change that nobody has to be signed in for.
    pub async fn begin_public(self: &Arc<Self>) -> AppResult<Change> {
        let held = self.share_patiently(self.sharer()).await?;
        Ok(Change::new(self, self.app.store.begin().await?, held))
    }

    /// Lets a credential in, or not: known, not expired, not idle for too long, its owner not suspended.
    fn admit(&self, hash: &TokenHash, credential: Option<Credential>) -> AppResult<Caller> {
        let now = self.now();
        let idle = self.app.idle_timeout();
        let live = credential.filter(|found| {
            found.expires_at > now
                && found.last_used_at + idle > now
                && !views::is_suspended(found.suspended, found.suspended_until, now)
        });
        let Some(credential) = live else {
            self.app.owners.forget(hash);
            return reject(error::UNAUTHENTICATED, "the token is unknown, ended or expired");
        };
        let window = seconds(self.app.config.session.reauthentication_seconds);
        let actor = Actor {
            user: UserId::from(credential.user_id),
            permissions: credential.permissions.clone(),
            fresh: credential.authenticated_at + window > now,
        };
        self.app.owners.note(hash, credential.user_id);
        // Set once for each request; a second look-up of the same token says the same.
        let _already = self.caller.set((credential.user_id, credential.session_id));
        Ok(Caller { actor, credential })
    }

    /// Keeps the session from idling out. At most once in a twelfth of the idle time, and beside the request.
    fn note_use(&self, caller: &Caller) {
        let now = self.now();
        if caller.credential.last_used_at + self.app.idle_timeout() / 12 > now {
            return;
        }
        connections::touch(&self.app, caller.id(), caller.credential.session_id);
    }

    fn judge(&self, caller: Option<&Caller>, resource: Resource) -> AppResult<()> {
        match resource {
            Resource::Directory => {}
            Resource::User(user) | Resource::Superior(user) | Resource::GroupSuperior(user) => {
                self.about(Target::User(user.uuid()));
            }
            Resource::Group { group, .. } => self.about(Target::Group(group.uuid())),
        }
        match decide(self.spec, caller.map(|caller| &caller.actor), resource) {
            Decision::Allow => Ok(()),
            Decision::Identify => reject(error::UNAUTHENTICATED, "send `Authorization: Bearer <token>`"),
            Decision::Hide => {
                self.hidden.store(true, Ordering::Relaxed);
                not_found()
            }
            Decision::Forbid(Some(permission)) => {
                reject(error::FORBIDDEN, format!("this needs the permission {permission}"))
            }
            Decision::Forbid(None) => reject(error::FORBIDDEN, "this is open to the user only"),
            Decision::Outranked => reject(error::FORBIDDEN, "the user holds permissions that you don't"),
            Decision::OthersOnly => reject(
                error::FORBIDDEN,
                "this is for other users; change your own password with user_password_change",
            ),
            Decision::Reauthenticate => reject(
                error::REAUTHENTICATION_REQUIRED,
                "prove again who you are with session_reauthenticate",
            ),
        }
    }

    /// Puts a refused call on record, in a transaction of its own: the one that was refused counts for nothing. Callers
    /// whom the server doesn't know have a ration of records.
    pub async fn record_refusal(&self, code: &str) {
        let caller = self.caller.get();
        // Sign-ins that fail are counted by the throttle, and limited by it.
        let throttled =
            [error::INVALID_CREDENTIALS, error::PASSWORD_EXPIRED].iter().any(|entry| entry.code == code);
        if caller.is_none() && !throttled {
            match self.app.unknown.take(self.now()) {
                Share::Granted => {}
                Share::UsedUp { first } => {
                    if first {
                        slog::warn!(self.app.log, "more refusals of unknown callers than go on record in a minute";
                            "operation" => self.spec.id, "address" => %self.address);
                    }
                    return;
                }
            }
        }
        let (target, detail) = match self.about.get().map(|target| target.parts()) {
            // In the trail's plain fields everybody could find what was hidden from them.
            Some((kind, id)) if self.hidden.load(Ordering::Relaxed) => {
                (None, json!({ "hidden": { "kind": kind, "id": id } }))
            }
            target => (target, json!({})),
        };
        let event = NewEvent {
            id: self.app.new_id(),
            at: self.now(),
            operation: self.spec.id,
            actor_id: caller.map(|(user, _)| *user),
            session_id: caller.map(|(_, session)| *session),
            target_kind: target.map(|(kind, _)| kind),
            target_id: target.map(|(_, id)| id),
            result: "refused",
            error_code: Some(code.to_owned()),
            address: Some(self.address.to_string()),
            request_id: self.request_id.clone(),
            detail,
        };
        let recorded =
            async { AppResult::Ok(audit::insert(&*self.own_patiently().await?, &event).await?) }.await;
        if let Err(error) = recorded {
            let error = error.to_string();
            slog::warn!(self.app.log, "a refusal could not be put on record"; "error" => error);
        }
    }
}

fn hash_of(bearer: &Bearer) -> AppResult<TokenHash> {
    match TokenHash::of_session(bearer.token()) {
        Some(hash) => Ok(hash),
        None => reject(error::UNAUTHENTICATED, "the token is unknown, ended or expired"),
    }
}

/// What was read for a caller, not yet shown.
#[derive(Debug)]
pub struct Fetched<'a, T> {
    operation: &'a Operation,
    caller: Caller,
    value: T,
}

impl<T> Fetched<'_, T> {
    /// Opens it where policy allows; `resource` says what it is, from who calls and what was found.
    pub fn authorize(self, resource: impl FnOnce(&Caller, &T) -> Resource) -> AppResult<(Caller, T)> {
        let resource = resource(&self.caller, &self.value);
        self.operation.judge(Some(&self.caller), resource)?;
        Ok((self.caller, self.value))
    }
}

impl<'a, T> Fetched<'a, Option<T>> {
    /// Fails with `not_found` where there is nothing.
    pub fn found(self) -> AppResult<Fetched<'a, T>> {
        match self.value {
            Some(value) => Ok(Fetched { operation: self.operation, caller: self.caller, value }),
            None => not_found(),
        }
    }
}

impl<T> Fetched<'_, T> {
    /// The caller and what was found: to load what policy needs to know, before anything is shown.
    pub fn before_policy(&self) -> (&Caller, &T) {
        (&self.caller, &self.value)
    }
}

/// A change under way: the operation's one transaction. Given up, it counts for nothing.
#[derive(Debug)]
pub struct Change {
    operation: Arc<Operation>,
    transaction: Option<Transaction>,
    /// The caller's share, until the connection is back in the pool.
    held: Option<Held>,
    caller: Option<Caller>,
    authorized: bool,
}

impl Change {
    fn new(operation: &Arc<Operation>, transaction: Transaction, held: Held) -> Self {
        Self {
            operation: Arc::clone(operation),
            transaction: Some(transaction),
            held: Some(held),
            caller: None,
            authorized: false,
        }
    }

    /// The transaction's connection.
    pub fn conn(&self) -> &Conn {
        self.transaction.as_ref().expect("a change has its transaction until it is committed")
    }

    /// The operation of the request.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Who calls; only for operations that need a credential.
    pub fn caller(&self) -> AppResult<&Caller> {
        self.caller.as_ref().ok_or_else(|| Error::internal("a public operation asked who calls"))
    }

    /// Notes what the change is about, for the record of a refusal.
    pub fn about(&self, target: Target) {
        self.operation.about(target);
    }

    /// Asks policy; without this nothing can be committed.
    pub fn authorize(&mut self, resource: Resource) -> AppResult<()> {
        self.operation.judge(self.caller.as_ref(), resource)?;
        self.authorized = true;
        Ok(())
    }

    /// Asks policy whether the caller may set `email_verified` or `phone_verified` of a user; comes on top of
    /// [`Change::authorize`].
    pub fn authorize_verification(&self, resource: Resource) -> AppResult<()> {
        let actor = self.caller.as_ref().map(|caller| &caller.actor);
        match decide(&VERIFICATION, actor, resource) {
            Decision::Allow => Ok(()),
            _ => reject(
                error::FORBIDDEN,
                "email_verified, phone_verified: this needs the permission users:write, and nobody sets them for themselves; \
                 leave them out",
            ),
        }
    }

    /// Records what was done, and commits. The acting user is the caller, or the target of a public operation.
    pub async fn commit(self, target: Target, detail: Value) -> AppResult<()> {
        let ((), recorded) = self.record(async { Ok(()) }, target, detail).await?;
        self.commit_recorded(recorded).await
    }

    /// Does the last write of the change, and records the change in the same round trip.
    pub async fn record<T>(
        &self,
        write: impl Future<Output = Result<T, StoreError>>,
        target: Target,
        detail: Value,
    ) -> AppResult<(T, Recorded)> {
        if !self.authorized {
            return Err(Error::internal(format!("{} did not ask policy", self.operation.spec.id)));
        }
        let operation = &self.operation;
        let (kind, id) = target.parts();
        let caller = self.caller.as_ref();
        let event = NewEvent {
            id: operation.app.new_id(),
            at: operation.now(),
            operation: operation.spec.id,
            actor_id: caller.map(Caller::id).or(match target {
                Target::User(id) => Some(id),
                _ => None,
            }),
            session_id: caller.map(|caller| caller.credential.session_id),
            target_kind: Some(kind),
            target_id: Some(id),
            result: "done",
            error_code: None,
            address: Some(operation.address.to_string()),
            request_id: operation.request_id.clone(),
            detail,
        };
        // In either order: both count or neither. Where the write fails, so does the other, with less to say.
        let (written, inserted) = futures::join!(write, audit::insert(self.conn(), &event));
        let written = written?;
        inserted?;
        Ok((written, Recorded(())))
    }

    /// Commits what was recorded.
    pub async fn commit_recorded(mut self, _: Recorded) -> AppResult<()> {
        match self.transaction.take() {
            Some(transaction) => Ok(transaction.commit().await?),
            None => Err(Error::internal("a change was committed twice")),
        }
    }
}

/// The proof that a change was authorized and has its audit event.
#[derive(Debug)]
pub struct Recorded(());

impl Drop for Change {
    fn drop(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            let held = self.held.take();
            // Gives the connection back to the pool; what fails here closes it, which undoes as well.
            tokio::spawn(async move {
                let _closed = transaction.rollback().await;
                drop(held);
            });
        }
    }
}

/// What a change was about.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// A user.
    User(Uuid),
    /// A session.
    Session(Uuid),
    /// A group.
    Group(Uuid),
    /// A role.
    Role(Uuid),
    /// An invitation.
    Invitation(Uuid),
}

impl Target {
    /// The kind, as the audit trail names it, and the id.
    fn parts(self) -> (&'static str, Uuid) {
        match self {
            Self::User(id) => ("user", id),
            Self::Session(id) => ("session", id),
            Self::Group(id) => ("group", id),
            Self::Role(id) => ("role", id),
            Self::Invitation(id) => ("invitation", id),
        }
    }
}

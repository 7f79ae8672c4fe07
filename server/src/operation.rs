//! Rules common to all operations: one credential, looked up on each request; policy before anything is shown
//! or changed; changes in a transaction that can't commit without authorization and an audit event; audit events of
//! rejected requests.

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

/// One request's operation. Its id is also the name of the trait's method, and stands in audit events.
#[derive(Debug)]
pub struct Operation {
    /// The server's state.
    pub app: Arc<App>,
    /// The facts about the operation.
    pub spec: &'static OperationSpec,
    /// The request's method and path, as they were sent.
    pub target_line: String,
    /// The request's id, as in the response's `x-request-id`.
    pub request_id: String,
    /// The client's address.
    pub address: IpAddr,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// The remaining database time.
    pub time: TimeLimit,
    /// The caller's user and session, once known; for the audit event of a rejection.
    caller: OnceLock<(Uuid, Uuid)>,
    /// The target, once known; for the audit event of a rejection.
    about: OnceLock<Target>,
    /// True if the response hides an existing target behind `not_found`.
    hidden: AtomicBool,
}

/// A query for the resources that a path names, sent with the credential's lookup in one round trip.
pub trait Fetch: Sync {
    /// The result.
    type Found: Send;

    /// Runs the query; `hash` is that of the caller's token, for resources that belong to the caller.
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

/// Two queries in one round trip.
impl<A: Fetch, B: Fetch> Fetch for (A, B) {
    type Found = (A::Found, B::Found);

    async fn fetch(&self, conn: &Conn, hash: &TokenHash) -> Result<Self::Found, StoreError> {
        futures::try_join!(self.0.fetch(conn, hash), self.1.fetch(conn, hash))
    }
}

/// The caller: the actor for policy, and the session behind it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The actor for policy.
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

    /// The caller's id, once known.
    pub fn caller_id(&self) -> Option<Uuid> {
        self.caller.get().map(|(user, _)| *user)
    }

    /// Sets the target for the audit event of a rejection. The first one set stays.
    pub fn about(&self, target: Target) {
        let _first = self.about.set(target);
    }

    /// The time now.
    pub fn now(&self) -> DateTime<Utc> {
        self.app.clock.now()
    }

    /// Reads for a caller: looks the credential up and runs the query in one round trip, on a shared connection. The
    /// result is accessible after [`Fetched::authorize`].
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
        let caller = self.validate(&hash, credential)?;
        self.touch_session(&caller);
        Ok(Fetched { operation: self, caller, value: value? })
    }

    /// Reads on a shared connection; if that connection fails, runs the whole read once more on a new one.
    pub async fn reading<T, F>(&self, read: impl Fn(Arc<Connection>) -> F) -> AppResult<T>
    where
        F: Future<Output = AppResult<T>>,
    {
        self.app.store.reading(read).await
    }

    /// Looks up the credential only.
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
        let caller = self.validate(&hash, credential)?;
        self.touch_session(&caller);
        change.caller = Some(caller);
        Ok(change)
    }

    /// Begins a change that needs no credential.
    pub async fn begin_public(self: &Arc<Self>) -> AppResult<Change> {
        let held = self.share_patiently(self.sharer()).await?;
        Ok(Change::new(self, self.app.store.begin().await?, held))
    }

    /// Validates a credential: known, not expired, not idle for too long, its owner not suspended.
    fn validate(&self, hash: &TokenHash, credential: Option<Credential>) -> AppResult<Caller> {
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
        // Set once for each request; a second lookup of the same token returns the same.
        let _already = self.caller.set((credential.user_id, credential.session_id));
        Ok(Caller { actor, credential })
    }

    /// Updates the session's `last_used_at`, at most once in a twelfth of the idle timeout, in the background.
    fn touch_session(&self, caller: &Caller) {
        let now = self.now();
        if caller.credential.last_used_at + self.app.idle_timeout() / 12 > now {
            return;
        }
        connections::touch(&self.app, caller.id(), caller.credential.session_id);
    }

    fn check_policy(&self, caller: Option<&Caller>, resource: Resource) -> AppResult<()> {
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
            Decision::Forbid(None) => reject(error::FORBIDDEN, "only the user may do this"),
            Decision::Outranked => reject(error::FORBIDDEN, "the user holds permissions that you don't"),
            Decision::OthersOnly => reject(
                error::FORBIDDEN,
                "this is for other users; change your own password with user_password_change",
            ),
            Decision::Reauthenticate => {
                reject(error::REAUTHENTICATION_REQUIRED, "authenticate again with session_reauthenticate")
            }
        }
    }

    /// Writes the audit event of a rejected request, in a transaction of its own, because the request's was rolled
    /// back. Unauthenticated callers have a quota of events.
    pub async fn record_refusal(&self, code: &str) {
        let caller = self.caller.get();
        // Failed sign-ins are counted and limited by the throttle.
        let throttled =
            [error::INVALID_CREDENTIALS, error::PASSWORD_EXPIRED].iter().any(|entry| entry.code == code);
        if caller.is_none() && !throttled {
            match self.app.unknown.take(self.now()) {
                Share::Granted => {}
                Share::UsedUp { first } => {
                    if first {
                        slog::warn!(self.app.log, "the audit quota of unauthenticated callers is exhausted";
                            "operation" => self.spec.id, "address" => %self.address);
                    }
                    return;
                }
            }
        }
        let (target, detail) = match self.about.get().map(|target| target.parts()) {
            // The event's own target columns would reveal to everybody that a hidden resource exists.
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
            slog::warn!(self.app.log, "the audit event of a rejected request could not be written"; "error" => error);
        }
    }
}

fn hash_of(bearer: &Bearer) -> AppResult<TokenHash> {
    match TokenHash::of_session(bearer.token()) {
        Some(hash) => Ok(hash),
        None => reject(error::UNAUTHENTICATED, "the token is unknown, ended or expired"),
    }
}

/// The result of a read, not authorized yet.
#[derive(Debug)]
pub struct Fetched<'a, T> {
    operation: &'a Operation,
    caller: Caller,
    value: T,
}

impl<T> Fetched<'_, T> {
    /// Returns the result if policy allows it; `resource` describes the result to policy.
    pub fn authorize(self, resource: impl FnOnce(&Caller, &T) -> Resource) -> AppResult<(Caller, T)> {
        let resource = resource(&self.caller, &self.value);
        self.operation.check_policy(Some(&self.caller), resource)?;
        Ok((self.caller, self.value))
    }
}

impl<'a, T> Fetched<'a, Option<T>> {
    /// Fails with `not_found` if there is no result.
    pub fn found(self) -> AppResult<Fetched<'a, T>> {
        match self.value {
            Some(value) => Ok(Fetched { operation: self.operation, caller: self.caller, value }),
            None => not_found(),
        }
    }
}

impl<T> Fetched<'_, T> {
    /// The caller and the result, to load further facts for policy. Nothing of it may be shown.
    pub fn before_policy(&self) -> (&Caller, &T) {
        (&self.caller, &self.value)
    }
}

/// A change in progress: the operation's one transaction. Dropping it rolls back.
#[derive(Debug)]
pub struct Change {
    operation: Arc<Operation>,
    transaction: Option<Transaction>,
    /// The caller's share, held until the connection is back in the pool.
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

    /// The caller; fails with an internal error in operations without a credential.
    pub fn caller(&self) -> AppResult<&Caller> {
        self.caller
            .as_ref()
            .ok_or_else(|| Error::internal("an operation without a credential used the caller"))
    }

    /// Sets the target for the audit event of a rejection.
    pub fn about(&self, target: Target) {
        self.operation.about(target);
    }

    /// Checks policy; without this, nothing can be committed.
    pub fn authorize(&mut self, resource: Resource) -> AppResult<()> {
        self.operation.check_policy(self.caller.as_ref(), resource)?;
        self.authorized = true;
        Ok(())
    }

    /// Checks with policy that the caller may set a user's `email_verified` or `phone_verified`, in addition to
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

    /// Records the audit event and commits. The acting user is the caller, or the target of a public operation.
    pub async fn commit(self, target: Target, detail: Value) -> AppResult<()> {
        let ((), recorded) = self.record(async { Ok(()) }, target, detail).await?;
        self.commit_recorded(recorded).await
    }

    /// Runs the last write of the change, and inserts the audit event in the same round trip.
    pub async fn record<T>(
        &self,
        write: impl Future<Output = Result<T, StoreError>>,
        target: Target,
        detail: Value,
    ) -> AppResult<(T, Recorded)> {
        if !self.authorized {
            return Err(Error::internal(format!("{} did not check policy", self.operation.spec.id)));
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
        // The order does not matter, because both are in one transaction. If the write fails, so does the insert,
        // with a less useful error.
        let (written, inserted) = futures::join!(write, audit::insert(self.conn(), &event));
        let written = written?;
        inserted?;
        Ok((written, Recorded(())))
    }

    /// Commits a recorded change.
    pub async fn commit_recorded(mut self, _: Recorded) -> AppResult<()> {
        match self.transaction.take() {
            Some(transaction) => Ok(transaction.commit().await?),
            None => Err(Error::internal("a change was committed twice")),
        }
    }
}

/// Proof that a change was authorized and has its audit event.
#[derive(Debug)]
pub struct Recorded(());

impl Drop for Change {
    fn drop(&mut self) {
        if let Some(transaction) = self.transaction.take() {
            let held = self.held.take();
            // Returns the connection to the pool. A failure here closes the connection, which rolls back too.
            tokio::spawn(async move {
                let _closed = transaction.rollback().await;
                drop(held);
            });
        }
    }
}

/// The target of a change.
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
    /// The kind, as in audit events, and the id.
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

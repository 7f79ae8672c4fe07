//! Safe retries of creating requests. The first response is stored with the change, in one transaction, for a day,
//! and returned to a retry by the same caller with the same key, method, path and body. Once the created resource is
//! gone, a retry is rejected: neither is the response returned nor the resource created again, which would undo its
//! removal.

use chrono::{DateTime, TimeDelta, Utc};
use http::header::ETAG;
use rollcall_api::access::Permission;
use rollcall_api::error;
use rollcall_api::extract::IdempotencyKey;
use rollcall_api::reply::{Created, REPLAYED};
use rollcall_store::groups::{self, GroupKey};
use rollcall_store::idempotency::{self, KeptAnswer};
use rollcall_store::roles::{self, RoleKey};
use rollcall_store::users::{self, UserKey};
use rollcall_store::{Conn, invitations};
use serde::Serialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::app::groups::members::location_of;
use crate::error::{AppResult, Error, reject};
use crate::operation::{Caller, Change, Operation};

/// Time for which a response is stored.
const KEEP: TimeDelta = TimeDelta::hours(24);

/// The kind of resource that a request creates.
#[derive(Clone, Copy, Debug)]
pub enum Made {
    /// A user.
    User,
    /// A group.
    Group,
    /// A role.
    Role,
    /// An invitation.
    Invitation,
    /// A user's membership in this group.
    Membership(Uuid),
}

impl Made {
    /// Returns true if the resource in a stored response still exists: not deleted, left, used up or expired since.
    async fn is_there(self, conn: &Conn, kept: &KeptAnswer, now: DateTime<Utc>) -> AppResult<bool> {
        let id = kept.resource_id;
        if kept.is_blank() {
            return Ok(false);
        }
        Ok(match self {
            Self::User => users::find(conn, UserKey::Id(id)).await?.is_some(),
            Self::Group => groups::find(conn, GroupKey::Id(id)).await?.is_some(),
            Self::Role => roles::find(conn, RoleKey::Id(id)).await?.is_some(),
            Self::Invitation => invitations::is_acceptable(conn, id, now).await?,
            // The path's slug may have been reused by another group.
            Self::Membership(group) => {
                kept.location == location_of(group, id) && groups::is_member(conn, group, id).await?
            }
        })
    }
}

/// A request that may be a retry.
#[derive(Debug)]
pub struct Attempt {
    made: Made,
    caller: String,
    key: Option<String>,
    request_hash: Vec<u8>,
}

impl Attempt {
    /// The attempt of a caller, or of an unauthenticated request. The key is bound to the whole request and to the
    /// caller's view of users: a retry must show nothing that its caller may not see any more.
    pub fn new(
        op: &Operation,
        made: Made,
        caller: Option<&Caller>,
        key: IdempotencyKey,
        body: &[u8],
    ) -> Self {
        let sees_all = caller.is_some_and(|caller| caller.actor.holds(Permission::UsersRead));
        let request_hash = Sha256::new()
            .chain_update(&op.target_line)
            .chain_update([0, u8::from(sees_all)])
            .chain_update(body)
            .finalize()
            .to_vec();
        let caller = caller.map_or_else(|| "anonymous".to_owned(), |caller| caller.id().to_string());
        Self { made, caller, key: key.0, request_hash }
    }

    /// Claims the key for this transaction; returns the response to an earlier request with the key, if any. Call it
    /// after all checks of permissions: a caller who lost them gets no replay.
    pub async fn claim<T>(&self, op: &Operation, change: &Change) -> AppResult<Option<Created<T>>> {
        let Some(key) = &self.key else { return Ok(None) };
        if !idempotency::claim(change.conn(), self.lock(key)).await? {
            let message = "idempotency-key: a request with this key is in progress";
            return Err(Error::retry_later(error::IDEMPOTENCY_IN_PROGRESS, message, 1));
        }
        self.find(op, change.conn()).await
    }

    /// The response to an earlier request with this key, if any. Rejects the request if the resource created by the
    /// earlier one no longer exists.
    pub async fn find<T>(&self, op: &Operation, conn: &Conn) -> AppResult<Option<Created<T>>> {
        let Some(key) = &self.key else { return Ok(None) };
        let Some(kept) = idempotency::find(conn, &self.caller, key, op.now()).await? else {
            return Ok(None);
        };
        let same: bool = kept.request_hash.ct_eq(&self.request_hash).into();
        if !kept.is_blank() && (!same || kept.operation != op.spec.id) {
            return reject(
                error::IDEMPOTENCY_KEY_REUSED,
                "idempotency-key: was used with another request; send a new key",
            );
        }
        if !self.made.is_there(conn, &kept, op.now()).await? {
            return reject(
                error::IDEMPOTENCY_KEY_REUSED,
                "idempotency-key: the resource that the request with this key created no longer exists; \
                 send a new key to create it again",
            );
        }
        let replay = Created::raw(kept.body.into_bytes())
            .located(&kept.location)
            .header(ETAG, &kept.etag)
            .header(REPLAYED, "true");
        Ok(Some(replay))
    }

    /// Stores the response if the request has a key.
    pub async fn keep<T: Serialize>(
        self,
        op: &Operation,
        change: &Change,
        resource: Uuid,
        location: &str,
        tag: &str,
        body: &T,
    ) -> AppResult<()> {
        let Some(key) = self.key else { return Ok(()) };
        let body = serde_json::to_string(body).map_err(|error| Error::internal(error.to_string()))?;
        let response = KeptAnswer {
            caller: self.caller,
            key,
            operation: op.spec.id.to_owned(),
            request_hash: self.request_hash,
            resource_id: resource,
            body,
            location: location.to_owned(),
            etag: format!("\"{tag}\""),
            expires_at: op.now() + KEEP,
        };
        Ok(idempotency::keep(change.conn(), &response).await?)
    }

    fn lock(&self, key: &str) -> i64 {
        let digest = Sha256::new().chain_update(&self.caller).chain_update([0]).chain_update(key).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        i64::from_be_bytes(first)
    }
}

//! Safe retries of creating requests: the first answer is kept with the change that it reports, in one transaction, for
//! a day, and given again to the same caller with the same key, method, path and body. Once what it created is gone there is
//! nothing to give again, and nothing is created anew either: whoever took it away would see it come back.

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

/// How long an answer is kept.
const KEEP: TimeDelta = TimeDelta::hours(24);

/// The kind of what a request creates.
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
    /// Says whether what a kept answer shows is still there: not deleted, left, used up or expired since, whichever way that
    /// happened.
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
            // Perhaps the path's group is another one by now, of the same name.
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
    /// The attempt of a caller, or of somebody who isn't signed in. The key is bound to the whole request, and to what
    /// the caller sees of users: a retry must show nothing that its caller may not see any more.
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

    /// Claims the key for this transaction; gives the response to an earlier request, if there was one. Called once
    /// everything was checked that the caller needs to be allowed to do: who may not do it today gets no replay.
    pub async fn claim<T>(&self, op: &Operation, change: &Change) -> AppResult<Option<Created<T>>> {
        let Some(key) = &self.key else { return Ok(None) };
        if !idempotency::claim(change.conn(), self.lock(key)).await? {
            let message = "idempotency-key: a request with this key is being worked on";
            return Err(Error::retry_later(error::IDEMPOTENCY_IN_PROGRESS, message, 1));
        }
        self.find(op, change.conn()).await
    }

    /// The response to an earlier request with this key, if there was one. Rejects the request where what that one created
    /// is not there any more.
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
                "idempotency-key: what the request with this key created is not there any more; \
                 send a new key to create it again",
            );
        }
        let replay = Created::raw(kept.body.into_bytes())
            .located(&kept.location)
            .header(ETAG, &kept.etag)
            .header(REPLAYED, "true");
        Ok(Some(replay))
    }

    /// Keeps the answer, where a key was sent.
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
        let answer = KeptAnswer {
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
        Ok(idempotency::keep(change.conn(), &answer).await?)
    }

    fn lock(&self, key: &str) -> i64 {
        let digest = Sha256::new().chain_update(&self.caller).chain_update([0]).chain_update(key).finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        i64::from_be_bytes(first)
    }
}

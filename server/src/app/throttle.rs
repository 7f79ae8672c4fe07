//! Slowing down guessers: attempts are counted for the account, whichever name it is called by, and for the source
//! address, before anything is checked. Never a lock for good: the window passes by itself.

use std::net::IpAddr;

use chrono::TimeDelta;
use rollcall_api::error;
use rollcall_store::throttle;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::context::seconds;
use crate::error::AppResult;
use crate::operation::Operation;

/// Whose attempts are counted.
#[derive(Clone, Debug)]
pub enum Account<'a> {
    /// A user's.
    User(Uuid),
    /// Those for a name that nobody has; counted all the same, so that nobody can tell.
    Unknown(&'a str),
}

/// Counts an attempt and refuses it where there were too many.
pub async fn count(operation: &Operation, account: Option<&Account<'_>>) -> AppResult<()> {
    let config = &operation.app.config.throttle;
    let connection = operation.app.store.own().await?;
    let now = operation.now();
    let window = seconds(config.window_seconds);
    let mut keys = vec![(source_key(operation.address), config.source_attempts)];
    if let Some(account) = account {
        keys.push((account_key(account), config.account_attempts));
    }
    let mut wait: Option<TimeDelta> = None;
    for (key, limit) in keys {
        let seen = throttle::count(&connection, &key, now, now - window).await?;
        if i64::from(seen.count) > i64::from(limit) {
            let left = seen.window_start + window - now;
            wait = Some(wait.map_or(left, |other| other.max(left)));
        }
    }
    match wait {
        None => Ok(()),
        Some(left) => {
            let seconds = u64::try_from(left.num_seconds()).unwrap_or(1);
            Err(error::TOO_MANY_ATTEMPTS
                .with_retry("too many attempts; wait before the next one", seconds)
                .into())
        }
    }
}

/// Forgets an account's attempts, and takes one off the source's: it succeeded. Called after the change has been
/// committed: the source's row is one that many sign-ins share, and must not be held while one of them commits.
pub async fn succeeded(operation: &Operation, user: Uuid) {
    let forgotten = async {
        let connection = operation.app.store.own().await?;
        throttle::reset(&connection, &account_key(&Account::User(user))).await?;
        throttle::give_back(&connection, &source_key(operation.address)).await
    };
    // The sign-in stands all the same; the window forgets by itself.
    if let Err(error) = forgotten.await {
        slog::warn!(operation.app.log, "attempts could not be forgotten"; "reason" => %error);
    }
}

/// Takes an attempt off a source: it succeeded.
pub async fn gave(connection: &rollcall_store::Conn, source: IpAddr) -> AppResult<()> {
    Ok(throttle::give_back(connection, &source_key(source)).await?)
}

fn account_key(account: &Account<'_>) -> Vec<u8> {
    match account {
        Account::User(id) => digest(b"user", id.as_bytes()),
        Account::Unknown(name) => digest(b"name", name.as_bytes()),
    }
}

/// An IPv6 source is its /64: one subscriber has a whole one.
fn source_key(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => digest(b"source", &address.octets()),
        IpAddr::V6(address) => digest(b"source", &address.octets()[..8]),
    }
}

fn digest(kind: &[u8], value: &[u8]) -> Vec<u8> {
    Sha256::new().chain_update(kind).chain_update([0]).chain_update(value).finalize().to_vec()
}

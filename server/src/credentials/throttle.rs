//! Slowing down guessers: attempts are counted for the account, whichever name it is called by, and for the source
//! address, before anything is checked. Never a lock for good: the window passes by itself.

use std::net::IpAddr;

use rollcall_api::error;
use rollcall_store::throttle;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::context::seconds;
use crate::error::{AppResult, Error};
use crate::operation::Operation;
use crate::share::Source;

/// Whose attempts are counted.
#[derive(Clone, Debug)]
pub enum Account<'a> {
    /// A user's.
    User(Uuid),
    /// Those for a name that nobody has; counted all the same, so that nobody can tell.
    Unknown(&'a str),
}

/// Counts an attempt and refuses it where there were too many. The source comes first: what it tries once it has had its
/// number counts against no account and leaves no row of its own, whatever names it makes up.
pub async fn count(operation: &Operation, account: Option<&Account<'_>>) -> AppResult<()> {
    let config = &operation.app.config.throttle;
    let connection = operation.own().await?;
    let now = operation.now();
    let window = seconds(config.window_seconds);
    let mut keys = vec![(source_key(operation.address), config.source_attempts)];
    if let Some(account) = account {
        keys.push((account_key(account), config.account_attempts));
    }
    for (key, limit) in keys {
        let seen = throttle::count(&connection, &key, now, now - window).await?;
        if i64::from(seen.count) > i64::from(limit) {
            let left = seen.window_start + window - now;
            let seconds = u64::try_from(left.num_seconds()).unwrap_or(1);
            let message = "too many attempts; wait before the next one";
            return Err(Error::retry_later(error::TOO_MANY_ATTEMPTS, message, seconds));
        }
    }
    Ok(())
}

/// Forgets an account's attempts, and takes one off the source's: it succeeded. Called after the change has been
/// committed: the source's row is one that many sign-ins share, and must not be held while one of them commits.
pub async fn succeeded(operation: &Operation, user: Uuid) {
    forget(operation, Some(&account_key(&Account::User(user))), true).await;
}

/// Forgets an account's attempts: its password is another one, and whoever has that must get in.
pub async fn reset(operation: &Operation, user: Uuid) {
    forget(operation, Some(&account_key(&Account::User(user))), false).await;
}

/// Takes an attempt off the source's: it succeeded, and was about no account.
pub async fn gave(operation: &Operation) {
    forget(operation, None, true).await;
}

async fn forget(operation: &Operation, account: Option<&[u8]>, source: bool) {
    let forgotten = async {
        let connection = operation.own_patiently().await?;
        if let Some(account) = account {
            throttle::reset(&connection, account).await?;
        }
        if source {
            throttle::give_back(&connection, &source_key(operation.address)).await?;
        }
        AppResult::Ok(())
    };
    // What succeeded stands all the same; the window forgets by itself.
    if let Err(error) = forgotten.await {
        let reason = error.to_string();
        slog::warn!(operation.app.log, "attempts could not be forgotten"; "reason" => reason);
    }
}

fn account_key(account: &Account<'_>) -> Vec<u8> {
    match account {
        Account::User(id) => digest(b"user", id.as_bytes()),
        Account::Unknown(name) => digest(b"name", name.as_bytes()),
    }
}

fn source_key(address: IpAddr) -> Vec<u8> {
    digest(b"source", &Source::of(address).bytes())
}

fn digest(kind: &[u8], value: &[u8]) -> Vec<u8> {
    Sha256::new().chain_update(kind).chain_update([0]).chain_update(value).finalize().to_vec()
}

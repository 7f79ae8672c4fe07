//! Throttling of password guesses: attempts are counted for the account, under any of its identifiers, and for the
//! source address, before anything is checked. An account is never locked permanently: the window expires.

use std::net::IpAddr;

use rollcall_api::error;
use rollcall_store::throttle;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::context::seconds;
use crate::error::{AppResult, Error};
use crate::operation::Operation;
use crate::share::Source;

/// The account that attempts are counted for.
#[derive(Clone, Debug)]
pub enum Account<'a> {
    /// An existing user.
    User(Uuid),
    /// An identifier that nobody has; counted in the same way, so that callers can't tell the difference.
    Unknown(&'a str),
}

/// Counts an attempt and rejects it if there were too many. The source is counted first: once it is over its limit,
/// its attempts count against no account and create no rows, whatever identifiers it makes up.
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

/// Clears an account's attempts after a success, and refunds one to the source. Call it after the commit: many
/// sign-ins share the source's row, which must not be locked while one of them commits.
pub async fn clear_attempts(operation: &Operation, user: Uuid) {
    forget(operation, Some(&account_key(&Account::User(user))), true).await;
}

/// Clears an account's attempts after a change of its password, so that the holder of the new one can sign in.
pub async fn reset(operation: &Operation, user: Uuid) {
    forget(operation, Some(&account_key(&Account::User(user))), false).await;
}

/// Refunds one attempt to the source after a success that concerns no account.
pub async fn refund_source(operation: &Operation) {
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
    // The success stands without this; the window expires by itself.
    if let Err(error) = forgotten.await {
        let reason = error.to_string();
        slog::warn!(operation.app.log, "the count of attempts could not be reset"; "reason" => reason);
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

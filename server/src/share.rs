//! Bounded shares of common resources: no caller uses more than their share at once, however many requests they send.
//! Counted in memory, because each replica has its own pools to protect.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::secrets::token::TokenHash;

/// An address for counting requests: IPv6 by its /64, because one subscriber usually has a whole one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(IpAddr);

impl Source {
    /// The source of an address. An IPv4-mapped IPv6 address counts as the IPv4 address.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
            v4 @ IpAddr::V4(_) => Self(v4),
        }
    }

    /// The bytes that identify it.
    pub fn bytes(self) -> Vec<u8> {
        match self.0 {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets()[..8].to_vec(),
        }
    }
}

/// The owner of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sharer {
    /// A user, over all sessions and addresses: one user can have many of both.
    User(Uuid),
    /// An unauthenticated caller, by source address.
    Source(Source),
}

/// The shares of one resource.
pub struct Shares {
    each: usize,
    /// Only owners with a permit or a waiting request have an entry.
    places: Mutex<HashMap<Sharer, Arc<Semaphore>>>,
}

impl fmt::Debug for Shares {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shares").field("each", &self.each).finish_non_exhaustive()
    }
}

impl Shares {
    /// Shares with this many permits each.
    pub fn new(each: usize) -> Arc<Self> {
        Arc::new(Self { each: each.max(1), places: Mutex::default() })
    }

    /// Takes a permit of a share, first come, first served; `None` if none becomes free in time.
    pub async fn take(self: &Arc<Self>, whose: Sharer, wait: Duration) -> Option<Held> {
        let semaphore =
            Arc::clone(self.places().entry(whose).or_insert_with(|| Arc::new(Semaphore::new(self.each))));
        let place = Place { shares: Arc::clone(self), whose, semaphore: Some(Arc::clone(&semaphore)) };
        let permit = tokio::time::timeout(wait, semaphore.acquire_owned()).await.ok()?.ok()?;
        Some(Held { _permit: permit, _place: place })
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Sharer, Arc<Semaphore>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A permit, released when dropped.
#[derive(Debug)]
pub struct Held {
    // Dropped in this order: the place must release the semaphore last.
    _permit: OwnedSemaphorePermit,
    _place: Place,
}

/// An entry for an owner with a permit or a waiting request.
#[derive(Debug)]
struct Place {
    shares: Arc<Shares>,
    whose: Sharer,
    semaphore: Option<Arc<Semaphore>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut places = self.shares.places();
        self.semaphore = None;
        // No other reference exists: only the map hands the semaphore out, and the map is locked.
        if places.get(&self.whose).is_some_and(|left| Arc::strong_count(left) == 1) {
            places.remove(&self.whose);
        }
    }
}

/// Number of token owners that are cached, at least.
const OWNERS: usize = 8192;

/// Cache of the owners of tokens that this process has seen. It determines the share of a change before a connection
/// is taken to look the token up, and says nothing about a token's validity. A token never changes its owner, so
/// entries can't become wrong.
#[derive(Default)]
pub struct TokenOwners(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<[u8; 32], Uuid>,
    old: HashMap<[u8; 32], Uuid>,
}

impl fmt::Debug for TokenOwners {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenOwners(…)")
    }
}

impl TokenOwners {
    /// The cached owner of a token.
    pub fn of(&self, token: &TokenHash) -> Option<Uuid> {
        let mut known = self.generations();
        if let Some(user) = known.young.get(&token.0) {
            return Some(*user);
        }
        let user = known.old.remove(&token.0)?;
        known.insert(token.0, user);
        Some(user)
    }

    /// Caches the owner of a token.
    pub fn note(&self, token: &TokenHash, user: Uuid) {
        let mut known = self.generations();
        if !known.young.contains_key(&token.0) {
            known.insert(token.0, user);
        }
    }

    /// Removes a token that is no longer valid.
    pub fn forget(&self, token: &TokenHash) {
        let mut known = self.generations();
        known.young.remove(&token.0);
        known.old.remove(&token.0);
    }

    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn insert(&mut self, token: [u8; 32], user: Uuid) {
        if self.young.len() >= OWNERS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(token, user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::token::Token;

    const AT_ONCE: Duration = Duration::from_millis(1);

    fn source(address: &str) -> Source {
        Source::of(address.parse().unwrap())
    }

    #[test]
    fn a_source_is_an_address_or_a_network() {
        assert_eq!(source("::ffff:192.0.2.7"), source("192.0.2.7"));
        assert_ne!(source("192.0.2.8"), source("192.0.2.7"));
        assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_eq!(source("::ffff:192.0.2.7").bytes(), [192, 0, 2, 7]);
    }

    #[tokio::test]
    async fn nobody_has_more_than_their_share() {
        let shares = Shares::new(2);
        let (ada, eve) = (Sharer::User(Uuid::from_u128(1)), Sharer::User(Uuid::from_u128(2)));
        let first = shares.take(ada, AT_ONCE).await.unwrap();
        let second = shares.take(ada, AT_ONCE).await.unwrap();
        assert!(shares.take(ada, AT_ONCE).await.is_none());
        let others = shares.take(eve, AT_ONCE).await.unwrap();
        drop(first);
        let third = shares.take(ada, AT_ONCE).await.unwrap();
        assert!(shares.take(ada, AT_ONCE).await.is_none());
        assert_eq!(shares.places().len(), 2);
        drop((second, third, others));
        assert_eq!(shares.places().len(), 0, "owners without permits take no memory");
    }

    #[tokio::test]
    async fn a_waiting_caller_gets_a_released_permit() {
        let shares = Shares::new(1);
        let ada = Sharer::Source(source("192.0.2.7"));
        let first = shares.take(ada, AT_ONCE).await.unwrap();
        let waiting = shares.take(ada, Duration::from_secs(60));
        let ((), second) = futures::join!(async { drop(first) }, waiting);
        drop(second.unwrap());
        // A cancelled wait leaves no entry behind either.
        let first = shares.take(ada, AT_ONCE).await.unwrap();
        let mut waiting = Box::pin(shares.take(ada, Duration::from_secs(60)));
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(first);
        drop(waiting);
        assert_eq!(shares.places().len(), 0);
    }

    #[test]
    fn owners_are_remembered_within_bounds() {
        let owners = TokenOwners::default();
        let (used, unused) = (Token::session().hash(), Token::session().hash());
        let user = Uuid::from_u128(1);
        owners.note(&used, user);
        owners.note(&unused, user);
        for number in 0..3 * OWNERS {
            let mut other = [0; 32];
            other[..8].copy_from_slice(&number.to_be_bytes());
            owners.note(&TokenHash(other), Uuid::from_u128(2));
            if number % 1000 == 0 {
                assert_eq!(owners.of(&used), Some(user));
            }
        }
        assert_eq!(owners.of(&unused), None);
        let known = owners.generations();
        assert!(known.young.len() <= OWNERS && known.old.len() <= OWNERS);
        drop(known);
        owners.forget(&used);
        assert_eq!(owners.of(&used), None);
    }
}

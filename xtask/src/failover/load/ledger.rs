//! Acknowledged values of users: each user has one writer, so that after every response the possible values of the user
//! are known.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A user that one writer updates, and the values that readers compare with.
#[derive(Debug, Default)]
pub struct Public {
    /// The user's id.
    pub id: String,
    acknowledged: AtomicU64,
    attempted: AtomicU64,
}

impl Public {
    /// Creates the record of a user with the value 0.
    pub fn new(id: String) -> Self {
        Self { id, ..Self::default() }
    }

    /// The newest acknowledged value.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Acquire)
    }

    /// The newest value that was sent.
    pub fn attempted(&self) -> u64 {
        self.attempted.load(Ordering::Acquire)
    }
}

/// The writer's view of its user. Values are numbers that only grow.
#[derive(Debug, Default)]
pub struct Ledger {
    acknowledged: u64,
    /// Every acknowledged value with the time of its acknowledgement.
    history: Vec<(u64, Duration)>,
    /// Values sent after the acknowledged one, with an unknown outcome.
    unknown: BTreeSet<u64>,
    next: u64,
    /// Entity tag of the acknowledged value; `None` where the user must be read first.
    pub tag: Option<String>,
    /// True after the user had an impossible value: it is not updated again, and the verification finds the loss.
    pub suspect: bool,
}

impl Ledger {
    /// Returns a new value to send.
    pub fn next(&mut self, public: &Public) -> u64 {
        self.next += 1;
        public.attempted.store(self.next, Ordering::Release);
        self.next
    }

    /// Records a value after a successful update or a read.
    pub fn acknowledge(&mut self, value: u64, at: Duration, tag: Option<String>, public: &Public) {
        if value > self.acknowledged {
            self.history.push((value, at));
        }
        self.acknowledged = value;
        self.tag = tag;
        // Updates sent before have an older entity tag in `If-Match`, so they can no longer take effect.
        self.unknown.clear();
        public.acknowledged.store(value, Ordering::Release);
    }

    /// Records an update with an unknown outcome.
    pub fn mark_unknown(&mut self, value: u64) {
        self.unknown.insert(value);
        self.tag = None;
    }

    /// True if the user may have this value.
    pub fn allows(&self, value: u64) -> bool {
        value == self.acknowledged || self.unknown.contains(&value)
    }

    /// Times of the acknowledged updates that are missing from a user with this value.
    pub fn missing(&self, value: Option<u64>) -> Vec<Duration> {
        let after = value.unwrap_or(0);
        self.history.iter().filter(|(one, _)| *one > after).map(|(_, at)| *at).collect()
    }

    /// The possible values, in words.
    pub fn expectation(&self) -> String {
        let unknown: Vec<String> = self.unknown.iter().map(u64::to_string).collect();
        match unknown.is_empty() {
            true => self.acknowledged.to_string(),
            false => {
                format!("{} or one of {}, whose outcome is unknown", self.acknowledged, unknown.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Ledger, Public};

    #[test]
    fn an_acknowledgement_discards_unknown_outcomes() {
        let (public, mut ledger) = (Public::new("x".to_owned()), Ledger::default());
        assert!(ledger.allows(0) && !ledger.allows(1));
        let one = ledger.next(&public);
        ledger.mark_unknown(one);
        assert!(ledger.allows(0) && ledger.allows(1));
        assert!(ledger.tag.is_none() && ledger.expectation().starts_with("0 or one of 1,"));
        let two = ledger.next(&public);
        ledger.acknowledge(two, Duration::ZERO, Some("\"t\"".to_owned()), &public);
        assert!(ledger.allows(2) && !ledger.allows(1) && !ledger.allows(0));
        assert_eq!((public.acknowledged(), public.attempted()), (2, 2));
        assert_eq!((ledger.missing(Some(2)).len(), ledger.missing(Some(1)).len()), (0, 1));
    }
}

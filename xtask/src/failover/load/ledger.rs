//! What the servers have promised, value by value: one writer for each user, so that after every response it is known
//! which values the user may have.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A user that one writer changes, and what readers compare with.
#[derive(Debug, Default)]
pub struct Public {
    /// The user's id.
    pub id: String,
    acknowledged: AtomicU64,
    attempted: AtomicU64,
}

impl Public {
    /// A user who has the value 0.
    pub fn new(id: String) -> Self {
        Self { id, ..Self::default() }
    }

    /// The newest value that is known to be there.
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
    /// Every value that was acknowledged, and when.
    history: Vec<(u64, Duration)>,
    /// Sent after that, with an outcome that nobody knows.
    unknown: BTreeSet<u64>,
    next: u64,
    /// The entity tag of the acknowledged value; none where it has to be read first.
    pub tag: Option<String>,
    /// Whether the user had a value that it can't have: nothing more is written then, and the end shows what is lost.
    pub suspect: bool,
}

impl Ledger {
    /// A value that was never sent before.
    pub fn next(&mut self, public: &Public) -> u64 {
        self.next += 1;
        public.attempted.store(self.next, Ordering::Release);
        self.next
    }

    /// A change succeeded, or its value was seen.
    pub fn acknowledge(&mut self, value: u64, at: Duration, tag: Option<String>, public: &Public) {
        if value > self.acknowledged {
            self.history.push((value, at));
        }
        self.acknowledged = value;
        self.tag = tag;
        // What was sent before this named an older entity tag: it can't take effect any more.
        self.unknown.clear();
        public.acknowledged.store(value, Ordering::Release);
    }

    /// Nobody knows what came of a change.
    pub fn lose_sight(&mut self, value: u64) {
        self.unknown.insert(value);
        self.tag = None;
    }

    /// Whether the user may have this value.
    pub fn allows(&self, value: u64) -> bool {
        value == self.acknowledged || self.unknown.contains(&value)
    }

    /// When the changes were acknowledged that a user who has this value lacks.
    pub fn missing(&self, value: Option<u64>) -> Vec<Duration> {
        let after = value.unwrap_or(0);
        self.history.iter().filter(|(one, _)| *one > after).map(|(_, at)| *at).collect()
    }

    /// What the user may have, in words.
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
    fn an_acknowledgement_settles_what_was_unknown() {
        let (public, mut ledger) = (Public::new("x".to_owned()), Ledger::default());
        assert!(ledger.allows(0) && !ledger.allows(1));
        let one = ledger.next(&public);
        ledger.lose_sight(one);
        assert!(ledger.allows(0) && ledger.allows(1));
        assert!(ledger.tag.is_none() && ledger.expectation().starts_with("0 or one of 1,"));
        let two = ledger.next(&public);
        ledger.acknowledge(two, Duration::ZERO, Some("\"t\"".to_owned()), &public);
        assert!(ledger.allows(2) && !ledger.allows(1) && !ledger.allows(0));
        assert_eq!((public.acknowledged(), public.attempted()), (2, 2));
        assert_eq!((ledger.missing(Some(2)).len(), ledger.missing(Some(1)).len()), (0, 1));
    }
}

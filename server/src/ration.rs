//! Quota of audit events for unauthenticated callers, per minute and replica. Without it, a flood of rejected
//! requests would become a flood of rows that nobody may delete.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// The remaining quota of the current minute.
#[derive(Debug)]
pub struct Ration {
    per_minute: u32,
    /// Start of the minute, and the number of requests since.
    minute: Mutex<(DateTime<Utc>, u32)>,
}

/// Result of [`Ration::take`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Within the quota.
    Granted,
    /// The quota is exhausted; `first` is true once in a minute.
    UsedUp { first: bool },
}

impl Ration {
    /// A quota of this many events per minute.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, minute: Mutex::new((DateTime::UNIX_EPOCH, 0)) }
    }

    /// Counts one event against the quota.
    pub fn take(&self, now: DateTime<Utc>) -> Share {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back starts a new minute too.
        if !(TimeDelta::zero()..TimeDelta::minutes(1)).contains(&(now - minute.0)) {
            *minute = (now, 0);
        }
        minute.1 = minute.1.saturating_add(1);
        if minute.1 <= self.per_minute {
            Share::Granted
        } else {
            Share::UsedUp { first: minute.1 == self.per_minute.saturating_add(1) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_minute_has_its_quota() {
        let ration = Ration::new(2);
        let begin = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let at = |seconds| ration.take(begin + TimeDelta::seconds(seconds));
        let used_up = |first| Share::UsedUp { first };
        assert_eq!(
            [at(0), at(1), at(2), at(59)],
            [Share::Granted, Share::Granted, used_up(true), used_up(false)]
        );
        assert_eq!([at(60), at(61), at(62)], [Share::Granted, Share::Granted, used_up(true)]);
        assert_eq!(at(-100), Share::Granted, "the clock was set back");
        assert_eq!(Ration::new(0).take(begin), used_up(true));
    }
}

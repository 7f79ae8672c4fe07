//! A ration of audit events for callers whom the server doesn't know: so many a minute, on each replica. Without it a
//! flood of refused calls would be a flood of rows, and nobody may delete those.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

/// How much is left of the minute's ration.
#[derive(Debug)]
pub struct Ration {
    a_minute: u32,
    /// When the minute began, and how many have asked since.
    minute: Mutex<(DateTime<Utc>, u32)>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// There was something left.
    Granted,
    /// There wasn't; `first` for the first of a minute who hears so.
    UsedUp { first: bool },
}

impl Ration {
    /// A ration of so many a minute.
    pub fn new(a_minute: u32) -> Self {
        Self { a_minute, minute: Mutex::new((DateTime::UNIX_EPOCH, 0)) }
    }

    /// Takes one.
    pub fn take(&self, now: DateTime<Utc>) -> Share {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back begins anew too.
        if !(TimeDelta::zero()..TimeDelta::minutes(1)).contains(&(now - minute.0)) {
            *minute = (now, 0);
        }
        minute.1 = minute.1.saturating_add(1);
        if minute.1 <= self.a_minute {
            Share::Granted
        } else {
            Share::UsedUp { first: minute.1 == self.a_minute.saturating_add(1) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_minute_has_its_ration() {
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

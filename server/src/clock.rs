//! Time as a parameter. Nothing else in the server reads the system's clock.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// Source of the current time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The current time, truncated to microseconds, as the database stores it.
    fn now(&self) -> DateTime<Utc>;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everything else must use")]
    fn now(&self) -> DateTime<Utc> {
        truncate(Utc::now())
    }
}

/// The system's clock with an offset, for tests of expiry.
#[derive(Debug, Default)]
pub struct MovableClock {
    offset_microseconds: AtomicI64,
}

impl MovableClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: TimeDelta) {
        let by = by.num_microseconds().unwrap_or(i64::MAX);
        self.offset_microseconds.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + TimeDelta::microseconds(self.offset_microseconds.load(Ordering::SeqCst))
    }
}

fn truncate(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}

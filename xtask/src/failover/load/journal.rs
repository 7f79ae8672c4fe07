//! Record of the load: every request with its outcome and time, stale responses and lost changes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::failover::http::Reply;

/// Time limit of every response.
pub const LIMIT: Duration = Duration::from_secs(2);

/// Effect of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
}

/// Outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The expected success.
    Done,
    /// An error with `Retry-After` after which the same request may succeed: a 503, or a 409 or 429 of those that pass.
    Unavailable,
    /// Anything else: no response, a 503 without `Retry-After`, an unexpected status.
    Other,
}

/// A completed request. Times count from the start of the journal.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub kind: Kind,
    pub outcome: Outcome,
    pub started_at: Duration,
    pub took: Duration,
}

impl Sample {
    fn ended(&self) -> Duration {
        self.started_at + self.took
    }
}

/// A lost change or a stale response.
#[derive(Clone, Debug)]
pub struct Broken {
    /// Time of the lost change's acknowledgement, or of the stale response.
    pub at: Duration,
    pub what: String,
}

#[derive(Debug, Default)]
struct Entries {
    samples: Vec<Sample>,
    others: BTreeMap<String, Other>,
    late: BTreeMap<String, Other>,
    stale: Vec<Broken>,
    lost: Vec<Broken>,
}

/// Count of an unexpected outcome or of late responses, by their text.
#[derive(Clone, Copy, Debug)]
pub struct Other {
    pub count: u32,
    pub first: Duration,
    pub slowest: Duration,
}

impl Other {
    fn count(map: &mut BTreeMap<String, Self>, text: String, first: Duration, took: Duration) {
        let other = map.entry(text).or_insert(Self { count: 0, first, slowest: Duration::ZERO });
        other.count += 1;
        other.slowest = other.slowest.max(took);
    }
}

/// Record of all requests.
#[derive(Debug)]
pub struct Journal {
    started_at: Instant,
    entries: Mutex<Entries>,
}

/// Figures of a period.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Longest time between two consecutive successful writes.
    pub write_gap: Duration,
    /// Longest time between two consecutive successful reads.
    pub read_gap: Duration,
    pub requests: usize,
    pub unavailable: usize,
    pub others: usize,
    pub slowest: Duration,
    pub acknowledged: usize,
    /// Number of responses with outdated data.
    pub stale: usize,
    pub lost: usize,
}

impl Journal {
    /// Creates an empty journal that starts now.
    pub fn new() -> Self {
        Self { started_at: Instant::now(), entries: Mutex::default() }
    }

    /// Time since the start.
    pub fn now(&self) -> Duration {
        self.started_at.elapsed()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request. `expected` are the statuses that count as success.
    pub fn record(
        &self,
        kind: Kind,
        name: &str,
        started_at: Duration,
        reply: &Result<Reply, String>,
        expected: &[u16],
    ) -> Outcome {
        let took = self.now().saturating_sub(started_at);
        let (outcome, text) = match reply {
            Ok(reply) if expected.contains(&reply.status) => (Outcome::Done, None),
            Ok(reply) if reply.asks_to_retry() => (Outcome::Unavailable, None),
            Ok(reply) => {
                let hint = if reply.has_retry_after() { "" } else { " without Retry-After" };
                let hint = if matches!(reply.status, 429 | 503) { hint } else { "" };
                (Outcome::Other, Some(format!("{name}: {} {}{hint}", reply.status, reply.error_code())))
            }
            Err(error) => (Outcome::Other, Some(format!("{name}: {error}"))),
        };
        let mut entries = self.entries();
        if let Some(text) = text {
            Other::count(&mut entries.others, text, started_at, took);
        }
        if took > LIMIT {
            Other::count(&mut entries.late, name.to_owned(), started_at, took);
        }
        entries.samples.push(Sample { kind, outcome, started_at, took });
        outcome
    }

    /// Records a response with outdated data.
    pub fn stale(&self, what: String) {
        let at = self.now();
        self.entries().stale.push(Broken { at, what });
    }

    /// Records the loss of a change that was acknowledged at some time.
    pub fn lost(&self, at: Duration, what: String) {
        self.entries().lost.push(Broken { at, what });
    }

    /// Stale responses and lost changes.
    pub fn broken(&self) -> (Vec<Broken>, Vec<Broken>) {
        let entries = self.entries();
        (entries.stale.clone(), entries.lost.clone())
    }

    /// Unexpected outcomes.
    pub fn others(&self) -> Vec<(String, Other)> {
        self.entries().others.iter().map(|(text, other)| (text.clone(), *other)).collect()
    }

    /// True if a request of this kind that started after a time has succeeded.
    pub fn succeeded_since(&self, kind: Kind, since: Duration) -> bool {
        self.entries().samples.iter().rev().any(|sample| {
            sample.kind == kind && sample.outcome == Outcome::Done && sample.started_at >= since
        })
    }

    /// Figures of a period.
    pub fn figures(&self, from: Duration, to: Duration) -> Figures {
        let entries = self.entries();
        let within = |at: Duration| from <= at && at < to;
        let mut figures = Figures {
            write_gap: gap(&entries.samples, Kind::Write, from, to),
            read_gap: gap(&entries.samples, Kind::Read, from, to),
            stale: entries.stale.iter().filter(|broken| within(broken.at)).count(),
            lost: entries.lost.iter().filter(|broken| within(broken.at)).count(),
            ..Figures::default()
        };
        for sample in entries.samples.iter().filter(|sample| within(sample.started_at)) {
            figures.requests += 1;
            figures.slowest = figures.slowest.max(sample.took);
            match (sample.outcome, sample.kind) {
                (Outcome::Done, Kind::Write) => figures.acknowledged += 1,
                (Outcome::Done, Kind::Read) => {}
                (Outcome::Unavailable, _) => figures.unavailable += 1,
                (Outcome::Other, _) => figures.others += 1,
            }
        }
        figures
    }

    /// Figures of the whole run.
    pub fn total(&self) -> Figures {
        self.figures(Duration::ZERO, self.now())
    }

    /// Responses that took longer than [`LIMIT`].
    pub fn late(&self) -> Vec<(String, Other)> {
        self.entries().late.iter().map(|(text, other)| (text.clone(), *other)).collect()
    }
}

/// Longest time without a success that overlaps the period.
fn gap(samples: &[Sample], kind: Kind, from: Duration, to: Duration) -> Duration {
    let mut ends: Vec<Duration> = samples
        .iter()
        .filter(|sample| sample.kind == kind && sample.outcome == Outcome::Done)
        .map(Sample::ended)
        .collect();
    ends.sort_unstable();
    let last = ends.last().copied().unwrap_or(from);
    let mut longest = to.saturating_sub(last.max(from));
    for pair in ends.windows(2) {
        if pair[1] > from && pair[0] < to {
            longest = longest.max(pair[1] - pair[0]);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Journal, Kind, Outcome, Sample, gap};

    fn sample(kind: Kind, outcome: Outcome, started_at: u64, took: u64) -> Sample {
        let [started_at, took] = [started_at, took].map(Duration::from_millis);
        Sample { kind, outcome, started_at, took }
    }

    #[test]
    fn a_gap_lies_between_two_successes() {
        let done = |started_at| sample(Kind::Write, Outcome::Done, started_at, 0);
        let mut samples = vec![done(0), done(100), done(9_000), done(9_100)];
        samples.push(sample(Kind::Write, Outcome::Unavailable, 500, 0));
        samples.push(sample(Kind::Read, Outcome::Done, 600, 0));
        let gap = |from, to| {
            gap(&samples, Kind::Write, Duration::from_millis(from), Duration::from_millis(to)).as_millis()
        };
        assert_eq!(gap(0, 9_100), 8_900);
        assert_eq!(gap(50, 90), 100, "the period lies within it");
        assert_eq!(gap(9_050, 9_500), 400, "none after the last");
    }

    #[test]
    fn outcomes_are_counted() {
        let journal = Journal::new();
        let reply = Err("the connection broke".to_owned());
        let outcome = journal.record(Kind::Read, "GET /x", Duration::ZERO, &reply, &[200]);
        assert_eq!(outcome, Outcome::Other);
        let figures = journal.figures(Duration::ZERO, Duration::from_secs(5));
        assert_eq!((figures.requests, figures.others, figures.acknowledged), (1, 1, 0));
        assert_eq!(journal.others()[0].0, "GET /x: the connection broke");
        assert!(!journal.succeeded_since(Kind::Read, Duration::ZERO));
    }
}

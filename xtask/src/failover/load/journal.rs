//! What the load saw: every request with its outcome and its time, and what must not happen.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::failover::http::Reply;

/// Within this time every request is answered.
pub const LIMIT: Duration = Duration::from_secs(2);

/// Whether a request changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The expected success.
    Done,
    /// A 503 that says when to try again; also the 409 that says so because the first attempt is still under way.
    Unavailable,
    /// Anything else: no response, a 503 without `Retry-After`, a status that was not expected.
    Other,
}

/// A request that is over. Times count from the journal's beginning.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub kind: Kind,
    pub outcome: Outcome,
    pub begun: Duration,
    pub took: Duration,
}

impl Sample {
    fn ended(&self) -> Duration {
        self.begun + self.took
    }
}

/// Something that the servers had promised and did not keep.
#[derive(Clone, Debug)]
pub struct Broken {
    /// When it was promised, or when it was seen.
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

/// Outcomes of one kind that should not be.
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

/// The journal.
#[derive(Debug)]
pub struct Journal {
    begun: Instant,
    entries: Mutex<Entries>,
}

/// The figures of a stretch of time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// The longest time between two changes that succeeded, one after the other.
    pub write_gap: Duration,
    /// The same for reads.
    pub read_gap: Duration,
    pub requests: usize,
    pub unavailable: usize,
    pub others: usize,
    pub slowest: Duration,
    pub acknowledged: usize,
    /// Responses that told what was no longer true.
    pub stale: usize,
    pub lost: usize,
}

impl Journal {
    /// An empty one that begins now.
    pub fn new() -> Self {
        Self { begun: Instant::now(), entries: Mutex::default() }
    }

    /// The time since it began.
    pub fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request. `expected` are the statuses that count as success.
    pub fn note(
        &self,
        kind: Kind,
        name: &str,
        begun: Duration,
        reply: &Result<Reply, String>,
        expected: &[u16],
    ) -> Outcome {
        let took = self.now().saturating_sub(begun);
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
            Other::count(&mut entries.others, text, begun, took);
        }
        if took > LIMIT {
            Other::count(&mut entries.late, name.to_owned(), begun, took);
        }
        entries.samples.push(Sample { kind, outcome, begun, took });
        outcome
    }

    /// Notes a response that told what was no longer true.
    pub fn stale(&self, what: String) {
        let at = self.now();
        self.entries().stale.push(Broken { at, what });
    }

    /// Notes a change that was acknowledged at some time and is not there.
    pub fn lost(&self, at: Duration, what: String) {
        self.entries().lost.push(Broken { at, what });
    }

    /// What was stale, and what is lost.
    pub fn broken(&self) -> (Vec<Broken>, Vec<Broken>) {
        let entries = self.entries();
        (entries.stale.clone(), entries.lost.clone())
    }

    /// The outcomes that were not expected.
    pub fn others(&self) -> Vec<(String, Other)> {
        self.entries().others.iter().map(|(text, other)| (text.clone(), *other)).collect()
    }

    /// Whether a request of this kind that began after a time has succeeded.
    pub fn succeeded_since(&self, kind: Kind, since: Duration) -> bool {
        self.entries()
            .samples
            .iter()
            .rev()
            .any(|sample| sample.kind == kind && sample.outcome == Outcome::Done && sample.begun >= since)
    }

    /// The figures of a stretch of time.
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
        for sample in entries.samples.iter().filter(|sample| within(sample.begun)) {
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

    /// The figures of all there is.
    pub fn total(&self) -> Figures {
        self.figures(Duration::ZERO, self.now())
    }

    /// What came later than it may.
    pub fn late(&self) -> Vec<(String, Other)> {
        self.entries().late.iter().map(|(text, other)| (text.clone(), *other)).collect()
    }
}

/// The longest time without a success that has a part in the stretch.
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

    fn sample(kind: Kind, outcome: Outcome, begun: u64, took: u64) -> Sample {
        let [begun, took] = [begun, took].map(Duration::from_millis);
        Sample { kind, outcome, begun, took }
    }

    #[test]
    fn a_gap_lies_between_two_successes() {
        let done = |begun| sample(Kind::Write, Outcome::Done, begun, 0);
        let mut samples = vec![done(0), done(100), done(9_000), done(9_100)];
        samples.push(sample(Kind::Write, Outcome::Unavailable, 500, 0));
        samples.push(sample(Kind::Read, Outcome::Done, 600, 0));
        let gap = |from, to| {
            gap(&samples, Kind::Write, Duration::from_millis(from), Duration::from_millis(to)).as_millis()
        };
        assert_eq!(gap(0, 9_100), 8_900);
        assert_eq!(gap(50, 90), 100, "the stretch lies within it");
        assert_eq!(gap(9_050, 9_500), 400, "none after the last");
    }

    #[test]
    fn outcomes_are_counted() {
        let journal = Journal::new();
        let reply = Err("the connection broke".to_owned());
        let outcome = journal.note(Kind::Read, "GET /x", Duration::ZERO, &reply, &[200]);
        assert_eq!(outcome, Outcome::Other);
        let figures = journal.figures(Duration::ZERO, Duration::from_secs(5));
        assert_eq!((figures.requests, figures.others, figures.acknowledged), (1, 1, 0));
        assert_eq!(journal.others()[0].0, "GET /x: the connection broke");
        assert!(!journal.succeeded_since(Kind::Read, Duration::ZERO));
    }
}

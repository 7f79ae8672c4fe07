//! The load generator: one thread, many connections, `poll`. It shares the machine with the server that it measures, so
//! it must cost only a few microseconds per request.
//!
//! In a closed loop every connection sends its next request after the response to the one before. In an open loop requests
//! fall due at a fixed rate, independent of the server, and latency counts from the due time, also while all connections
//! are busy: a stall of the server shows in the latency (no coordinated omission).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hdrhistogram::Histogram;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::wire::Connection;

/// Time to wait for the last responses.
const DRAIN: Duration = Duration::from_secs(10);

/// Arrival of requests.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// The next request after the response.
    Closed,
    /// This many requests per second.
    Open(f64),
}

/// Parameters of one measurement.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Address of the server.
    pub address: SocketAddr,
    /// Number of connections.
    pub connections: usize,
    /// Arrival of requests.
    pub pace: Pace,
    /// Duration of the measurement.
    pub time: Duration,
}

/// Result of one measurement.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Number of responses, all of them 2xx.
    pub responses: u64,
    /// Time from the first request to the last response.
    pub elapsed: Duration,
    /// Latency in nanoseconds.
    pub latency: Histogram<u64>,
}

impl Outcome {
    /// Responses per second.
    pub fn rate(&self) -> f64 {
        self.responses as f64 / self.elapsed.as_secs_f64()
    }
}

/// A histogram of nanoseconds up to a minute, precise to a thousandth.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 60_000_000_000, 3).expect("the bounds are constants")
}

struct Lane {
    connection: Connection,
    /// Due time of the request under way; `None` while the connection is idle.
    due: Option<Instant>,
}

/// Sends load to a server; `compose` writes the next request of a connection. Fails at the first response that is not a
/// 2xx.
pub fn drive(plan: &Plan, mut compose: impl FnMut(usize, &mut Vec<u8>)) -> anyhow::Result<Outcome> {
    let mut lanes = Vec::with_capacity(plan.connections);
    for _ in 0..plan.connections {
        lanes.push(Lane { connection: Connection::open(plan.address)?.nonblocking()?, due: None });
    }
    let mut idle: Vec<usize> = (0..lanes.len()).rev().collect();
    let (mut request, mut latency, mut responses) = (Vec::with_capacity(1024), histogram(), 0);
    let begun = Instant::now();
    let end = begun + plan.time;
    let mut schedule = Schedule { begun, rate: plan.pace, made: 0, waiting: VecDeque::new() };
    loop {
        let now = Instant::now();
        if now < end {
            schedule.fall_due(now, idle.len());
        }
        while let Some(due) = schedule.waiting.front().copied()
            && let Some(lane) = idle.pop()
        {
            schedule.waiting.pop_front();
            request.clear();
            compose(lane, &mut request);
            lanes[lane].connection.send(&request)?;
            lanes[lane].due = Some(due);
        }
        if now >= end && idle.len() == lanes.len() {
            break;
        }
        if now >= end + DRAIN {
            bail!("{} responses are missing {} s after the end", lanes.len() - idle.len(), DRAIN.as_secs());
        }
        let busy: Vec<usize> = (0..lanes.len()).filter(|lane| lanes[*lane].due.is_some()).collect();
        for lane in ready(&lanes, &busy, schedule.patience(now, end))? {
            let Some(response) = lanes[lane].connection.receive()? else { continue };
            response.check()?;
            responses += 1;
            if let Some(due) = lanes[lane].due.take() {
                latency.saturating_record(u64::try_from(due.elapsed().as_nanos()).unwrap_or(u64::MAX));
            }
            idle.push(lane);
        }
    }
    Ok(Outcome { responses, elapsed: begun.elapsed(), latency })
}

/// Waits for input on the busy lanes; returns the lanes with input.
fn ready(lanes: &[Lane], busy: &[usize], patience: Duration) -> anyhow::Result<Vec<usize>> {
    let mut waits: Vec<PollFd<'_>> =
        busy.iter().map(|lane| PollFd::new(lanes[*lane].connection.stream(), PollFlags::IN)).collect();
    let timeout = Timespec {
        tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: patience.subsec_nanos().into(),
    };
    match poll(&mut waits, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error).context("waiting for responses"),
    }
    Ok(busy
        .iter()
        .zip(&waits)
        .filter(|(_, wait)| !wait.revents().is_empty())
        .map(|(lane, _)| *lane)
        .collect())
}

/// Due times of requests.
struct Schedule {
    begun: Instant,
    rate: Pace,
    made: u64,
    /// Due times of requests that are not yet sent.
    waiting: VecDeque<Instant>,
}

impl Schedule {
    fn fall_due(&mut self, now: Instant, idle: usize) {
        match self.rate {
            Pace::Closed => self.waiting.extend(std::iter::repeat_n(now, idle)),
            Pace::Open(_) => {
                while let Some(due) = self.next().filter(|due| *due <= now) {
                    self.waiting.push_back(due);
                    self.made += 1;
                }
            }
        }
    }

    fn next(&self) -> Option<Instant> {
        match self.rate {
            Pace::Closed => None,
            Pace::Open(rate) => Some(self.begun + Duration::from_secs_f64(self.made as f64 / rate)),
        }
    }

    /// Time until the next request is due; responses can be awaited that long.
    fn patience(&self, now: Instant, end: Instant) -> Duration {
        match self.next() {
            Some(due) if now < end => due.saturating_duration_since(now),
            _ => Duration::from_millis(100),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Instant, Pace, Schedule, VecDeque};

    #[test]
    fn an_open_loop_keeps_due_requests_that_it_could_not_send() {
        let begun = Instant::now();
        let mut schedule = Schedule { begun, rate: Pace::Open(1000.0), made: 0, waiting: VecDeque::new() };
        schedule.fall_due(begun + Duration::from_millis(10), 0);
        assert_eq!(schedule.waiting.len(), 11);
        assert_eq!(schedule.waiting.back(), Some(&(begun + Duration::from_millis(10))));
        let mut closed = Schedule { begun, rate: Pace::Closed, made: 0, waiting: VecDeque::new() };
        closed.fall_due(begun, 3);
        assert_eq!(closed.waiting.len(), 3);
    }
}

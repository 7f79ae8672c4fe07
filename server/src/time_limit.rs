//! The time that a request may spend on the database, all its statements and waits together. While a password is hashed it
//! stands still: hashing is bounded by a queue of its own, and says nothing about the database.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// A clock that runs down, unless it is paused.
#[derive(Debug)]
pub struct TimeLimit(watch::Sender<State>);

#[derive(Clone, Copy, Debug)]
enum State {
    Running { until: Instant },
    Paused { left: Duration },
}

impl TimeLimit {
    /// Starts now.
    pub fn start(limit: Duration) -> Self {
        Self(watch::Sender::new(State::Running { until: Instant::now() + limit }))
    }

    /// Does work that doesn't count.
    pub async fn pause<T>(&self, work: impl Future<Output = T>) -> T {
        let left = self.left();
        self.0.send_replace(State::Paused { left });
        let done = work.await;
        self.0.send_replace(State::Running { until: Instant::now() + left });
        done
    }

    /// What is left of it.
    fn left(&self) -> Duration {
        match *self.0.borrow() {
            State::Running { until } => until.saturating_duration_since(Instant::now()),
            State::Paused { left } => left,
        }
    }

    /// Does work until the time is up.
    pub async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        tokio::select! {
            // A result that is there counts, however late it is.
            biased;
            done = work => Ok(done),
            () = self.over() => Err(Elapsed),
        }
    }

    async fn over(&self) {
        let mut state = self.0.subscribe();
        loop {
            let State::Running { until } = *state.borrow_and_update() else {
                let _the_sender_is_mine = state.changed().await;
                continue;
            };
            if timeout_at(until, state.changed()).await.is_err() {
                return;
            }
        }
    }
}

/// The time was up.
#[derive(Clone, Copy, Debug)]
pub struct Elapsed;

//! The time that a request may spend on the database, for all its statements and waits together. It is paused while a
//! password is hashed: hashing has a bounded queue of its own and does not depend on the database.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// A countdown that can be paused.
#[derive(Debug)]
pub struct TimeLimit(watch::Sender<State>);

#[derive(Clone, Copy, Debug)]
enum State {
    Running { until: Instant },
    Paused { left: Duration },
}

impl TimeLimit {
    /// Starts the countdown.
    pub fn start(limit: Duration) -> Self {
        Self(watch::Sender::new(State::Running { until: Instant::now() + limit }))
    }

    /// Pauses the countdown while the future runs.
    pub async fn pause<T>(&self, work: impl Future<Output = T>) -> T {
        let left = self.left();
        self.0.send_replace(State::Paused { left });
        let done = work.await;
        self.0.send_replace(State::Running { until: Instant::now() + left });
        done
    }

    /// The remaining time.
    fn left(&self) -> Duration {
        match *self.0.borrow() {
            State::Running { until } => until.saturating_duration_since(Instant::now()),
            State::Paused { left } => left,
        }
    }

    /// Runs a future until the time is up.
    pub async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        tokio::select! {
            // A finished result counts, however late it is.
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

/// The time is up.
#[derive(Clone, Copy, Debug)]
pub struct Elapsed;

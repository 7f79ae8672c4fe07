//! Failures and handovers of the deployment, one after the other, each until the deployment is healthy again.

use std::time::Duration;

use anyhow::bail;
use clap::ValueEnum;
use rustix::process::Signal;

use super::cluster::Cluster;
use super::load::{Figures, Journal, Kind, Load};

/// Time of undisturbed load before and after each event.
const QUIET: Duration = Duration::from_secs(3);
/// Minimum duration of a fault after changes succeed again.
const FAULT_DURATION: Duration = Duration::from_secs(4);
/// Maximum time without successful changes and reads before the run fails.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Lag of the standbys in [`Event::KillAhead`], which shows the purpose of `synchronous_mode`.
const LAG: Duration = Duration::from_secs(2);

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Event {
    /// SIGKILL to Postgres and Patroni of the primary, as a power failure would
    Kill,
    /// A planned handover by patronictl
    Switchover,
    /// The primary's network link: nothing passes, nothing is closed
    Cut,
    /// SIGSTOP to Postgres and Patroni of the primary, and SIGCONT when there is another one
    Freeze,
    /// SIGSTOP to Postgres and Patroni of the synchronous standby, and SIGCONT when changes succeed
    StandbyFreeze,
    /// The kill with standbys that lag by 2 s, for use with --asynchronous
    KillAhead,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill of the primary",
            Self::Switchover => "switchover",
            Self::Cut => "cut of the primary's link",
            Self::Freeze => "freeze of the primary",
            Self::StandbyFreeze => "freeze of the standby",
            Self::KillAhead => "kill, standbys 2 s behind",
        }
    }
}

/// A past event.
#[derive(Clone, Debug)]
pub struct Happened {
    /// Name of the event.
    pub name: String,
    /// Start and end of the event on the journal's clock.
    pub stretch: (Duration, Duration),
}

impl Happened {
    /// The load's figures during the event.
    pub fn figures(&self, journal: &Journal) -> Figures {
        journal.figures(self.stretch.0, self.stretch.1)
    }
}

/// Runs events until one fails.
pub async fn happen_all(
    events: &[Event],
    cluster: &mut Cluster,
    load: &Load,
    happened: &mut Vec<Happened>,
) -> anyhow::Result<()> {
    for event in events {
        let started_at = load.journal.now();
        let ended = happen(*event, cluster, load).await;
        happened.push(Happened { name: event.name().to_owned(), stretch: (started_at, load.journal.now()) });
        ended?;
    }
    Ok(())
}

/// Runs an event.
async fn happen(event: Event, cluster: &mut Cluster, load: &Load) -> anyhow::Result<()> {
    tokio::time::sleep(QUIET).await;
    let journal = &load.journal;
    let started_at = journal.now();
    let before = cluster.primary().await?;
    println!("{:>6.1} s  {} ({})", started_at.as_secs_f64(), event.name(), cluster.nodes[before].name);
    match event {
        Event::Kill | Event::KillAhead => {
            if event == Event::KillAhead {
                cluster.nodes.iter().for_each(|node| node.signal_receiver(&[Signal::STOP]));
                tokio::time::sleep(LAG).await;
            }
            cluster.nodes[before].kill();
            if event == Event::KillAhead {
                // Without SIGTERM, they would still read the bytes that have arrived in the kernel.
                cluster.nodes.iter().for_each(|node| node.signal_receiver(&[Signal::TERM, Signal::CONT]));
            }
            recovered(cluster, journal, before).await?;
            cluster.nodes[before].start()?;
        }
        Event::Switchover => {
            cluster.switch_over().await?;
            recovered(cluster, journal, before).await?;
        }
        Event::Cut => {
            cluster.nodes[before].link.cut();
            recovered(cluster, journal, before).await?;
            cluster.nodes[before].link.restore();
        }
        Event::Freeze => {
            cluster.nodes[before].freeze();
            recovered(cluster, journal, before).await?;
            cluster.nodes[before].thaw();
        }
        Event::StandbyFreeze => {
            let standby = cluster.synchronous_standby().await?;
            cluster.nodes[standby].freeze();
            tokio::time::sleep(FAULT_DURATION).await;
            changes_again(journal).await?;
            cluster.nodes[standby].thaw();
        }
    }
    cluster.settled().await?;
    cluster.check_etcd()?;
    tokio::time::sleep(QUIET).await;
    println!("{:>6.1} s  all three machines are healthy", journal.now().as_secs_f64());
    Ok(())
}

/// Waits until another machine is the primary and changes succeed again.
async fn recovered(cluster: &Cluster, journal: &Journal, before: usize) -> anyhow::Result<()> {
    let after = cluster.another_primary(before).await?;
    println!("{:>6.1} s  {} is the primary", journal.now().as_secs_f64(), cluster.nodes[after].name);
    changes_again(journal).await?;
    tokio::time::sleep(FAULT_DURATION).await;
    Ok(())
}

async fn changes_again(journal: &Journal) -> anyhow::Result<()> {
    let since = journal.now();
    while !(journal.succeeded_since(Kind::Write, since) && journal.succeeded_since(Kind::Read, since)) {
        if journal.now() - since > TIMEOUT {
            bail!("changes and reads don't succeed again within {} s", TIMEOUT.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("{:>6.1} s  changes succeed", journal.now().as_secs_f64());
    Ok(())
}

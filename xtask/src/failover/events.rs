//! What happens to the deployment: one event after the other, each until the whole is well again.

use std::time::Duration;

use anyhow::bail;
use clap::ValueEnum;
use rustix::process::Signal;

use super::cluster::Cluster;
use super::load::{Figures, Journal, Kind, Load};

/// How long the load runs undisturbed between two events.
const QUIET: Duration = Duration::from_secs(3);
/// How long a fault lasts at least after the servers have coped with it.
const LASTS: Duration = Duration::from_secs(4);
/// How long changes may be impossible before the run is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How far behind standbys are held to show what `synchronous_mode` is for.
const BEHIND: Duration = Duration::from_secs(2);

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
    /// The same for the synchronous standby
    StandbyFreeze,
    /// The kill with standbys that are 2 s behind, for use with --asynchronous
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

/// What an event did.
#[derive(Clone, Debug)]
pub struct Happened {
    /// What.
    pub name: String,
    /// When it began, and when the next one did.
    pub stretch: (Duration, Duration),
}

impl Happened {
    /// Its figures.
    pub fn figures(&self, journal: &Journal) -> Figures {
        journal.figures(self.stretch.0, self.stretch.1)
    }
}

/// Has events happen, until one of them is not coped with.
pub async fn happen_all(
    events: &[Event],
    cluster: &mut Cluster,
    load: &Load,
    happened: &mut Vec<Happened>,
) -> anyhow::Result<()> {
    for event in events {
        let begun = load.journal.now();
        let ended = happen(*event, cluster, load).await;
        happened.push(Happened { name: event.name().to_owned(), stretch: (begun, load.journal.now()) });
        ended?;
    }
    Ok(())
}

/// Has an event happen.
async fn happen(event: Event, cluster: &mut Cluster, load: &Load) -> anyhow::Result<()> {
    tokio::time::sleep(QUIET).await;
    let journal = &load.journal;
    let begun = journal.now();
    let before = cluster.primary().await?;
    println!("{:>6.1} s  {} ({})", begun.as_secs_f64(), event.name(), cluster.nodes[before].name);
    match event {
        Event::Kill | Event::KillAhead => {
            if event == Event::KillAhead {
                cluster.nodes.iter().for_each(|node| node.signal_receiver(&[Signal::STOP]));
                tokio::time::sleep(BEHIND).await;
            }
            cluster.nodes[before].kill();
            if event == Event::KillAhead {
                // Without the first, they would still read what has arrived in the kernel.
                cluster.nodes.iter().for_each(|node| node.signal_receiver(&[Signal::TERM, Signal::CONT]));
            }
            coped(cluster, journal, before).await?;
            cluster.nodes[before].start()?;
        }
        Event::Switchover => {
            cluster.switch_over().await?;
            coped(cluster, journal, before).await?;
        }
        Event::Cut => {
            cluster.nodes[before].link.cut();
            coped(cluster, journal, before).await?;
            cluster.nodes[before].link.mend();
        }
        Event::Freeze => {
            cluster.nodes[before].freeze();
            coped(cluster, journal, before).await?;
            cluster.nodes[before].thaw();
        }
        Event::StandbyFreeze => {
            let standby = cluster.synchronous_standby().await?;
            cluster.nodes[standby].freeze();
            tokio::time::sleep(LASTS).await;
            changes_again(journal).await?;
            cluster.nodes[standby].thaw();
        }
    }
    cluster.settled().await?;
    cluster.check_etcd()?;
    tokio::time::sleep(QUIET).await;
    println!("{:>6.1} s  all three machines are in place", journal.now().as_secs_f64());
    Ok(())
}

/// Waits until there is another primary and changes succeed again.
async fn coped(cluster: &Cluster, journal: &Journal, before: usize) -> anyhow::Result<()> {
    let after = cluster.another_primary(before).await?;
    println!("{:>6.1} s  {} is the primary", journal.now().as_secs_f64(), cluster.nodes[after].name);
    changes_again(journal).await?;
    tokio::time::sleep(LASTS).await;
    Ok(())
}

async fn changes_again(journal: &Journal) -> anyhow::Result<()> {
    let since = journal.now();
    while !(journal.succeeded_since(Kind::Write, since) && journal.succeeded_since(Kind::Read, since)) {
        if journal.now() - since > PATIENCE {
            bail!("changes and reads don't succeed again within {} s", PATIENCE.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    println!("{:>6.1} s  changes succeed", journal.now().as_secs_f64());
    Ok(())
}

//! Rolling restarts under load: SIGTERM to one server after the other, without draining by hand.

use std::time::Duration;

use anyhow::bail;

use super::cluster::Cluster;
use super::events::Happened;
use super::load::Load;

/// Time between a server's start and the stop of the next one: HAProxy must see that it is ready.
const SETTLE: Duration = Duration::from_secs(2);

/// Restarts both servers in turn, several times.
pub async fn restart(
    rounds: u32,
    cluster: &Cluster,
    load: &Load,
    happened: &mut Vec<Happened>,
) -> anyhow::Result<()> {
    for round in 1..=rounds {
        let started_at = load.journal.now();
        for server in &cluster.servers {
            tokio::time::sleep(SETTLE).await;
            let took = server.restart().await?;
            server.ready().await?;
            println!(
                "{:>6.1} s  round {round}: {} ended within {:.1} s and is ready again",
                load.journal.now().as_secs_f64(),
                server.name,
                took.as_secs_f64()
            );
        }
        tokio::time::sleep(SETTLE).await;
        happened.push(Happened {
            name: format!("rolling restart {round}"),
            stretch: (started_at, load.journal.now()),
        });
    }
    Ok(())
}

/// Fails if a request failed, also with a 503 that may be retried.
pub fn check(load: &super::load::Journal) -> anyhow::Result<()> {
    let all = load.total();
    if all.unavailable > 0 {
        bail!("{} of {} requests were rejected with 503", all.unavailable, all.requests);
    }
    Ok(())
}

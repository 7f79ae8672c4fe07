//! Rolling restarts under load: SIGTERM to one server after the other, nothing drained by hand.

use std::time::Duration;

use anyhow::bail;

use super::cluster::Cluster;
use super::events::Happened;
use super::load::Load;

/// How long a server runs before the next one is stopped: HAProxy has to see that it is ready.
const SETTLE: Duration = Duration::from_secs(2);

/// Restarts both servers, several times.
pub async fn restart(
    rounds: u32,
    cluster: &Cluster,
    load: &Load,
    happened: &mut Vec<Happened>,
) -> anyhow::Result<()> {
    for round in 1..=rounds {
        let begun = load.journal.now();
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
            stretch: (begun, load.journal.now()),
        });
    }
    Ok(())
}

/// Fails where a request failed, also one that may be repeated.
pub fn judge(load: &super::load::Journal) -> anyhow::Result<()> {
    let all = load.total();
    if all.unavailable > 0 {
        bail!("{} of {} requests were rejected with 503", all.unavailable, all.requests);
    }
    Ok(())
}

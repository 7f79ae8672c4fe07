//! The three members of etcd, which represent machines of their own.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;

use super::cluster::Choices;
use super::files;
use super::http::{Call, Client};
use super::process::{Account, Process, command, find};

/// Timeout for the members to form a cluster.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Starts the members.
pub fn start(
    choices: &Choices,
    folder: &Path,
    account: Option<Account>,
    clients: [u16; 3],
    peers: [u16; 3],
) -> anyhow::Result<Vec<Process>> {
    let program = find("etcd")?;
    let start = |index: usize| {
        let name = format!("etcd{}", index + 1);
        let data = folder.join(&name);
        std::fs::create_dir_all(&data)?;
        account.map_or(Ok(()), |account| account.give(&data))?;
        let own = (clients[index], peers[index]);
        let mut command = command(&program, account);
        command.envs(files::etcd(&choices.root, &name, &data.join("data"), own, peers)?);
        Process::start(&name, &mut command, &folder.join(format!("{name}.log")))
    };
    (0..3).map(start).collect()
}

/// Waits until the members have agreed on a version, without which Patroni doesn't start.
pub async fn ready(clients: [u16; 3]) -> anyhow::Result<()> {
    let started_at = Instant::now();
    for port in clients {
        loop {
            let reply = Client::of(port).send(&Call::get("/version"), Duration::from_secs(1)).await;
            let version = reply.map(|reply| reply.body["etcdcluster"].clone()).unwrap_or_default();
            if version.as_str().is_some_and(|version| version.contains('.')) {
                break;
            }
            if started_at.elapsed() > TIMEOUT {
                bail!("etcd's members form no cluster within {} s", TIMEOUT.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

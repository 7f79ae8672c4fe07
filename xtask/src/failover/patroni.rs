//! The three database machines: their configuration, and their state as reported by Patroni.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use super::cluster::Choices;
use super::database::Database;
use super::files::Patroni;
use super::http::{Call, Client};
use super::node::Node;
use super::ports::Ports;
use super::process::Account;

/// Configures the three machines, without starting anything on them.
pub fn nodes(
    choices: &Choices,
    folder: &Path,
    account: Option<Account>,
    database: &Database,
    etcd: [u16; 3],
    ports: &mut Ports,
) -> anyhow::Result<Vec<Node>> {
    let (secrets, programs) = (Patroni::secrets()?, postgres_programs()?);
    let mut nodes = Vec::new();
    for (index, host) in database.hosts.into_iter().enumerate() {
        let name = format!("db{}", index + 1);
        let folder = folder.join(&name);
        let node = Node::new(&name, &folder, &choices.patroni, account, ports.next()?)?;
        let (postgres, relayed) = (ports.next()?, ports.three()?);
        node.link.relay(host, postgres)?;
        for (from, to) in relayed.into_iter().zip(etcd) {
            node.link.relay(from, to)?;
        }
        let patroni = Patroni {
            programs: &programs,
            etcd: relayed,
            etcd3: choices.etcd3,
            synchronous: choices.synchronous,
            secrets: &secrets,
            database,
        };
        node.configure(&patroni.file(&choices.root, index, &folder, (postgres, node.rest))?)?;
        nodes.push(node);
    }
    Ok(nodes)
}

/// Folder of the newest Postgres' programs.
fn postgres_programs() -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let numbers = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let newest = numbers
        .filter(|number| Path::new(&format!("/usr/lib/postgresql/{number}/bin/initdb")).is_file())
        .max()
        .context("there is no Postgres: apt-get install postgresql")?;
    Ok(PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin")))
}

/// State of one machine.
#[derive(Clone, Debug)]
pub struct Member {
    /// Name of the machine.
    pub name: String,
    role: String,
    state: String,
    timeline: Option<u64>,
    lag: Option<u64>,
}

impl Member {
    fn read(value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            role: text("role"),
            state: text("state"),
            timeline: value["timeline"].as_u64(),
            lag: value["lag"].as_u64(),
        }
    }

    /// True for the primary, where it accepts changes.
    pub fn leads(&self) -> bool {
        self.role == "leader" && self.state == "running"
    }

    /// True for the standby that changes wait for.
    pub fn is_synchronous(&self) -> bool {
        self.role == "sync_standby"
    }

    /// True for a standby on the primary's timeline with a lag below 1 MiB.
    pub fn follows(&self, leader: &Self) -> bool {
        matches!(self.role.as_str(), "replica" | "sync_standby")
            && matches!(self.state.as_str(), "running" | "streaming")
            && self.timeline == leader.timeline
            && self.lag.is_some_and(|lag| lag < 1024 * 1024)
    }
}

/// States of the machines, from the first one that responds.
pub async fn members(nodes: &[Node]) -> Vec<Member> {
    for node in nodes {
        let reply = Client::of(node.rest).send(&Call::get("/cluster"), Duration::from_millis(500)).await;
        let members = reply.ok().and_then(|reply| Some(reply.body["members"].as_array()?.clone()));
        if let Some(members) = members.filter(|members| !members.is_empty()) {
            return members.iter().map(Member::read).collect();
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Member;

    #[test]
    fn a_standby_follows_on_the_same_timeline() {
        let member = |role: &str, timeline: u64, lag: u64| {
            Member::read(
                &json!({ "name": "x", "role": role, "state": "running", "timeline": timeline, "lag": lag }),
            )
        };
        let leader = member("leader", 2, 0);
        assert!(leader.leads() && !leader.follows(&leader));
        assert!(member("sync_standby", 2, 0).follows(&leader));
        assert!(!member("replica", 1, 0).follows(&leader));
        assert!(!member("replica", 2, 5_000_000).follows(&leader));
    }
}

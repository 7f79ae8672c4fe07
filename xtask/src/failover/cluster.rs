//! The whole deployment on loopback ports: three etcd members, three database machines, two servers, HAProxy.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::database::Database;
use super::http::{Call, Client};
use super::node::Node;
use super::patroni::{self, Member, members};
use super::ports::{Ports, password};
use super::process::{Account, Process, command, find};
use super::server::{Server, create_admin, recipes};
use super::{etcd, files};

/// Timeout until the deployment is healthy, at the start and after each event.
const TIMEOUT: Duration = Duration::from_secs(150);

/// Programs and settings of the deployment.
#[derive(Clone, Debug)]
pub struct Choices {
    /// The checkout.
    pub root: PathBuf,
    /// The server's program.
    pub server: PathBuf,
    /// Patroni's program; patronictl lies beside it.
    pub patroni: PathBuf,
    /// Use etcd's third API.
    pub etcd3: bool,
    /// Make changes wait for a standby (`synchronous_mode`).
    pub synchronous: bool,
}

/// The deployment. Dropped, everything is killed, in the order of the fields.
#[derive(Debug)]
pub struct Cluster {
    haproxy: Process,
    /// The two servers.
    pub servers: Vec<Server>,
    /// The three database machines.
    pub nodes: Vec<Node>,
    etcd: Vec<Process>,
    /// HAProxy's port, for clients.
    pub port: u16,
    /// The first administrator's password.
    pub admin_password: String,
    choices: Choices,
    /// Folder of all files.
    pub folder: TempDir,
}

impl Cluster {
    /// Starts the deployment; returns when it is healthy.
    pub async fn start(choices: Choices) -> anyhow::Result<Self> {
        let account = Account::choose()?;
        let folder = tempfile::Builder::new()
            .prefix("rollcall-failover-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
            // Kept until success, because the logs may be needed.
            .disable_cleanup(true)
            .tempdir()?;
        println!("all files are in {}", folder.path().display());
        let mut ports = Ports::find(30)?;
        let clients = ports.three()?;
        let etcd = etcd::start(&choices, folder.path(), account, clients, ports.three()?)?;
        etcd::ready(clients).await?;
        let database = Database::new(&mut ports)?;
        let mut nodes = patroni::nodes(&choices, folder.path(), account, &database, clients, &mut ports)?;
        for node in &mut nodes {
            node.start()?;
        }
        println!("waiting for three database machines");
        settled(&mut nodes, choices.synchronous).await?;
        database.create().await?;
        let recipes = recipes(&choices, folder.path(), &database, [ports.next()?, ports.next()?])?;
        let admin_password = password()?;
        create_admin(&recipes[0].1, &admin_password)?;
        let servers = recipes
            .into_iter()
            .enumerate()
            .map(|(index, (port, recipe))| Server::start(&format!("app{}", index + 1), port, recipe));
        let servers = servers.collect::<anyhow::Result<Vec<Server>>>()?;
        for server in &servers {
            server.ready().await?;
        }
        let port = ports.next()?;
        let haproxy = haproxy(&choices, folder.path(), port, &servers)?;
        let mut cluster = Self { haproxy, servers, nodes, etcd, port, admin_password, choices, folder };
        cluster.reachable().await?;
        Ok(cluster)
    }

    /// States of the machines, as reported by Patroni.
    pub async fn members(&self) -> Vec<Member> {
        members(&self.nodes).await
    }

    /// Index of the primary.
    pub async fn primary(&self) -> anyhow::Result<usize> {
        let members = self.members().await;
        let leader = members.iter().find(|member| member.leads()).context("there is no primary")?;
        self.number(&leader.name)
    }

    /// Index of the synchronous standby.
    pub async fn synchronous_standby(&self) -> anyhow::Result<usize> {
        let members = self.members().await;
        let found =
            members.iter().find(|member| member.is_synchronous()).context("no standby is synchronous")?;
        self.number(&found.name)
    }

    fn number(&self, name: &str) -> anyhow::Result<usize> {
        self.nodes.iter().position(|node| node.name == name).with_context(|| format!("there is no {name}"))
    }

    /// Waits until a machine other than this one is the primary; returns its index.
    pub async fn another_primary(&self, than: usize) -> anyhow::Result<usize> {
        let started_at = Instant::now();
        loop {
            if let Ok(primary) = self.primary().await
                && primary != than
            {
                return Ok(primary);
            }
            if started_at.elapsed() > TIMEOUT {
                bail!("no other machine became the primary within {} s", TIMEOUT.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until all three machines are healthy and the servers are ready.
    pub async fn settled(&mut self) -> anyhow::Result<()> {
        settled(&mut self.nodes, self.choices.synchronous).await?;
        for server in &self.servers {
            server.ready().await?;
        }
        self.reachable().await
    }

    /// Makes Patroni switch over to a synchronous standby.
    pub async fn switch_over(&self) -> anyhow::Result<()> {
        let (from, to) = (self.primary().await?, self.synchronous_standby().await?);
        let program = self.choices.patroni.with_file_name("patronictl");
        let mut command = command(&program, Account::choose()?);
        command.arg("-c").arg(&self.nodes[from].config).args(["switchover", "rollcall", "--force"]);
        command.args(["--leader", &self.nodes[from].name, "--candidate", &self.nodes[to].name]);
        let output = tokio::process::Command::from(command).kill_on_drop(true).output().await?;
        if !output.status.success() {
            bail!("patronictl: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// Waits until a request through HAProxy succeeds.
    async fn reachable(&mut self) -> anyhow::Result<()> {
        let (started_at, mut client) = (Instant::now(), Client::of(self.port));
        loop {
            self.haproxy.check()?;
            let reply = client.send(&Call::get("/readyz"), Duration::from_secs(2)).await;
            if reply.is_ok_and(|reply| reply.status == 200) {
                return Ok(());
            }
            if started_at.elapsed() > TIMEOUT {
                bail!("HAProxy reaches no server after {} s", TIMEOUT.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Number of times that servers ended by themselves.
    pub fn servers_ended(&self) -> u32 {
        self.servers.iter().map(Server::ended).sum()
    }

    /// Fails where one of etcd's members has ended.
    pub fn check_etcd(&mut self) -> anyhow::Result<()> {
        self.etcd.iter_mut().try_for_each(Process::check)
    }
}

/// Waits for a primary and two standbys that follow it.
async fn settled(nodes: &mut [Node], synchronous: bool) -> anyhow::Result<()> {
    let started_at = Instant::now();
    loop {
        nodes.iter_mut().try_for_each(Node::check)?;
        let members = members(nodes).await;
        let leader = members.iter().find(|member| member.leads());
        let follow =
            members.iter().filter(|member| leader.is_some_and(|leader| member.follows(leader))).count();
        if follow == 2 && (!synchronous || members.iter().any(Member::is_synchronous)) {
            return Ok(());
        }
        if started_at.elapsed() > TIMEOUT {
            bail!("the database machines are not healthy after {} s: {members:?}", TIMEOUT.as_secs());
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn haproxy(choices: &Choices, folder: &Path, port: u16, servers: &[Server]) -> anyhow::Result<Process> {
    let ports: Vec<u16> = servers.iter().map(|server| server.port).collect();
    let ports = ports.try_into().map_err(|_| anyhow::anyhow!("there are two servers"))?;
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, files::haproxy(&choices.root, port, ports)?)?;
    let mut command = command(&find("haproxy")?, None);
    command.args(["-db", "-f"]).arg(&file);
    Process::start("HAProxy", &mut command, &folder.join("haproxy.log"))
}

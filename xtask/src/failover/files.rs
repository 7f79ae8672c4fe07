//! The configuration files of `server/deploy`, with this machine's addresses in place of a deployment's. So the published
//! files themselves are run: a text to replace that a file doesn't contain is an error.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::database::Database;
use super::ports::password;

/// Folder of the files in the checkout.
const FOLDER: &str = "server/deploy";

/// A configuration file.
#[derive(Debug)]
struct Template {
    name: PathBuf,
    text: String,
}

impl Template {
    /// Reads a file.
    fn read(root: &Path, name: &str) -> anyhow::Result<Self> {
        let name = root.join(FOLDER).join(name);
        let text = std::fs::read_to_string(&name).with_context(|| format!("reading {}", name.display()))?;
        Ok(Self { name, text })
    }

    /// Replaces all occurrences of a text.
    fn replace(mut self, from: &str, to: &str) -> anyhow::Result<Self> {
        if !self.text.contains(from) {
            bail!("{} does not contain {from:?}", self.name.display());
        }
        self.text = self.text.replace(from, to);
        Ok(self)
    }

    /// The whole text.
    fn text(self) -> String {
        self.text
    }

    /// The variables of a file of `NAME=value` lines.
    fn variables(&self) -> Vec<(String, String)> {
        let lines = self.text.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.into(), value.into()))
            .collect()
    }
}

/// Environment of a member of etcd.
pub fn etcd(
    root: &Path,
    name: &str,
    data: &Path,
    (client, peer): (u16, u16),
    peers: [u16; 3],
) -> anyhow::Result<Vec<(String, String)>> {
    let mut file = Template::read(root, "etcd.env")?
        .replace("ETCD_NAME=etcd1", &format!("ETCD_NAME={name}"))?
        .replace("/var/lib/etcd/rollcall", &data.display().to_string())?
        .replace("0.0.0.0:2380", &format!("127.0.0.1:{peer}"))?
        .replace("0.0.0.0:2379", &format!("127.0.0.1:{client}"))?
        .replace("PEER_URLS=http://etcd1:2380", &format!("PEER_URLS=http://127.0.0.1:{peer}"))?
        .replace("CLIENT_URLS=http://etcd1:2379", &format!("CLIENT_URLS=http://127.0.0.1:{client}"))?;
    for (index, port) in peers.iter().enumerate() {
        file =
            file.replace(&format!("http://etcd{}:2380", index + 1), &format!("http://127.0.0.1:{port}"))?;
    }
    Ok(file.variables())
}

/// Settings of Patroni.
#[derive(Debug)]
pub struct Patroni<'a> {
    /// The folder of Postgres' programs.
    pub programs: &'a Path,
    /// Ports of etcd's members, through this machine's relays.
    pub etcd: [u16; 3],
    /// Use etcd's third API.
    pub etcd3: bool,
    /// Make changes wait for a standby (`synchronous_mode`).
    pub synchronous: bool,
    /// Passwords of the roles for replication and rewinding.
    pub secrets: &'a [String; 2],
    /// The database's hosts and the superuser's password.
    pub database: &'a Database,
}

impl<'a> Patroni<'a> {
    /// Creates the passwords for replication and rewinding.
    pub fn secrets() -> anyhow::Result<[String; 2]> {
        Ok([password()?, password()?])
    }

    /// Configuration of the machine with this index and these ports.
    pub fn file(
        &self,
        root: &Path,
        index: usize,
        folder: &Path,
        (postgres, rest): (u16, u16),
    ) -> anyhow::Result<String> {
        let inside = |name: &str| folder.join(name).display().to_string();
        // Keeps Patroni from learning etcd's own ports, which bypass the relays.
        let etcd = format!(
            "hosts: {}\n  use_proxies: true",
            self.etcd.map(|port| format!("127.0.0.1:{port}")).join(",")
        );
        let synchronous = match self.synchronous {
            true => "synchronous_mode: true",
            // Promotes standbys that lag too, to show which changes are lost.
            false => "synchronous_mode: false\n    maximum_lag_on_failover: 1073741824",
        };
        let [replication, rewind] = self.secrets;
        let file = Template::read(root, "patroni.yml")?
            .replace("name: db1", &format!("name: db{}", index + 1))?
            .replace("\"*:8008\"", &format!("127.0.0.1:{rest}"))?
            .replace("db1:8008", &format!("127.0.0.1:{rest}"))?
            .replace("\netcd:\n", if self.etcd3 { "\netcd3:\n" } else { "\netcd:\n" })?
            .replace("hosts: etcd1:2379,etcd2:2379,etcd3:2379", &etcd)?
            .replace("synchronous_mode: true", synchronous)?
            .replace("\"*:5432\"", &format!("127.0.0.1:{postgres}"))?
            .replace("db1:5432", &format!("127.0.0.1:{}", self.database.hosts[index]))?
            .replace("/var/lib/postgresql/rollcall.pgpass", &inside("pgpass"))?
            .replace("/var/lib/postgresql/rollcall", &inside("data"))?
            .replace("/usr/lib/postgresql/15/bin", &self.programs.display().to_string())?
            .replace("/var/run/postgresql", &folder.display().to_string())?
            .replace("SUPERUSER_PASSWORD", &self.database.superuser)?
            .replace("REPLICATION_PASSWORD", replication)?
            .replace("REWIND_PASSWORD", rewind)?;
        Ok(file.text())
    }
}

/// Environment of a server on this port.
pub fn rollcall(root: &Path, port: u16, database: &Database) -> anyhow::Result<Vec<(String, String)>> {
    let mut file = Template::read(root, "rollcall.env")?
        .replace("0.0.0.0:8080", &format!("127.0.0.1:{port}"))?
        .replace("192.0.2.10", "127.0.0.1")?
        .replace("OWNER_PASSWORD", &database.owner)?
        .replace("SERVER_PASSWORD", &database.server)?;
    for (index, port) in database.hosts.into_iter().enumerate() {
        file = file.replace(&format!("db{}:5432", index + 1), &format!("127.0.0.1:{port}"))?;
    }
    Ok(file.variables())
}

/// HAProxy's configuration, with its port and the servers' ports.
pub fn haproxy(root: &Path, port: u16, servers: [u16; 2]) -> anyhow::Result<String> {
    let mut file =
        Template::read(root, "haproxy.cfg")?.replace("bind :80", &format!("bind 127.0.0.1:{port}"))?;
    for (index, port) in servers.into_iter().enumerate() {
        file = file.replace(&format!("app{}:8080", index + 1), &format!("127.0.0.1:{port}"))?;
    }
    Ok(file.text())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Patroni, Template, etcd, haproxy, rollcall};
    use crate::failover::database::Database;
    use crate::failover::ports::Ports;

    #[test]
    fn replacing_a_missing_text_fails() {
        let template = || Template { name: "x".into(), text: "# a\nA=db1:5432\nB=c=d\n".to_owned() };
        let replaced = template().replace("db1:5432", "127.0.0.1:1").unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(replaced.variables(), [pair("A", "127.0.0.1:1"), pair("B", "c=d")]);
        assert!(template().replace("db2", "x").unwrap_err().to_string().contains("db2"));
    }

    #[test]
    fn the_published_files_are_rewritten_for_this_machine() {
        let root = crate::checkout();
        let database = Database::new(&mut Ports::find(3).unwrap()).unwrap();
        let secrets = Patroni::secrets().unwrap();
        let patroni = Patroni {
            programs: Path::new("/x"),
            etcd: [1, 2, 3],
            etcd3: false,
            synchronous: true,
            secrets: &secrets,
            database: &database,
        };
        let lines = |variables: Vec<(String, String)>| {
            variables.into_iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>()
        };
        for text in [
            lines(etcd(&root, "etcd2", Path::new("/x"), (4, 5), [6, 5, 7]).unwrap()),
            patroni.file(&root, 1, Path::new("/x"), (8, 9)).unwrap(),
            lines(rollcall(&root, 10, &database).unwrap()),
            haproxy(&root, 11, [12, 13]).unwrap(),
        ] {
            let set = text.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
            for line in set {
                let left =
                    ["db1", "etcd1:", "etcd2:", "etcd3:", "app1:", "app2:", "_PASSWORD:", "/var/", "0.0.0.0"];
                assert!(!left.iter().any(|name| line.contains(name)), "{line}");
            }
        }
    }
}

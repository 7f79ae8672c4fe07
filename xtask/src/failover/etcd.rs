//! The three members of etcd, which stand for machines of their own.

use std::path::Path;

use super::cluster::Choices;
use super::files;
use super::process::{Account, Process, command, find};

/// Starts them.
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

//! A database machine: Patroni and its Postgres, and the failures of the machine.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::process::Signal;

use super::process::{Account, Process, await_end, command, family, signal};
use super::relay::Link;

/// A machine. Dropped, all its processes are killed.
#[derive(Debug)]
pub struct Node {
    /// Name in Patroni's configuration.
    pub name: String,
    /// Link to the other machines.
    pub link: Link,
    /// Port of Patroni's REST API.
    pub rest: u16,
    /// File of Patroni's configuration.
    pub config: PathBuf,
    folder: PathBuf,
    program: PathBuf,
    account: Option<Account>,
    patroni: Option<Process>,
}

impl Node {
    /// Creates a machine without processes. Its folder belongs to the account.
    pub fn new(
        name: &str,
        folder: &Path,
        program: &Path,
        account: Option<Account>,
        rest: u16,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        if let Some(account) = account {
            account.give(folder)?;
        }
        Ok(Self {
            name: name.to_owned(),
            link: Link::new(),
            rest,
            config: folder.join("patroni.yml"),
            folder: folder.to_owned(),
            program: program.to_owned(),
            account,
            patroni: None,
        })
    }

    /// Folder of Postgres' data.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Writes Patroni's configuration.
    pub fn configure(&self, text: &str) -> anyhow::Result<()> {
        use std::os::unix::fs::PermissionsExt;
        std::fs::write(&self.config, text).with_context(|| format!("writing {}", self.config.display()))?;
        std::fs::set_permissions(&self.config, std::fs::Permissions::from_mode(0o600))?;
        self.account.map_or(Ok(()), |account| account.give(&self.config))
    }

    /// Starts Patroni, which starts Postgres.
    pub fn start(&mut self) -> anyhow::Result<()> {
        let mut command = command(&self.program, self.account);
        command.arg(&self.config).env("HOME", &self.folder);
        let log = self.folder.join("patroni.log");
        self.patroni = Some(Process::start(&format!("Patroni on {}", self.name), &mut command, &log)?);
        Ok(())
    }

    /// Fails where Patroni has ended by itself.
    pub fn check(&mut self) -> anyhow::Result<()> {
        self.patroni.as_mut().map_or(Ok(()), Process::check)
    }

    /// Kills Patroni and all processes of Postgres, like a power failure.
    pub fn kill(&mut self) {
        let pids = self.pids();
        for pid in &pids {
            signal(*pid, Signal::KILL);
        }
        self.patroni = None;
        await_end(&pids);
    }

    /// Stops all processes with SIGSTOP. Connections stay open; the kernel even accepts new ones.
    pub fn freeze(&self) {
        // Twice, because a process may have started another meanwhile.
        for pid in self.pids().into_iter().chain(self.pids()) {
            signal(pid, Signal::STOP);
        }
    }

    /// Continues all processes with SIGCONT.
    pub fn thaw(&self) {
        for pid in self.pids() {
            signal(pid, Signal::CONT);
        }
    }

    /// On a standby, sends signals to the process that receives the write-ahead log.
    pub fn signal_receiver(&self, signals: &[Signal]) {
        for pid in self.pids() {
            let title = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&title).contains("walreceiver") {
                signals.iter().for_each(|one| signal(pid, *one));
            }
        }
    }

    /// All processes of the machine, Patroni first.
    fn pids(&self) -> Vec<u32> {
        let patroni = self.patroni.as_ref().map(Process::pid);
        let mut pids = Vec::new();
        for root in patroni.into_iter().chain(self.postmaster()) {
            for pid in family(root) {
                if !pids.contains(&pid) {
                    pids.push(pid);
                }
            }
        }
        pids
    }

    /// Process id of the postmaster, which is not a child of Patroni.
    fn postmaster(&self) -> Option<u32> {
        let data = self.data();
        let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let pid: u32 = text.lines().next()?.trim().parse().ok()?;
        // The file may be left over, and the id may belong to another process.
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&line).contains(data.to_str()?).then_some(pid)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

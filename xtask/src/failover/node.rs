//! A database machine: Patroni and the Postgres that it runs, and what can happen to them.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::process::Signal;

use super::process::{Account, Process, await_end, command, family, signal};
use super::relay::Link;

/// A machine. Dropped, everything on it is killed.
#[derive(Debug)]
pub struct Node {
    /// Its name, as in Patroni's configuration.
    pub name: String,
    /// Its link to the others.
    pub link: Link,
    /// Patroni's own port.
    pub rest: u16,
    /// Patroni's configuration.
    pub config: PathBuf,
    folder: PathBuf,
    program: PathBuf,
    account: Option<Account>,
    patroni: Option<Process>,
}

impl Node {
    /// A machine on which nothing runs yet. Its folder belongs to the account.
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

    /// Where Postgres keeps its data.
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

    /// Kills Patroni and all of Postgres, as a power failure would.
    pub fn kill(&mut self) {
        let pids = self.pids();
        for pid in &pids {
            signal(*pid, Signal::KILL);
        }
        self.patroni = None;
        await_end(&pids);
    }

    /// Stops everything on it in its tracks. Connections stay open; the kernel even takes new ones.
    pub fn freeze(&self) {
        // Twice: one may have begun another meanwhile.
        for pid in self.pids().into_iter().chain(self.pids()) {
            signal(pid, Signal::STOP);
        }
    }

    /// Lets it go on.
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

    /// Everything that runs on it, Patroni first.
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

    /// Postgres' main process, which is no child of Patroni's.
    fn postmaster(&self) -> Option<u32> {
        let data = self.data();
        let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
        let pid: u32 = text.lines().next()?.trim().parse().ok()?;
        // The file may be left over, and the number be somebody else's by now.
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&line).contains(data.to_str()?).then_some(pid)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

//! Processor time and memory of the server and of its Postgres, read from `/proc`. Linux only.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Linux counts processor time in hundredths of a second on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

/// Fields of `/proc/<pid>/stat`.
struct Stat {
    name: String,
    parent: u32,
    /// User and system time, in ticks.
    own: u64,
    /// User and system time of children that have ended and were waited for, in ticks.
    ended_children: u64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may contain parentheses itself.
    let (head, rest) = text.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        name,
        parent: u32::try_from(number(1)?).ok()?,
        own: number(11)? + number(12)?,
        ended_children: number(13)? + number(14)?,
    })
}

fn children(parent: u32) -> Vec<(u32, Stat)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?))).filter(|(_, stat)| stat.parent == parent).collect()
}

/// Processor time of the server, of its Postgres and of this process, in seconds since their start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    /// The server.
    pub server: f64,
    /// Postgres with all its processes.
    pub postgres: f64,
    /// This process, which generates the load.
    pub driver: f64,
}

impl Cpu {
    /// Reads the current values; `server` may be any process that serves requests.
    pub fn now(server: u32, postgres: Option<u32>) -> Self {
        let own = |pid| stat(pid).map_or(0, |stat| stat.own);
        let database = postgres.map_or(0, |pid| {
            let main = stat(pid).map_or(0, |stat| stat.own + stat.ended_children);
            main + children(pid).iter().map(|(_, stat)| stat.own).sum::<u64>()
        });
        let seconds = |ticks: u64| ticks as f64 / TICKS_PER_SECOND;
        Self {
            server: seconds(own(server)),
            postgres: seconds(database),
            driver: seconds(own(std::process::id())),
        }
    }

    /// Difference to an earlier reading.
    pub fn since(self, before: Self) -> Self {
        Self {
            server: self.server - before.server,
            postgres: self.postgres - before.postgres,
            driver: self.driver - before.driver,
        }
    }
}

/// Current and peak resident memory in MiB.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// `VmRSS`.
    pub resident: f64,
    /// `VmHWM`.
    pub peak: f64,
}

/// Reads the memory of a process.
pub fn memory(pid: u32) -> anyhow::Result<Memory> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
    };
    let (resident, peak) = (field("VmRSS"), field("VmHWM"));
    Ok(Memory { resident: resident.context("no VmRSS")?, peak: peak.context("no VmHWM")? })
}

/// The private Postgres of a server.
#[derive(Clone, Debug)]
pub struct Postgres {
    /// Process id of the postmaster.
    pub pid: u32,
    /// The folder of its socket.
    pub socket: PathBuf,
    /// The folder of its data.
    pub data: PathBuf,
    /// The folder of its programs.
    pub programs: PathBuf,
}

/// Finds the Postgres that a server started, and reads its folders from its command line.
pub fn postgres_of(server: u32) -> anyhow::Result<Postgres> {
    let Some((pid, _)) = children(server).into_iter().find(|(_, stat)| stat.name == "postgres") else {
        bail!("the server runs no Postgres of its own");
    };
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).context("the database is gone")?;
    let arguments: Vec<String> = line
        .split(|byte| *byte == 0)
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect();
    let after = |flag: &str| {
        let place = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(place + 1).cloned()
    };
    let socket = arguments.iter().find_map(|argument| argument.strip_prefix("unix_socket_directories="));
    let program =
        std::fs::read_link(format!("/proc/{pid}/exe")).context("the database's program is unknown")?;
    Ok(Postgres {
        pid,
        socket: PathBuf::from(socket.context("the database's socket is unknown")?.trim_matches('"')),
        data: PathBuf::from(after("-D").context("the database's folder is unknown")?),
        programs: program.parent().unwrap_or(Path::new("/")).to_owned(),
    })
}

/// Load average of the last minute.
pub fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::{Cpu, memory, stat};

    #[test]
    fn the_values_of_this_process_are_read() {
        let own = std::process::id();
        assert!(stat(own).is_some_and(|stat| stat.parent > 0));
        assert!(memory(own).is_ok_and(|memory| memory.peak >= memory.resident * 0.5));
        let before = Cpu::now(own, None);
        assert!(Cpu::now(own, None).since(before).server >= 0.0);
    }
}

//! `postmaster.pid`: which process runs the database, and whether it still does.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};
use slog::{Logger, warn};

use super::account::Account;

const NAME: &str = "postmaster.pid";

/// What Postgres wrote down about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    pub pid: i32,
    pub socket_dir: PathBuf,
}

impl PidFile {
    /// Reads the file of a cluster; None when there is none or it isn't whole yet.
    pub fn read(cluster: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(cluster.join(NAME)).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        // Then the data folder, the time of the start, the port, the socket's folder.
        let socket_dir = lines.nth(3)?.trim();
        (!socket_dir.is_empty()).then(|| Self { pid, socket_dir: PathBuf::from(socket_dir) })
    }
}

/// Whether the process exists and isn't a zombie.
pub(super) fn is_alive(pid: i32) -> bool {
    let Some(process) = Pid::from_raw(pid) else {
        return false;
    };
    let exists = !matches!(test_kill_process(process), Err(rustix::io::Errno::SRCH));
    exists && !is_zombie(pid)
}

fn is_zombie(pid: i32) -> bool {
    // `pid (name) state …`; the name may hold anything, so look behind its last parenthesis.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z')))
}

/// Removes the lock files of a database that died, where Postgres itself can't tell: its number belongs to a
/// zombie that nobody reaps, or to another process by now. Does so only when certain that no process works in the
/// cluster, which only Linux can say.
pub(super) fn remove_if_deserted(cluster: &Path, socket_dir: &Path, account: &Account, log: &Logger) {
    if !cluster.join(NAME).exists() || !is_deserted(cluster, account) {
        return;
    }
    warn!(log, "removing the lock of a database that no longer runs"; "folder" => %cluster.display());
    for path in [cluster.join(NAME), socket_dir.join(".s.PGSQL.5432.lock"), socket_dir.join(".s.PGSQL.5432")]
    {
        if let Err(error) = std::fs::remove_file(&path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            warn!(log, "a stale lock file stays"; "file" => %path.display(), "error" => %error);
        }
    }
}

/// Whether no live process of the database's user has the cluster as its working folder, where all of Postgres'
/// processes stay.
fn is_deserted(cluster: &Path, account: &Account) -> bool {
    use std::os::unix::fs::MetadataExt;
    let Ok(processes) = Path::new("/proc").read_dir() else {
        return false;
    };
    let mut seen_any = false;
    for process in processes.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        seen_any = true;
        let Ok(metadata) = process.metadata() else { continue };
        if metadata.uid() != account.uid || is_zombie(pid) {
            continue;
        }
        match std::fs::read_link(process.path().join("cwd")) {
            Ok(folder) if folder != cluster => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            _ => return false,
        }
    }
    seen_any
}

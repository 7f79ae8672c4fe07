//! `postmaster.pid`, the lock file of a running database, and its removal where the database has died.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};
use slog::{Logger, warn};

use super::account::Account;

const NAME: &str = "postmaster.pid";

/// Contents of the file, as far as they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PidFile {
    pub pid: i32,
    pub socket_dir: PathBuf,
}

impl PidFile {
    /// Reads the file of a cluster; `None` when it is missing or incomplete.
    pub fn read(cluster: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(cluster.join(NAME)).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        // The next lines are the data folder, the time of the start, the port, the socket's folder.
        let socket_dir = lines.nth(3)?.trim();
        (!socket_dir.is_empty()).then(|| Self { pid, socket_dir: PathBuf::from(socket_dir) })
    }
}

/// True if the process exists and is not a zombie.
pub(super) fn is_alive(pid: i32) -> bool {
    let Some(process) = Pid::from_raw(pid) else {
        return false;
    };
    let exists = !matches!(test_kill_process(process), Err(rustix::io::Errno::SRCH));
    exists && !is_zombie(pid)
}

fn is_zombie(pid: i32) -> bool {
    // `pid (name) state …`; the name may contain parentheses, so the state follows the last one.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z')))
}

/// Removes the lock files of a database that died, where Postgres itself doesn't: its process id belongs to a zombie that
/// is not reaped, or to another process. Does so only when certain that no process works in the cluster, which takes
/// Linux' `/proc`.
pub(super) fn remove_if_deserted(cluster: &Path, socket_dir: &Path, account: &Account, log: &Logger) {
    if !cluster.join(NAME).exists() || !is_deserted(cluster, account) {
        return;
    }
    warn!(log, "removing the lock files of a database that no longer runs"; "folder" => %cluster.display());
    for path in [cluster.join(NAME), socket_dir.join(".s.PGSQL.5432.lock"), socket_dir.join(".s.PGSQL.5432")]
    {
        if let Err(error) = std::fs::remove_file(&path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            warn!(log, "removing a stale lock file failed"; "file" => %path.display(), "error" => %error);
        }
    }
}

/// True if no live process of the database's user has the cluster as its working directory, as all of Postgres'
/// processes have.
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

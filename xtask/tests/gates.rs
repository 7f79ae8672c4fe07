//! Tests of `cargo xtask generate --check`: each generated file is changed in a copy, and the check must fail.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const GENERATED: &[&str] = &[
    "openapi/rollcall.json",
    "openapi/operations.txt",
    "openapi/error-codes.txt",
    "openapi/finding.md",
    "client/src/generated.rs",
    "client/src/values.rs",
];

/// Copies the generated files, and the files that the generation reads, to a temporary folder.
fn copy() -> TempDir {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = TempDir::new().unwrap();
    for file in GENERATED.iter().chain(&["rustfmt.toml"]) {
        let target = folder.path().join(file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(checkout.join(file), target).unwrap();
    }
    folder
}

/// Runs `xtask generate`; returns its success and its output.
fn generate(folder: &TempDir, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("generate")
        .args(arguments)
        .arg("--root")
        .arg(folder.path())
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn check_passes_on_the_checkout() {
    let (passed, said) = generate(&copy(), &["--check"]);
    assert!(passed, "{said}");
}

#[test]
fn check_fails_on_each_stale_file_and_names_the_command_that_updates_it() {
    let folder = copy();
    for file in GENERATED {
        let path = folder.path().join(file);
        let whole = fs::read_to_string(&path).unwrap();
        let middle = whole.lines().count() / 2;
        let missing: String = whole
            .lines()
            .enumerate()
            .filter(|(number, _)| *number != middle)
            .map(|(_, line)| format!("{line}\n"))
            .collect();
        for broken in [missing, format!("{whole}\n"), String::new()] {
            fs::write(&path, &broken).unwrap();
            let (passed, said) = generate(&folder, &["--check"]);
            assert!(!passed, "{file}: {said}");
            assert!(
                said.contains(&format!("stale: {file};")) && said.contains("cargo xtask generate"),
                "{said}"
            );
            assert!(said.lines().count() < 40, "the diff is not short: {said}");
            assert_eq!(fs::read_to_string(&path).unwrap(), broken, "a check changes nothing");
        }
        fs::remove_file(&path).unwrap();
        assert!(!generate(&folder, &["--check"]).0, "{file} is missing");
        fs::write(&path, whole).unwrap();
    }
}

#[test]
fn generate_updates_stale_files() {
    let folder = copy();
    for file in GENERATED {
        fs::write(folder.path().join(file), "stale\n").unwrap();
    }
    assert!(generate(&folder, &[]).0);
    let (passed, said) = generate(&folder, &["--check"]);
    assert!(passed, "{said}");
}

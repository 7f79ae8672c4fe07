//! Generates the list of the files in `openapi/examples`, so that a new example needs no change to Rust code.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/examples");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let name = entry?
            .file_name()
            .into_string()
            .map_err(|name| io::Error::other(format!("{name:?} is not UTF-8")))?;
        if let Some(name) = name.strip_suffix(".json") {
            names.push(name.to_owned());
        }
    }
    // Sorted for reproducible builds.
    names.sort();
    let mut code = String::from("pub(super) const ALL: &[(&str, &str)] = &[\n");
    for name in names {
        let file = folder.join(format!("{name}.json"));
        code.push_str(&format!("    ({name:?}, include_str!({file:?})),\n"));
    }
    code.push_str("];\n");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    fs::write(Path::new(&out).join("examples.rs"), code)
}

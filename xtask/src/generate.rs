//! The generated files: computed from the contract crate alone, written or compared. The same input gives the same bytes.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use rollcall_api::{document, error};
use similar::TextDiff;

use crate::client;

/// Command that updates the generated files.
pub const FIX_COMMAND: &str = "cargo xtask generate";

/// Maximum number of lines of a stale file's diff that are shown.
const DIFF_LINES: usize = 24;

/// A generated file: its path in the checkout and its content.
struct Generated {
    path: &'static str,
    content: String,
}

fn all(root: &Path) -> anyhow::Result<Vec<Generated>> {
    Ok(vec![
        Generated { path: "openapi/rollcall.json", content: document::text() },
        Generated { path: "openapi/operations.txt", content: document::operations_table() },
        Generated { path: "openapi/error-codes.txt", content: error::table() },
        Generated { path: "openapi/finding.md", content: document::finding::page() },
        Generated { path: "client/src/generated.rs", content: client::code(root)? },
        Generated { path: "client/src/values.rs", content: client::values::code(root)? },
    ])
}

/// Writes every generated file that is out of date.
pub fn write(root: &Path) -> anyhow::Result<()> {
    for Generated { path, content } in all(root)? {
        let file = root.join(path);
        if fs::read_to_string(&file).ok().as_deref() == Some(content.as_str()) {
            println!("unchanged  {path}");
            continue;
        }
        fs::create_dir_all(file.parent().unwrap_or(root)).with_context(|| format!("{path}: no folder"))?;
        fs::write(&file, content).with_context(|| format!("{path} can't be written"))?;
        println!("written    {path}");
    }
    Ok(())
}

/// Compares every generated file with its expected content. Prints diffs, and fails with the command that updates the files.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let mut stale = Vec::new();
    for Generated { path, content } in all(root)? {
        // Git may have changed the line ends on the way into a Windows checkout.
        let found = fs::read_to_string(root.join(path)).unwrap_or_default().replace("\r\n", "\n");
        if found != content {
            println!("{}", difference(path, &found, &content));
            stale.push(path);
        }
    }
    if !stale.is_empty() {
        bail!("stale: {}; run `{FIX_COMMAND}` and commit the result", stale.join(", "));
    }
    Ok(())
}

fn difference(path: &str, found: &str, wanted: &str) -> String {
    let diff = TextDiff::from_lines(found, wanted);
    let unified = diff.unified_diff().context_radius(1).header(path, "as generated").to_string();
    let lines: Vec<&str> = unified.lines().collect();
    let mut text = lines[..lines.len().min(DIFF_LINES)].join("\n");
    if lines.len() > DIFF_LINES {
        text.push_str(&format!("\n… and {} more lines", lines.len() - DIFF_LINES));
    }
    text
}

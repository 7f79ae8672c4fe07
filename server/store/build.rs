//! Rebuilds the crate when a migration is added or changed: migrations are compiled into it.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}

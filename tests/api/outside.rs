//! The README's example, from a crate that depends on the client alone.

use crate::support::people::ADMINISTRATOR;
use crate::support::{PASSWORD, TestServer};

const PROGRAM: &str = include_str!("../outside/src/lib.rs");

#[tokio::test]
async fn user_update_and_the_rest_of_the_readme_work_from_outside() {
    let server = TestServer::start().await;
    let names = rollcall_outside::story(&server.url(), ADMINISTRATOR, PASSWORD).await.unwrap();
    assert_eq!(names, ["ada", ADMINISTRATOR]);
    let ada = server.admin().await.user_view().user("@ada").send().await.unwrap();
    assert_eq!((ada.name.as_deref(), &ada.phone), (Some("Ada King"), &None));
}

#[test]
fn the_readme_contains_the_outside_program_and_it_is_short() {
    let (_, program) = PROGRAM.split_once("\n\n").unwrap();
    assert!(
        include_str!("../../README.md").contains(&format!("```rust\n{program}```\n")),
        "README.md differs"
    );
    assert!(PROGRAM.lines().count() <= 40, "{} lines", PROGRAM.lines().count());
    for clumsy in ["try_from", "map_err", "unwrap", "expect", "Nullable", "to_string"] {
        assert!(!program.contains(clumsy), "{clumsy}");
    }
    let manifest: toml::Table = include_str!("../outside/Cargo.toml").parse().unwrap();
    assert_eq!(manifest["dependencies"].as_table().unwrap().keys().collect::<Vec<_>>(), ["rollcall-client"]);
}

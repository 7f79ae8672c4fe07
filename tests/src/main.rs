//! The program that the tests start: the real server, so that it can be killed, or the keeper of the tests' Postgres.

mod keeper;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next(), arguments.next()) {
        (Some(word), Some(folder)) if word == "keep-postgres" => keeper::keep(folder.as_ref()),
        _ => rollcall_server::cli::main(),
    }
}

//! The server's binary. Everything is in the library, so that tests reach it: see [`rollcall_server::cli`].

fn main() -> std::process::ExitCode {
    rollcall_server::cli::main()
}

//! The server's binary. All code is in the library, where tests can use it: see [`rollcall_server::cli`].

fn main() -> std::process::ExitCode {
    rollcall_server::cli::main()
}

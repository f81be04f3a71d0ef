//! xtask with the faults of whoever speaks TLS, which starts it when it needs them.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    xtask::run()
}

//! Runs the ladder. See `cargo xtask --help`.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    xtask::run()
}

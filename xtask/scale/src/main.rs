//! Several servers behind a real load balancer, restarted one by one under load: `cargo
//! xtask demo scale`.
#![forbid(unsafe_code)]

#[cfg(unix)]
mod haproxy;
#[cfg(unix)]
mod play;

use std::env;
use std::process::ExitCode;

use ladder::process::end_all_on_signals;
use ladder::{Failure, Screen};
#[cfg(unix)]
use play::run;

fn main() -> ExitCode {
    let plain = env::args().any(|arg| arg == "--plain");
    let screen = if plain { Screen::new().plain() } else { Screen::new() };
    Failure::exit_code(end_all_on_signals().and_then(|()| run(&screen)))
}

/// HAProxy has no version for Windows.
#[cfg(not(unix))]
fn run(_: &Screen) -> Result<(), Failure> {
    Err(Failure::Skipped("this demo needs HAProxy, which Windows does not have".into()))
}

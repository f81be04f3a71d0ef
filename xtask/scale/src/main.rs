//! Several servers behind a real load balancer: restarted one by one under load, `cargo xtask
//! demo scale`, or killed, `cargo xtask demo omni --engine nats`.
#![forbid(unsafe_code)]

#[cfg(unix)]
mod drafts;
#[cfg(unix)]
mod haproxy;
#[cfg(unix)]
mod nats;
#[cfg(unix)]
mod play;

use std::env;
use std::process::ExitCode;

use ladder::process::end_all_on_signals;
use ladder::{Failure, Screen};

fn main() -> ExitCode {
    let plain = env::args().any(|arg| arg == "--plain");
    let screen = if plain { Screen::new().plain() } else { Screen::new() };
    // As `cargo xtask demo omni --engine nats` calls it.
    let of_drafts = env::args().any(|arg| arg == "--drafts");
    Failure::exit_code(end_all_on_signals().and_then(|()| run(of_drafts, &screen)))
}

#[cfg(unix)]
fn run(of_drafts: bool, screen: &Screen) -> Result<(), Failure> {
    if of_drafts { drafts::run(screen) } else { play::run(screen) }
}

/// HAProxy has no version for Windows.
#[cfg(not(unix))]
fn run(_: bool, _: &Screen) -> Result<(), Failure> {
    Err(Failure::Skipped("this demo needs HAProxy, which Windows does not have".into()))
}

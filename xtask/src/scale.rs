//! Several servers behind a real load balancer, restarted one by one under load: `cargo
//! xtask demo scale`.

#[cfg(unix)]
mod haproxy;
#[cfg(unix)]
mod play;

use crate::Failure;
use crate::screen::Screen;

/// The name of this demo, which no rung has.
pub const NAME: &str = "scale";

/// Plays it. Fails unless every request was answered while every server was restarted.
#[cfg(unix)]
pub fn run(screen: &Screen) -> Result<(), Failure> {
    play::run(screen)
}

/// HAProxy has no version for Windows.
#[cfg(not(unix))]
pub fn run(_: &Screen) -> Result<(), Failure> {
    Err(Failure::Skipped("this demo needs HAProxy, which Windows does not have".into()))
}

//! The rungs as the tools and the tests see them, each thing in one place, which the first
//! line of each module names.
#![forbid(unsafe_code)]

pub mod blocks;
pub mod code;
pub mod collected;
pub mod exercises;
pub mod failure;
pub mod files;
pub mod git;
#[cfg(unix)]
mod heir;
pub mod log_line;
pub mod manifests;
pub mod near;
pub mod port;
pub mod process;
pub mod programs;
pub mod ready;
pub mod rename;
pub mod scratch;
pub mod screen;
pub mod shell;
pub mod step;
pub mod svg;
pub mod workers;

pub use failure::Failure;
pub use manifests::{Ladder, Rung};
pub use netcore::address::Address;
pub use process::Process;
pub use screen::{Screen, Tone};

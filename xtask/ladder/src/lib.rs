//! The rungs as the tools and the tests see them, each thing in one place.
//!
//! | module | idea |
//! |---|---|
//! | [`manifests`] | the packages and the rungs among them, read from `cargo metadata` once |
//! | [`programs`] | their programs, built and found |
//! | [`process`] | a process that ends with whoever started it, whatever the way out |
//! | [`address`](mod@address) | where a server listens: a port, or a file |
//! | [`port`] | a port that stays free when its server ends |
//! | [`scratch`] | a folder that does the same |
//! | [`collected`] | what a process writes, so that one can wait for a part of it |
//! | [`ready`] | the line that says where a server listens |
//! | [`files`] | files read and written, with what went wrong in words |
//! | [`log_line`] | the lines of its log |
//! | [`step`] | the step from one rung to the next |
//! | [`git`] | differences |
//! | [`code`] | what counts as a line of code |
//! | [`rename`] | the name of a rung in its own files |
//! | [`shell`] | commands as a person types them |
//! | [`screen`] | the terminal: its width, its colours |
//! | [`svg`] | pictures |
//! | [`blocks`] | the generated blocks of a page |
//! | [`failure`](mod@failure) | what ends a tool before its time |
#![forbid(unsafe_code)]

pub mod address;
pub mod blocks;
pub mod code;
pub mod collected;
pub mod failure;
pub mod files;
pub mod git;
#[cfg(unix)]
mod heir;
pub mod log_line;
pub mod manifests;
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

pub use address::Address;
pub use failure::Failure;
pub use manifests::{Ladder, Rung};
pub use process::Process;
pub use screen::Screen;

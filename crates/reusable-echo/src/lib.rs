//! Echo server that serves one client after another: the accept loop, and errors that
//! end a client but not it.
//!
//! [`server`] accepts in a loop that a stop ends; [`client`] exchanges several messages
//! on one connection.
//!
//! Still wrong: a client that connects and says nothing holds the server for ever
//! (`timeout-echo`). A second client waits until the first has gone (`threaded-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use clap::Args;

pub mod client;
pub mod server;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 9090;

/// Bytes that one call reads at most. Any size is right; 64 KiB keeps the number of
/// calls low in bulk.
pub const BUFFER: usize = 64 << 10;

/// What the server can be told.
#[derive(Debug, Clone, Default, Args)]
pub struct Options {
    /// Answer in upper case (ASCII letters only)
    #[arg(long)]
    pub upper: bool,
}

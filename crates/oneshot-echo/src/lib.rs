//! Echo server that serves one client and ends: the whole life of a TCP connection,
//! call by call.
//!
//! [`server`] spells out socket, bind, listen and accept; [`client`] half-closes and
//! reads to the end.
//!
//! Still wrong: one client, one exchange, then the server has gone (`reusable-echo`).
//! A client that connects and says nothing holds it for ever (`timeout-echo`).
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

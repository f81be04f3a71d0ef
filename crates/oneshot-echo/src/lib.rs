//! Echo server that serves one client and ends: the whole life of a TCP connection, call
//! by call.
//!
//! [`server`] spells out socket, bind, listen and accept; [`client`] half-closes and
//! reads to the end.
//!
//! Still wrong: one client, then the server is gone; any error is the end; a message
//! larger than the buffers between the two ends makes both wait for ever; the port is busy
//! for a minute where the server was the first to close (`reusable-echo`). Ctrl-C cuts a
//! reply in half (`stopping-echo`). A client that connects and says nothing holds the
//! server for ever (`timeout-echo`).
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

/// What the server does: the place for what a server of your own knows. A field that is
/// no option has `#[arg(skip)]` above it, and one that changes is behind a lock.
#[derive(Debug, Default, Args)]
pub struct Echo {
    /// Answer in upper case (ASCII letters only)
    #[arg(long)]
    pub upper: bool,
}

impl Echo {
    /// Turns what was received into the reply: the place for what a server of your own
    /// does.
    pub fn reply(&self, bytes: &mut [u8]) {
        if self.upper {
            // ASCII only, so that UTF-8 text stays whole wherever the stream has cut it.
            bytes.make_ascii_uppercase();
        }
    }
}

//! Echo server that serves one client after another: the accept loop, and errors that
//! end a client but not it.
//!
//! [`server`] accepts in a loop; [`client`] exchanges several messages on one connection,
//! of any length.
//!
//! Still wrong: Ctrl-C cuts a reply in half, and a shortage of descriptors is the end
//! (`stopping-echo`). A client that connects and says nothing holds the server for ever
//! (`timeout-echo`). A second client waits until the first is gone (`threaded-echo`).
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

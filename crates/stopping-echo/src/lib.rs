//! Echo server that ends in good order: a signal wakes whatever waits, work in hand ends,
//! and nothing that was sent is lost.
//!
//! [`server`] accepts and reads until a stop; how it closes a connection is in
//! `netcore::connection`.
//!
//! Still wrong: a client that connects and says nothing holds the server for ever
//! (`timeout-echo`). A second client waits until the first is gone (`threaded-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use clap::Args;

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

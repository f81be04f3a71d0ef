//! Echo server with a task for each client: it reads like threads, and waits like an event
//! loop.
//!
//! [`server`] spawns a task for each connection, up to a bound; a task that waits holds no
//! thread.
//!
//! Still wrong: as with every byte echo, where a message ends is anybody's guess
//! (`framed-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use clap::Args;
use netcore::cli::{Limits, count};

pub mod server;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 9090;

/// Bytes that one call reads at most. Any size is right; 64 KiB keeps the number of
/// calls low in bulk.
pub const BUFFER: usize = 64 << 10;

/// What the server does: the place for what a server of your own knows. A field that is
/// no option has `#[arg(skip)]` above it, and one that changes is behind a lock.
#[derive(Debug, Args)]
pub struct Echo {
    /// Answer in upper case (ASCII letters only)
    #[arg(long)]
    pub upper: bool,
    /// For how long a client is kept.
    #[command(flatten)]
    pub limits: Limits,
    /// Serve at most so many clients at once; more wait in the backlog
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 20_000)]
    pub max_clients: usize,
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

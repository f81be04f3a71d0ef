//! Echo server with a thread for each client: nobody waits for another client's silence.
//!
//! [`server`] spawns a thread for each connection, up to a bound.
//!
//! Still wrong: a thread is born for each connection, which costs more than a short
//! connection itself (`pooled-echo`). Each idle client holds a thread and its stack
//! (`poll-echo`, `async-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::time::Duration;

use clap::Args;
use netcore::cli::{Limits, count, duration};

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
    /// End when no client has come for this long [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub accept_timeout: Option<Duration>,
    /// For how long a client is kept.
    #[command(flatten)]
    pub limits: Limits,
    /// Serve at most so many clients at once; more wait in the backlog
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 1000)]
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

//! Echo server on a UNIX socket: a file for an address, for whom the file lets in.
//!
//! [`server`] knows who has connected before it reads a byte.
//!
//! Still wrong: a second client waits until the first is gone or dropped
//! (`threaded-echo`). It is for one machine: beyond it, who somebody is has to be proven
//! (`tls-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::time::Duration;

use clap::Args;
use netcore::cli::{Limits, duration};

pub mod server;

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
    /// Serve only this user, by number; may be given again [default: whoever may open the
    /// file]
    #[arg(long, value_name = "UID")]
    pub allow_uid: Vec<u32>,
}

impl Echo {
    /// Whether this user is served.
    pub fn lets_in(&self, uid: u32) -> bool {
        self.allow_uid.is_empty() || self.allow_uid.contains(&uid)
    }

    /// Turns what was received into the reply: the place for what a server of your own
    /// does.
    pub fn reply(&self, bytes: &mut [u8]) {
        if self.upper {
            // ASCII only, so that UTF-8 text stays whole wherever the stream has cut it.
            bytes.make_ascii_uppercase();
        }
    }
}

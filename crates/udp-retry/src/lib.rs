//! Numbered requests over UDP: sent again until they are answered.
//!
//! [`client`] sends a request again when no reply comes, and waits longer each time
//! ([`tries`]). A number in each ([`netcore::request`]) tells its reply from a late one
//! to an earlier request. [`server`] hands the number back.
//!
//! Still wrong: a request whose reply was lost runs again (`udp-once`). To show it, the
//! server numbers what it runs. And half a second is too long to wait on a fast network
//! and too short on a slow one (`udp-reliable`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::num::NonZeroU8;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use netcore::cli::{count, duration};

pub mod client;
pub mod server;
pub mod tries;

/// The port of the server, unless told otherwise. Not that of `udp-echo`, which speaks
/// another protocol.
pub const PORT: u16 = 50008;

/// What the server does: the place for what a server of your own knows. A field that is
/// no option has `#[arg(skip)]` above it, and one that changes is behind a lock.
#[derive(Debug, Default, Args)]
pub struct Echo {
    /// Requests that have run so far.
    #[arg(skip)]
    runs: AtomicU64,
}

impl Echo {
    /// Turns what was received into the reply. This one is to be seen running, so each
    /// run takes the next number.
    pub fn reply(&self, received: &[u8]) -> Vec<u8> {
        let run = self.runs.fetch_add(1, Ordering::Relaxed) + 1;
        // Bytes, not text: a datagram that is not UTF-8 is no reason to stop.
        [format!("{run}: ").as_bytes(), received].concat()
    }
}

/// How long the client waits, and how often it asks.
#[derive(Debug, Clone, Args)]
pub struct Patience {
    /// Wait this long for a reply at first, and twice as long at each further try
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "500ms")]
    pub timeout: Duration,
    /// Send a message up to this many times, at most 255
    #[arg(long, value_name = "N", value_parser = count::<NonZeroU8>, default_value = "4")]
    pub tries: NonZeroU8,
}

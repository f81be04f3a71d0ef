//! Numbered requests over UDP: sent again until they are answered, and run at most once.
//!
//! [`server`] runs a request when it comes first and answers from memory when it comes
//! again. To show it, the server numbers what it runs: a request that ran twice
//! would have used up two numbers. [`client`] is that of `udp-retry`.
//!
//! Still wrong: half a second is too long to wait on a fast network and too short on a
//! slow one (`udp-reliable`). A server that restarts has forgotten what it has run.
//! Nobody is authenticated and nothing is encrypted (QUIC and DTLS do both): who forges
//! addresses can use up the memory, and then no new address is served.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::num::NonZeroU8;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use netcore::cli::{count, duration};
use netcore::request::MAX_PAYLOAD;
use netcore::shares::Bounds;

pub mod client;
pub mod server;
pub mod tries;

/// The port of the server, unless told otherwise. Not that of `udp-echo`, which speaks
/// another protocol.
pub const PORT: u16 = 50008;

/// Bytes that a message may have: what is left of a reply behind the longest number, 20
/// digits, a colon and a space. A request whose reply could not be sent must not run.
pub const MAX_MESSAGE: usize = MAX_PAYLOAD - 22;

/// What the server does: the place for what a server of your own knows. A field that is
/// no option has `#[arg(skip)]` above it, and one that changes is behind a lock.
#[derive(Debug, Default, Args)]
pub struct Echo {
    /// Requests that have run so far.
    #[arg(skip)]
    pub runs: AtomicU64,
    /// What may be remembered.
    #[command(flatten)]
    pub bounds: Bounds,
}

impl Echo {
    /// Turns what was received into the reply. This one is to be seen running, so each
    /// run takes the next number, and would take another one if it ran again.
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

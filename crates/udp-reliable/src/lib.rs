//! Requests over UDP whose waits follow the network, and that run at most once.
//!
//! [`client`] sends a request again when its reply is late, by what it has measured
//! of the round trips before ([`timer`]). [`server`] runs a request when it comes
//! first and answers from memory when it comes again.
//!
//! Still wrong: a server that restarts has forgotten what it has run. The numbers keep
//! out accidents and those who cannot see the traffic, but nobody is authenticated and
//! nothing is encrypted (QUIC and DTLS do both): who forges addresses can use up the
//! memory, and then no new address is served. One message at a time waits for its round
//! trip.
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
pub mod timer;

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
    /// Wait this long for the first reply; from then on, as long as the round trips
    /// that were measured suggest
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1s")]
    pub timeout: Duration,
    /// Send a message up to this many times, at most 255
    #[arg(long, value_name = "N", value_parser = count::<NonZeroU8>, default_value = "6")]
    pub tries: NonZeroU8,
}

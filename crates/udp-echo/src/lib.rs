//! UDP echo: one socket, many clients, no connections.
//!
//! [`server`] answers each datagram on its own; [`client`] waits for its reply until a
//! deadline, since a datagram may be lost, doubled or late.
//!
//! Still wrong: a datagram that is lost is lost (`udp-retry` asks again), and echoed
//! text has no number, so a late reply to an earlier message can pass for the reply to
//! this one. A server on every interface answers from the address that the system
//! prefers; if that is not the one that was asked, the client drops the reply as a
//! stranger's.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;
use netcore::cli::duration;

pub mod client;
pub mod server;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 50007;

/// What the server does: the place for what a server of your own knows. A field that is
/// no option has `#[arg(skip)]` above it, and one that changes is behind a lock.
#[derive(Debug, Default, Args)]
pub struct Echo {
    /// Put this before each reply
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub prefix: OsString,
}

impl Echo {
    /// Turns what was received into the reply. While it works, nobody else is served.
    pub fn reply(&self, received: &[u8]) -> Vec<u8> {
        // Bytes, not text: a datagram that is not UTF-8 is no reason to stop.
        [self.prefix.as_encoded_bytes(), received].concat()
    }
}

/// How long the client waits.
#[derive(Debug, Clone, Args)]
pub struct Patience {
    /// Wait this long for a reply
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "2s")]
    pub timeout: Duration,
}

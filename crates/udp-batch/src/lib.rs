//! UDP echo with many datagrams for each system call.
//!
//! [`server`] receives what is there in one call (`netcore::batch`) and answers each
//! datagram to its sender; [`outbox`] gathers the replies to one peer, which the kernel
//! cuts into datagrams again. [`client`] is that of `udp-echo`, and any other client of
//! it will do.
//!
//! Where a platform has no such offload, each datagram has its own call, as before.
//!
//! Still wrong: what `udp-echo` gets wrong (`udp-retry`). And a reply that is longer
//! than a packet of the network is lost: quinn-udp forbids the system to cut datagrams
//! into fragments, as QUIC wants it.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;
use netcore::cli::duration;

pub mod client;
pub mod outbox;
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

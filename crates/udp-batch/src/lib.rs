//! UDP echo with many datagrams for each system call.
//!
//! [`server`] receives what is there in one call and answers each datagram to its
//! sender; [`batch`] gathers the replies to one peer, which the kernel cuts into
//! datagrams again. [`client`] is that of `udp-echo`, and any other client of it will
//! do.
//!
//! Where a platform has no such offload, each datagram has its own call, as before.
//!
//! Still wrong: what `udp-echo` gets wrong (`udp-reliable`). And a reply that is longer
//! than a packet of the network is lost: quinn-udp forbids the system to cut datagrams
//! into fragments, as QUIC wants it.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;
use netcore::cli::duration;

pub mod batch;
pub mod client;
pub mod server;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 50007;

/// Bytes that one message has at most, also where the kernel has put many datagrams
/// into one. What does not fit is lost, so this is one more than the 65,527 of the
/// largest datagram (over IPv6: 65,535 less 8 of UDP's header). Nothing is cut. If
/// something were, a buffer that is full to the last byte would tell, and on Windows an
/// error.
pub const BUFFER: usize = 65_528;

/// Bytes that a message may have: the largest datagram over IPv4, 65,535 less 20 of
/// IP's header and 8 of UDP's. A longer one is refused before it is sent. IPv6 takes 20
/// more, but which of the two it will be is not known before the server has answered.
pub const MAX_MESSAGE: usize = 65_507;

/// What the server can be told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Put this before each reply
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub prefix: String,
}

/// How long the client waits, and how often it asks.
#[derive(Debug, Clone, Args)]
pub struct Patience {
    /// Wait this long for a reply at first, and twice as long at each further try
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "500ms")]
    pub timeout: Duration,
    /// Send a message up to this many times
    #[arg(long, value_name = "N", default_value = "4")]
    pub tries: NonZeroU32,
}

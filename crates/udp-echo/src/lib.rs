//! UDP echo: one socket, many clients, no connections.
//!
//! [`server`] answers each datagram on its own; [`client`] asks again when no reply
//! comes, since a datagram may be lost, doubled or late.
//!
//! Still wrong: echoed text has no number, so a late reply to an earlier message can
//! pass for the reply to this one, and a message whose reply was lost is served twice
//! (`udp-reliable`). A server on every interface answers from the address that the
//! system prefers; if that is not the one that was asked, the client drops the reply as
//! a stranger's.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;
use netcore::cli::duration;

pub mod client;
pub mod server;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 50007;

/// Bytes that one call receives at most. What does not fit is lost, so this is one more
/// than the 65,527 of the largest datagram (over IPv6: 65,535 less 8 of UDP's header).
/// Nothing is cut. If something were, a buffer that is full to the last byte would
/// tell, and on Windows an error.
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

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
use std::time::Duration;

use clap::Args;
use netcore::cli::duration;

pub mod client;
pub mod server;
pub mod tries;

/// The port of the server, unless told otherwise. Not that of `udp-echo`, which speaks
/// another protocol.
pub const PORT: u16 = 50008;

/// How long the client waits, and how often it asks.
#[derive(Debug, Clone, Args)]
pub struct Patience {
    /// Wait this long for a reply at first, and twice as long at each further try
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "500ms")]
    pub timeout: Duration,
    /// Send a message up to this many times, at most 255
    #[arg(long, value_name = "N", default_value = "4")]
    pub tries: NonZeroU8,
}

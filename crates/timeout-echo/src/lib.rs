//! Echo server that drops a silent or dripping client: limits that no client can
//! stretch.
//!
//! [`server`] has a limit for each wait and one for the whole visit; [`client`] has one
//! for each reply.
//!
//! Still wrong: a second client waits until the first has gone or been dropped
//! (`threaded-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::time::Duration;

use clap::Args;
use netcore::cli::duration;

pub mod client;
pub mod server;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 9090;

/// Bytes that one call reads at most. Any size is right; 64 KiB keeps the number of
/// calls low in bulk.
pub const BUFFER: usize = 64 << 10;

/// How long a client waits for one reply. A server that never answers would otherwise
/// hold it for ever.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// What the server can be told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Answer in upper case (ASCII letters only)
    #[arg(long)]
    pub upper: bool,
    /// End when no client has come for this long, as in 500ms, 5s or 2m [default:
    /// never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub accept_timeout: Option<Duration>,
    /// Drop a client that sends nothing, or takes no whole reply, for this long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s")]
    pub idle: Duration,
    /// Drop a client after this long in all, however busy it is
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    pub total: Duration,
}

//! Echo server with one thread for all clients: non-blocking sockets, and a wait for
//! whichever is ready.
//!
//! [`server`] waits for events and gives each ready visit a turn; [`visit`] is one
//! client's state between its turns; [`client`] is that of `pooled-echo`.
//!
//! Still wrong: one processor does all the work, and every step of a visit has to be
//! written as a state (`async-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::time::Duration;

use clap::Args;
use netcore::cli::duration;

pub mod client;
pub mod server;
pub mod visit;

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
    /// Drop a client that sends nothing, or takes no whole reply, for this long, as in
    /// 500ms, 5s or 2m
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s")]
    pub idle: Duration,
    /// Drop a client after this long in all, however busy it is
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    pub total: Duration,
    /// Serve at most so many clients at once; more wait in the backlog
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub max_clients: usize,
    /// After a signal, let clients finish for this long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s")]
    pub drain: Duration,
}

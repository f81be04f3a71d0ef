//! Echo server for messages, not bytes: a length comes first, so that what one write
//! sent is what one read returns.
//!
//! [`server`] answers each message once it is whole, within limits on its length and on
//! its time; [`client`] needs no second thread any more, since the server reads a whole
//! message before it answers.
//!
//! Still wrong: a second client waits until the first has gone or been dropped
//! (`threaded-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::time::Duration;

use clap::Args;
use netcore::cli::{duration, size};
use netcore::frame::Header;

pub mod client;
pub mod server;

/// The port of the server, unless told otherwise. Not that of the other rungs, whose
/// clients do not send lengths.
pub const PORT: u16 = 1243;

/// Bytes that one call reads at most. Any size is right; 64 KiB keeps the number of
/// calls low in bulk.
pub const BUFFER: usize = 64 << 10;

/// How long a client waits for one reply. A server that never answers would otherwise
/// hold it for ever.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// What both ends must be told alike: how a message is written.
#[derive(Debug, Clone, Args)]
pub struct Framing {
    /// Write lengths as the tutorial does: 10 ASCII characters, digits and then spaces,
    /// instead of 4 bytes
    #[arg(long)]
    pub ascii_header: bool,
    // 64 KiB is much for a text, little to hold for each client, and crosses a slow line within
    // the idle limit.
    /// Refuse a message of more bytes than this, as in 512, 64k or 1m
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "64k")]
    pub max_message: usize,
}

impl Framing {
    /// How the length of a message is written.
    pub fn header(&self) -> Header {
        if self.ascii_header { Header::Ascii } else { Header::Binary }
    }
}

/// What the server can be told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Answer in upper case (ASCII letters only)
    #[arg(long)]
    pub upper: bool,
    /// Speak first: send this message to each client that connects
    #[arg(long, value_name = "TEXT")]
    pub greeting: Option<String>,
    /// What the client must be told as well.
    #[command(flatten)]
    pub framing: Framing,
    /// End when no client has come for this long, as in 500ms, 5s or 2m [default:
    /// never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub accept_timeout: Option<Duration>,
    /// Drop a client that sends no whole message, or takes no whole reply, for this
    /// long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s")]
    pub idle: Duration,
    /// Drop a client after this long in all, however busy it is
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    pub total: Duration,
}

/// What the client can be told.
#[derive(Debug, Clone, Args)]
pub struct ClientOptions {
    /// Let the server speak first: print its message before sending any
    #[arg(long)]
    pub await_greeting: bool,
    /// What the server must be told as well.
    #[command(flatten)]
    pub framing: Framing,
}

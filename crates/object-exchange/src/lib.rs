//! Typed values over TCP: both ends exchange values of types that both know, and bytes
//! can become nothing else.
//!
//! [`server`] speaks first, then answers typed requests, and tells a client what was
//! wrong with one that it refuses; [`client`] is the other end. [`message`] is what
//! they say, [`notation`] how a person writes it.
//!
//! Still wrong: the server believes whoever connects, and everyone on the way can read
//! what is said: a type says what a value is, not who sent it. A second client waits
//! until the first has gone or been dropped (`threaded-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::time::Duration;

use clap::Args;
use netcore::cli::{duration, size};
use netcore::codec::{Codec, MAX_BYTES};

pub mod client;
pub mod message;
pub mod notation;
pub mod server;

/// The port of the server, unless told otherwise. Not that of the other rungs, whose
/// clients send no typed values.
pub const PORT: u16 = 9091;

/// The first byte of every message. A change to [`message`] that an old program would
/// misread needs another number.
pub const VERSION: u8 = 1;

/// Levels of values inside each other, of which a list in a list takes two. A deeper
/// value is refused: reading it takes stack for each level.
pub const MAX_DEPTH: usize = 64;

/// Bytes that one call reads at most. Any size is right; 64 KiB keeps the number of
/// calls low in bulk.
pub const BUFFER: usize = 64 << 10;

/// How long a client waits for one reply. A server that never answers would otherwise
/// hold it for ever.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// What each end can be told about the messages that it takes.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    // 64 KiB is much for a request, little to hold for each client, and crosses a slow line within
    // the idle limit.
    /// Refuse a message of more bytes than this, as in 512, 64k or 1m; 16m at most
    #[arg(long, value_name = "SIZE", value_parser = message_size, default_value = "64k")]
    pub max_message: usize,
}

impl Limits {
    /// How values become messages.
    pub fn codec(&self) -> Codec {
        Codec::new(VERSION, self.max_message, MAX_DEPTH)
    }
}

/// What the server can be told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// What the client can be told as well.
    #[command(flatten)]
    pub limits: Limits,
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

fn message_size(text: &str) -> Result<usize, String> {
    match size(text)? {
        bytes if bytes > MAX_BYTES => Err("a message has 16m at most".into()),
        bytes => Ok(bytes),
    }
}

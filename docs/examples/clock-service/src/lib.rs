//! A clock service, made from `udp-retry`: what time it is, as a date or as a number.
//!
//! The server and the client are those of the rung, line for line, and this file stands in
//! the place of its `lib.rs`: what has changed is [`reply`](Clock::reply).
//!
//! Still wrong: a client that sets its own clock by this one is late by as long as the
//! answer took, and nobody signs the answer.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::num::NonZeroU8;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;
use netcore::cli::{count, duration};

// In a project of its own, made by `cargo xtask new retry`, these are files beside this one.
#[path = "../../../../crates/udp-retry/src/client.rs"]
pub mod client;
#[path = "../../../../crates/udp-retry/src/server.rs"]
pub mod server;
#[path = "../../../../crates/udp-retry/src/tries.rs"]
pub mod tries;

pub mod calendar;

/// The name that the files of the rung know the service by.
pub use Clock as Echo;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 50008;

/// What the server does. It remembers nothing, so nothing is lost when a request runs twice.
#[derive(Debug, Default, Args)]
pub struct Clock {}

impl Clock {
    /// The answer to a question: `utc` or `unix`. To any other it is a question mark.
    ///
    /// Hardly longer than the question: a short one with a long answer, sent in somebody
    /// else's name, is what floods are made of.
    pub fn reply(&self, question: &[u8]) -> Vec<u8> {
        // A clock that stands before 1970 has never been set.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
        match question {
            b"utc" => calendar::rfc3339(now).into_bytes(),
            b"unix" => now.to_string().into_bytes(),
            _ => b"?".to_vec(),
        }
    }
}

/// How long the client waits, and how often it asks.
#[derive(Debug, Clone, Args)]
pub struct Patience {
    /// Wait this long for a reply at first, and twice as long at each further try
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "500ms")]
    pub timeout: Duration,
    /// Send a message up to this many times, at most 255
    #[arg(long, value_name = "N", value_parser = count::<NonZeroU8>, default_value = "4")]
    pub tries: NonZeroU8,
}

//! Echo server for messages, not bytes: a length comes first, so that what one write sent
//! is what one read returns.
//!
//! [`server`] answers each message once it is whole, within limits on its length and on
//! its time; [`client`] sends one message after another, and reads one for each.
//!
//! Still wrong: a message is text without a shape (`object-exchange`). Each idle client
//! holds a thread and its stack (`poll-echo`, `async-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::time::Duration;

use clap::Args;
use netcore::cli::{Limits, count, duration};
use netcore::frame::Framing;

pub mod client;
pub mod server;

/// The port of the server, unless told otherwise. Not that of the other rungs, whose
/// clients do not send lengths.
pub const PORT: u16 = 1243;

/// Bytes that one call reads at most. Any size is right; 64 KiB keeps the number of
/// calls low in bulk.
pub const BUFFER: usize = 64 << 10;

/// What the server does: the place for what a server of your own knows. A field that is
/// no option has `#[arg(skip)]` above it, and one that changes is behind a lock.
#[derive(Debug, Args)]
pub struct Echo {
    /// Answer in upper case (ASCII letters only)
    #[arg(long)]
    pub upper: bool,
    /// How messages are written, which the client must be told as well.
    #[command(flatten)]
    pub framing: Framing,
    /// End when no client has come for this long [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub accept_timeout: Option<Duration>,
    /// For how long a client is kept.
    #[command(flatten)]
    pub limits: Limits,
    /// Serve at most so many clients at once; more wait in the backlog
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 1000)]
    pub max_clients: usize,
}

impl Echo {
    /// Turns a message into the reply: the place for what a server of your own does. The
    /// reply may have another length, as pieces of a stream may not.
    ///
    /// A reply over the limit ends the visit. So a server that changes something here
    /// makes its reply first, looks whether it fits, and changes it then.
    pub fn reply(&self, text: &str) -> String {
        if self.upper {
            // ASCII only, for the same answers as the other rungs give; and of the same
            // length, where "ß" would become "SS".
            return text.to_ascii_uppercase();
        }
        text.into()
    }
}

//! Requests over UDP: sent again until they are answered, and run at most once.
//!
//! [`client`] numbers its requests and sends one again when its reply is late, by what
//! [`retransmit`] has measured. [`server`] runs a request when it comes first and
//! answers from [`memory`] when it comes again. To show it, the server numbers what it
//! runs: a request that ran twice would have used up two numbers.
//!
//! Each datagram begins with a header of 22 bytes, numbers in network byte order
//! ([`wire`]):
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 4 | `NLR1`, the protocol and its version |
//! | 4 | 1 | 1 a request, 2 a reply |
//! | 5 | 1 | which try of the request this is, from 1; a reply has that of the request it answers |
//! | 6 | 8 | the session, a random number for each run of a client |
//! | 14 | 8 | the request, numbered upwards within its session |
//! | 22 | | the payload, up to the end of the datagram |
//!
//! A session has one request at a time: one with a higher number says that its client
//! waits for no earlier one.
//!
//! Still wrong: a server that restarts has forgotten what it has run. The numbers keep
//! out accidents and those who cannot see the traffic, but nobody is authenticated and
//! nothing is encrypted (QUIC and DTLS do both): who forges addresses can fill the
//! memory, and then no new client is served. One message at a time waits for its round
//! trip.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::num::NonZeroU8;
use std::time::Duration;

use clap::Args;
use netcore::cli::{duration, size};

pub mod client;
pub mod memory;
pub mod retransmit;
pub mod server;
pub mod wire;

/// The port of the server, unless told otherwise. Not that of `udp-echo`, which speaks
/// another protocol.
pub const PORT: u16 = 50008;

/// Bytes that one call receives at most. What does not fit is lost, so this is one more
/// than the 65,527 of the largest datagram (over IPv6: 65,535 less 8 of UDP's header).
/// Nothing is cut. If something were, a buffer that is full to the last byte would
/// tell, and on Windows an error.
pub const BUFFER: usize = 65_528;

/// Bytes that a reply may have: the largest datagram over IPv4, 65,535 less 20 of IP's
/// header and 8 of UDP's, and less our own header.
pub const MAX_REPLY: usize = 65_507 - wire::HEADER;

/// Bytes that a message may have: what is left of a reply behind the longest number, 20
/// digits, a colon and a space. A request whose reply could not be sent must not run.
pub const MAX_MESSAGE: usize = MAX_REPLY - 22;

/// What the server can be told: the bounds of its memory.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Forget a client that has been silent for this long; longer than any client keeps
    /// asking
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "2m")]
    pub remember: Duration,
    /// Remember so many clients, about 200 bytes each beside its reply; requests of
    /// further ones do not run
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub max_clients: usize,
    /// Bytes of replies to remember, 64k at least; a request does not run unless the
    /// largest reply has room
    #[arg(long, value_name = "SIZE", value_parser = memory_size, default_value = "64m")]
    pub max_memory: usize,
}

fn memory_size(text: &str) -> Result<usize, String> {
    match size(text)? {
        bytes if bytes < MAX_REPLY => {
            Err(format!("the largest reply, of {MAX_REPLY} bytes, has no room"))
        }
        bytes => Ok(bytes),
    }
}

/// How long the client waits, and how often it asks.
#[derive(Debug, Clone, Args)]
pub struct Patience {
    /// Wait this long for the first reply; from then on, as long as the round trips
    /// that were measured suggest
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1s")]
    pub timeout: Duration,
    /// Send a message up to this many times, at most 255
    #[arg(long, value_name = "N", default_value = "6")]
    pub tries: NonZeroU8,
}

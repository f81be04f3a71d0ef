//! Typed values over TCP: both ends exchange values of types that both know, and bytes
//! can become nothing else.
//!
//! [`server`] speaks first, then answers typed requests, and tells a client what was
//! wrong with one that it refuses. [`message`] is what both ends say; the client is that of
//! netcore, made for these types.
//!
//! Still wrong: the server believes whoever connects, and everyone on the way can read
//! what is said: a type says what a value is, not who sent it (`login-echo`, `tls-echo`).
//! Each idle client holds a thread and its stack (`poll-echo`, `async-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::time::Duration;

use clap::Args;
use netcore::cli::{Limits, count, duration};
use netcore::codec::{Messages, ValueError};

use crate::message::{Greeting, Reply, Request, VERSION};

pub mod message;
pub mod server;

/// The port of the server, unless told otherwise. Not that of the other rungs, whose
/// clients send no typed values.
pub const PORT: u16 = 9091;

/// Bytes that one call reads at most. Any size is right; 64 KiB keeps the number of
/// calls low in bulk.
pub const BUFFER: usize = 64 << 10;

/// What the server does: the place for what a server of your own knows. A field that is
/// no option has `#[arg(skip)]` above it, and one that changes is behind a lock.
#[derive(Debug, Args)]
pub struct Exchange {
    /// How long messages may be, which the client can be told as well.
    #[command(flatten)]
    pub messages: Messages,
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

impl Exchange {
    /// What every client is told first: the tutorial's dictionary.
    pub fn greeting(&self) -> Greeting {
        [(1, "hi".into()), (2, "there".into())].into()
    }

    /// Turns a request into the message of its reply: the place for what a server of your
    /// own does.
    ///
    /// That a request has come in this shape does not mean that its sender may ask for it,
    /// or that its numbers make sense: a server that does more than this one checks both
    /// here. One that changes something encodes its reply *before* the change: a reply
    /// that turns out too long is refused, and then nothing must be lost.
    ///
    /// # Errors
    /// Why the reply cannot be written. The client is told in its place.
    pub fn reply(&self, request: Request, message: &mut Vec<u8>) -> Result<(), ValueError> {
        let reply = match request {
            Request::Get(key) => Reply::Entry(self.greeting().get(&key).cloned()),
            // All of Unicode, since a text arrives whole. It can become longer: "ŉ" becomes
            // "ʼN".
            Request::Upper(text) => Reply::Upper(text.to_uppercase()),
            Request::Echo(value) => Reply::Echo(value),
        };
        self.messages.codec(VERSION).encode(&reply, message)
    }
}

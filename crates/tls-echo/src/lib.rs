//! Echo server over TLS: who listens on the way reads nothing and changes nothing, and the
//! client knows whom it talks to.
//!
//! [`server`] makes the handshake in the thread of the client and goes on as before;
//! [`client`] makes sure of the server first.
//!
//! Still wrong: an idle client holds a thread, its stack and the buffers of TLS
//! (`poll-echo`, `async-echo`). With `--mutual` a client is known by a certificate, which
//! is nothing that a person could remember (`login-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::time::Duration;

use clap::Args;
use netcore::cli::{Limits, count, duration};
use netcore::tls::ServerTlsArgs;

pub mod client;
pub mod server;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 9090;

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
    /// End when no client has come for this long [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub accept_timeout: Option<Duration>,
    /// For how long a client is kept.
    #[command(flatten)]
    pub limits: Limits,
    /// Serve at most so many clients at once; more wait in the backlog
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 1000)]
    pub max_clients: usize,
    /// What the server shows of itself, and whom it lets in.
    #[command(flatten)]
    pub tls: ServerTlsArgs,
}

impl Echo {
    /// Turns what was received into the reply: the place for what a server of your own
    /// does.
    pub fn reply(&self, bytes: &mut [u8]) {
        if self.upper {
            // ASCII only, so that UTF-8 text stays whole wherever the stream has cut it.
            bytes.make_ascii_uppercase();
        }
    }
}

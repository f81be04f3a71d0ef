//! Echo server over TLS for who proves a secret: a name has rights, and nobody else has
//! that name.
//!
//! [`server`] and [`client`] prove to each other that they have the same secret, before
//! the first byte is echoed; [`netcore::proof`] is what they say.
//!
//! Still wrong: an idle client holds a thread, its stack and the buffers of TLS
//! (`poll-echo`, `async-echo`). The server has to have the secrets themselves, so that
//! whoever reads its file can be everybody; for passwords of people the chapter says what
//! to do instead.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::time::Duration;

use clap::Args;
use netcore::cli::{Limits, count, duration, path};
use netcore::proof::{Members, Right, Tries};
use netcore::tls::ServerTlsArgs;

pub mod client;
pub mod server;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 9090;

/// What the keys of a session are asked for, so that the answer is of use here only
/// (RFC 5705).
pub const EXPORTER: &[u8] = b"EXPORTER-login-echo";

/// Bytes that one call reads at most. Any size is right; 64 KiB keeps the number of
/// calls low in bulk.
pub const BUFFER: usize = 64 << 10;

/// What the server does: the place for what a server of your own knows. A field that is
/// no option has `#[arg(skip)]` above it, and one that changes is behind a lock.
#[derive(Debug, Args)]
pub struct Echo {
    /// Let in who is in this file: a name, its secret and its rights in each line
    #[arg(long, value_name = "FILE", value_parser = path(Members::read))]
    pub secrets: Members,
    /// Who has been wrong of late.
    #[arg(skip)]
    pub tries: Tries,
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
    pub fn reply(&self, right: Right, bytes: &mut [u8]) {
        if right == Right::Upper {
            // ASCII only, so that UTF-8 text stays whole wherever the stream has cut it.
            bytes.make_ascii_uppercase();
        }
    }
}

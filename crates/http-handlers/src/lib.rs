//! HTTP server whose handlers are functions: each takes a request and returns a value, and
//! knows nothing of the wire.
//!
//! [`routes`] says which function answers what; [`server`] calls it and is never changed
//! again.
//!
//! Still wrong: each idle client holds a thread, a page of another site may reach it, and
//! there is no encryption (`http-server`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use netcore::cli::{Limits, count, duration};

pub mod files;
pub mod routes;
pub mod server;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 8000;

/// Bytes of a buffer for what comes behind a head: the lines between chunks are shorter.
pub const ROOM: usize = 4 << 10;

/// Bytes of a body that is read into memory. Past it: 413.
pub const BODY_LIMIT: usize = 1 << 20;

/// What the server does: the place for what a server of your own knows. A field that is
/// no option has `#[arg(skip)]` above it, and one that changes is behind a lock.
#[derive(Debug, Args)]
#[command(mut_arg("total", netcore::cli::each_request))]
pub struct Site {
    /// The folder whose files are served
    #[arg(default_value = ".", value_parser = netcore::cli::folder())]
    pub root: PathBuf,
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

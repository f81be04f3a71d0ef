//! HTTP server that sends no file to a client that has it, and parts of a file to one that
//! wants no more.
//!
//! [`files`] tells which version of a file there is; [`server`] is that of `http-kept`.
//!
//! Still wrong: what is behind the head is dropped, and the connection with it
//! (`http-upload`). Several parts at once are answered with the whole, and each request
//! opens its file anew (`http-server`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use netcore::cli::{Limits, count, duration};

pub mod files;
pub mod server;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 8000;

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

//! HTTP server for the files of a folder: a path becomes a file, and never one outside.
//!
//! [`server`] is that of `http-hello`; [`files`] finds the file, and `httpcore` sends it.
//!
//! Still wrong: each request needs a connection of its own, and a head is hardly looked
//! at (`http-kept`). A file that the client has already is sent again, and all of it
//! (`http-cached`). What is behind the head is dropped (`http-upload`).
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

/// Bytes of a head at most. A browser sends about one thousand; without a bound, a
/// client that sends no empty line would fill the memory.
pub const HEAD_LIMIT: usize = 64 << 10;

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

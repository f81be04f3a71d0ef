//! HTTP server that takes many requests on one connection, and so has to know where each
//! of them ends.
//!
//! [`server`] keeps the connection and reads heads strictly; [`files`] is that of
//! `http-files`.
//!
//! Still wrong: a file that the client has already is sent again, and all of it
//! (`http-cached`). What is behind the head is dropped, and the connection with
//! it (`http-upload`).
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

//! Notes over JSON, made from `http-handlers`: written, listed, shown and forgotten, beside
//! the files of a folder.
//!
//! The server is that of the rung, line for line, and this file stands in the place of its
//! `lib.rs`, [`routes`] in that of its routes: what has changed is what the server knows,
//! and which function answers what.
//!
//! Still wrong: the notes are gone when the server ends, and whoever reaches the port may
//! change all of them, as may a page that gives its own name the server's address
//! (`http-server` checks the name).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;
use netcore::cli::{Limits, count, duration};

// In a project of its own, made by `cargo xtask new handlers`, these are files beside this
// one.
#[path = "../../../../crates/http-handlers/src/files.rs"]
pub mod files;
#[path = "../../../../crates/http-handlers/src/server.rs"]
pub mod server;

pub mod notes;
pub mod routes;

use notes::Notes;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 8000;

/// Bytes of a buffer for what comes behind a head: the lines between chunks are shorter.
pub const ROOM: usize = 4 << 10;

/// Bytes of a body that is read into memory, and so of a note. Past it: 413. With
/// `--max-notes`, the bound on memory.
pub const BODY_LIMIT: usize = 4 << 10;

/// What the server knows.
#[derive(Debug, Clone, Args)]
pub struct Site {
    /// Keep at most so many notes
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 1000)]
    pub max_notes: usize,
    /// The notes. No option: there are none at first.
    #[arg(skip)]
    notes: Arc<Mutex<Notes>>,
    /// The folder whose files are served
    #[arg(default_value = ".")]
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

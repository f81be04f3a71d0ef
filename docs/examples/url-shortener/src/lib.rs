//! A shortener of links, made from `http-handlers`: a long one is posted, and a short one
//! leads to it.
//!
//! The server is that of the rung, line for line, and this file stands in the place of its
//! `lib.rs`, [`routes`] in that of its routes.
//!
//! Still wrong: the links are gone when the server ends (the key-value store shows a file
//! behind a server), and whoever reaches the port may add some: a short link hides where it
//! leads to, so a public one needs to know its users.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Args;
use netcore::cli::{Limits, count, duration};

// In a project of its own, made by `cargo xtask new handlers`, this is a file beside this one.
#[path = "../../../../crates/http-handlers/src/server.rs"]
pub mod server;

pub mod links;
pub mod routes;

use links::Links;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 8000;

/// Bytes of a buffer for what comes behind a head: the lines between chunks are shorter.
pub const ROOM: usize = 4 << 10;

/// Bytes of a body that is read into memory, and so of a link. Past it: 413. With
/// `--max-links`, the bound on memory.
pub const BODY_LIMIT: usize = 2 << 10;

/// What the server knows.
#[derive(Debug, Clone, Args)]
pub struct Site {
    /// Keep at most so many links
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 10_000)]
    pub max_links: usize,
    /// The links. No option: there are none at first.
    #[arg(skip)]
    links: Arc<Mutex<Links>>,
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

//! A key-value store, made from `framed-echo`: texts under names, for many clients at
//! once, for as long as the server runs.
//!
//! The server and the client are those of the rung, line for line, and this file stands in
//! the place of its `lib.rs`: what has changed is what the server knows, and
//! [`reply`](Store::reply).
//!
//! Still wrong: the texts are gone when the server ends, and whoever can connect may
//! change all of them.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Args;
use netcore::cli::{Limits, duration};
use netcore::frame::Framing;

// In a project of its own, made by `cargo xtask new framed`, these are files beside this one.
#[path = "../../../../crates/framed-echo/src/client.rs"]
pub mod client;
#[path = "../../../../crates/framed-echo/src/server.rs"]
pub mod server;

/// The name that the files of the rung know the service by.
pub use Store as Echo;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 1244;

/// Bytes that one call reads at most.
pub const BUFFER: usize = 64 << 10;

/// What the server knows.
#[derive(Debug, Args)]
pub struct Store {
    /// Keep at most so many texts; with --max-message, the bound on memory
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub max_entries: usize,
    /// The texts by name. No option: it begins empty.
    #[arg(skip)]
    entries: Mutex<BTreeMap<String, String>>,
    /// How messages are written, which the client must be told as well.
    #[command(flatten)]
    pub framing: Framing,
    /// End when no client has come for this long [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub accept_timeout: Option<Duration>,
    /// For how long a client is kept.
    #[command(flatten)]
    pub limits: Limits,
    /// Serve at most so many clients at once; more wait in the backlog
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub max_clients: usize,
}

impl Store {
    /// Answers one request: `set NAME TEXT`, `get NAME`, `take NAME` or `names`.
    ///
    /// Every client's thread comes here, so the texts are behind a lock, and it is held for
    /// one request and no longer. The reply is made before anything is changed, and it
    /// always fits: a text that came in a message has room in one.
    pub fn reply(&self, text: &str) -> String {
        let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
        let mut entries = self.entries();
        match (verb, rest.split_once(' ')) {
            ("get", None) => entries.get(rest).cloned().unwrap_or_else(none),
            ("take", None) => entries.remove(rest).unwrap_or_else(none),
            ("set", Some((name, _)))
                if entries.len() >= self.max_entries && !entries.contains_key(name) =>
            {
                format!("error: there are {} texts already", entries.len())
            }
            ("set", Some((name, text))) => {
                entries.insert(name.into(), text.into());
                "ok".into()
            }
            ("names", None) if rest.is_empty() => {
                let names: Vec<&str> = entries.keys().map(String::as_str).collect();
                match names.join(" ") {
                    all if all.len() <= self.framing.max_message => all,
                    all => format!("error: {} bytes of names are over the limit", all.len()),
                }
            }
            _ => "error: set NAME TEXT, get NAME, take NAME or names".into(),
        }
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        // Each change is one call, so what a thread that panicked has left is whole.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn none() -> String {
    "error: there is no such name".into()
}

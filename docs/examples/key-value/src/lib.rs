//! A key-value store, made from `framed-echo`: texts under names, for many clients at
//! once, and in a file, so that they outlive the server.
//!
//! The server and the client are those of the rung, line for line, and this file stands in
//! the place of its `lib.rs`: what has changed is what the server knows, and
//! [`reply`](Store::reply).
//!
//! Still wrong: whoever can connect may change all of them, and each change waits for the
//! disk alone.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clap::Args;
use netcore::Error;
use netcore::cli::{Limits, count, duration};
use netcore::frame::Framing;

use crate::journal::Journal;

pub mod journal;

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
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 1000)]
    pub max_entries: usize,
    /// Keep the texts in this file, and find them there at the next start
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The texts by name, and where they are kept. No option.
    #[arg(skip)]
    kept: Mutex<Kept>,
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
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 1000)]
    pub max_clients: usize,
}

/// What is behind the lock.
#[derive(Debug, Default)]
struct Kept {
    entries: BTreeMap<String, String>,
    journal: Option<Journal>,
}

impl Store {
    /// Reads what an earlier run has left in the file, where there is to be one.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(self) -> Result<Store, Error> {
        if let Some(path) = &self.file {
            let mut kept = self.kept();
            let opened = Journal::open(path, &mut kept.entries);
            kept.journal = Some(opened.map_err(Error::failed("open the file of the texts"))?);
        }
        Ok(self)
    }

    /// Answers one request: `set NAME TEXT`, `get NAME`, `take NAME` or `names`.
    ///
    /// Every client's thread comes here, so the texts are behind a lock, and it is held for
    /// one request and no longer. The reply is made before anything is changed, and it
    /// always fits: a text that came in a message has room in one.
    pub fn reply(&self, text: &str) -> String {
        let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
        let mut kept = self.kept();
        match (verb, rest.split_once(' ')) {
            ("get", None) => kept.entries.get(rest).cloned().unwrap_or_else(none),
            ("take", None) if !kept.entries.contains_key(rest) => none(),
            ("take", None) => match kept.note(text) {
                Ok(()) => kept.entries.remove(rest).unwrap_or_else(none),
                Err(why) => why,
            },
            ("set", Some((name, _)))
                if kept.entries.len() >= self.max_entries && !kept.entries.contains_key(name) =>
            {
                format!("error: there are {} texts already", kept.entries.len())
            }
            ("set", Some((name, value))) => match kept.note(text) {
                Ok(()) => {
                    kept.entries.insert(name.into(), value.into());
                    "ok".into()
                }
                Err(why) => why,
            },
            ("names", None) if rest.is_empty() => {
                let names: Vec<&str> = kept.entries.keys().map(String::as_str).collect();
                match names.join(" ") {
                    all if all.len() <= self.framing.max_message => all,
                    all => format!("error: {} bytes of names are over the limit", all.len()),
                }
            }
            _ => "error: set NAME TEXT, get NAME, take NAME or names".into(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Each change is one call, so what a thread that panicked has left is whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The change is on the disk before it is made here and its client is told: what was said
    /// to be done is there after a crash.
    fn note(&mut self, change: &str) -> Result<(), String> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        journal.note(change, &self.entries).map_err(|error| {
            log::error!("cannot keep a change: {error}");
            "error: it cannot be kept".into()
        })
    }
}

fn none() -> String {
    "error: there is no such name".into()
}

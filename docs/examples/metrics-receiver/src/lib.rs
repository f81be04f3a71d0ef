//! A receiver of metrics, made from `udp-echo`: programs tell it what they count, a datagram
//! each, and wait for nothing.
//!
//! `add NAME N` counts, `set NAME N` is a value as it is now, and `show NAME` is answered with
//! it. A datagram may be lost, which a count of thousands survives.
//!
//! The server is that of the rung, line for line, and this file stands in the place of its
//! `lib.rs`.
//!
//! Still wrong: the values are gone when the server ends, a datagram that comes twice counts
//! twice, and whoever can send may say anything.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use netcore::cli::{count, duration};

pub mod client;
// In a project of its own, made by `cargo xtask new udp`, this is a file beside this one.
#[path = "../../../../crates/udp-echo/src/server.rs"]
pub mod server;

/// The name that the files of the rung know the service by.
pub use Metrics as Echo;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 50009;

/// Bytes of a name at most: with --max-names, the bound on memory.
const LONGEST_NAME: usize = 64;

/// What the server knows.
#[derive(Debug, Args)]
pub struct Metrics {
    /// Keep at most so many names; a datagram about a further one is told so
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 500)]
    pub max_names: usize,
    /// The values by name. No option: there are none at first.
    #[arg(skip)]
    values: Mutex<BTreeMap<String, f64>>,
}

impl Metrics {
    /// Answers a datagram. Who tells a value need not read that; who tries it by hand likes to.
    ///
    /// Hardly longer than what came, whatever that was: all values for one short word would be a
    /// weapon for whoever sends it in somebody else's name.
    pub fn reply(&self, received: &[u8]) -> Vec<u8> {
        let text = str::from_utf8(received).unwrap_or_default();
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        let known = |name: &str| {
            name.len() <= LONGEST_NAME
                && (values.contains_key(name) || values.len() < self.max_names)
        };
        match words[..] {
            ["show", name] => {
                return values.get(name).map_or("none".into(), f64::to_string).into_bytes();
            }
            [_, name, _] if !known(name) => return b"no room".into(),
            ["add", name, value] if number(value).is_some() => {
                *values.entry(name.into()).or_default() += number(value).unwrap_or_default();
            }
            ["set", name, value] if number(value).is_some() => {
                values.insert(name.into(), number(value).unwrap_or_default());
            }
            _ => return b"?".into(),
        }
        b"ok".into()
    }
}

/// A value that stays one when it is added to others, and has no more digits than that takes.
fn number(text: &str) -> Option<f64> {
    let is_usual = |number: &f64| *number == 0.0 || (1e-9..1e15).contains(&number.abs());
    text.parse().ok().filter(is_usual)
}

/// How long the client waits.
#[derive(Debug, Clone, Args)]
pub struct Patience {
    /// Wait this long for a reply
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "2s")]
    pub timeout: Duration,
}

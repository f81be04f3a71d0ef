//! The harness of the black-box suites: it builds the rungs, runs their real processes
//! and speaks to them.
//!
//! The suites are in `tests/tests`. They hold no list of rungs: a rung says in its
//! manifest which suites it passes and which limits it has, and each suite is run over
//! the rungs that name it.
//!
//! | module | idea |
//! |---|---|
//! | [`ladder`](mod@ladder) | the rungs and what their manifests say of them |
//! | [`mod@workspace`] | what the manifests say, read once |
//! | [`binaries`] | the executables, built before the first is run |
//! | [`process`] | a process that ends with the test, panic or not |
//! | [`python`](mod@python) | the boxes "From Python" of the chapters |
//! | [`server`] | a rung's server on a port of its own |
//! | [`peer`] | the other end of a connection, in words for what a test expects of it |
//! | [`place`] | where it listens |
//! | [`datagrams`] | the same for UDP |
//! | [`http`] | `http-server`, requests to it and its responses, byte by byte |
//! | `tls` | the same in TLS |
//! | [`site`] | a folder for it to serve |
//! | `terminal` | a terminal to type on (Unix) |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::time::Duration;

pub mod binaries;
pub mod datagrams;
pub mod http;
pub mod ladder;
pub mod peer;
pub mod place;
pub mod process;
pub mod python;
pub mod server;
pub mod site;
#[cfg(unix)]
pub mod terminal;
mod tls;
pub mod workspace;

pub use ::ladder::Address;
pub use datagrams::Datagrams;
pub use ladder::{Rung, ladder, rung, rungs_in, rungs_of_row, rungs_on_ports, stream_rungs};
pub use peer::Peer;
pub use process::{Finished, Process};
pub use server::Server;

/// Ends a test that would otherwise hang. No correct run comes near it, on a machine
/// however busy.
pub const GENEROUS: Duration = Duration::from_secs(60);

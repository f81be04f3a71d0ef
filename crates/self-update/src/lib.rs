//! Echo server that updates itself while clients use it: it trusts signed words and not the
//! place that they came from, never goes back, and keeps the way home open.
//!
//! [`manifest`] says whether a release is the publisher's, [`rules`] whether to install it;
//! neither knows clock, file or socket. [`fetch`] downloads it, [`place`] has the steps by
//! which it takes the program's name, [`update`] puts them in order. The server of
//! `threaded-echo` runs in a process of its own, a [`worker`]; a [`keeper`] has the socket,
//! starts the next worker on it, and ends the last one.
//!
//! Still wrong: the keeper is the program of its start until it is started again. One key
//! signs everything (what TUF adds is told in the chapter).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use netcore::cli::{self, Limits, Program, ServerArgs, count, duration, size};
use netcore::shutdown::Shutdown;
use netcore::{Error, client};
use url::Url;

pub mod fetch;
pub mod keeper;
pub mod manifest;
pub mod place;
pub mod rules;
pub mod server;
pub mod unproven;
pub mod update;
pub mod worker;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 9090;

/// Bytes that one call reads at most. Any size is right; 64 KiB keeps the number of
/// calls low in bulk.
pub const BUFFER: usize = 64 << 10;

/// What one release does that another does not. A server of your own has its version from
/// `Cargo.toml`, and the rest in its code.
#[derive(Debug, Clone, Copy)]
pub struct Release {
    /// Its version.
    pub version: &'static str,
    /// Whether it answers in capital letters (ASCII letters only).
    pub capitals: bool,
    /// What it does before it is ready.
    pub prepare: fn() -> io::Result<()>,
}

/// What the server does: the place for what a server of your own knows. A field that is
/// no option has `#[arg(skip)]` above it, and one that changes is behind a lock.
#[derive(Debug, Args)]
pub struct Echo {
    /// What this release does. No option: it is in the program.
    #[arg(skip)]
    pub release: Release,
    /// Where releases come from.
    #[command(flatten)]
    pub updates: Updates,
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

/// Where releases come from, and what they may take.
#[derive(Debug, Clone, Args)]
pub struct Updates {
    /// Look for releases at this address; without it, the program stays as it is
    #[arg(long, value_name = "URL", value_parser = fetch::place, requires = "key")]
    pub from: Option<Url>,
    /// File with the public key of minisign that releases are signed by
    #[arg(long, value_name = "FILE", requires = "from")]
    pub key: Option<PathBuf>,
    /// Look at the start, and then this often
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60m",
        requires = "from")]
    pub every: Duration,
    /// Give a look so long in all: names, connections, redirects and the download
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10m",
        requires = "from")]
    pub within: Duration,
    /// Put the old program back unless the new one is ready by then
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s",
        requires = "from")]
    pub ready_within: Duration,
    /// Bytes of a release at most, as in 512k or 64m
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "64m",
        requires = "from")]
    pub largest: usize,
    /// Take versions such as 1.0.0-rc.1 as well
    #[arg(long, requires = "from")]
    pub pre_releases: bool,
    /// Serve at this address for the keeper that has started us, until it lets go
    #[arg(long, value_name = "ADDRESS", hide = true)]
    pub worker: Option<SocketAddr>,
}

impl Default for Release {
    /// The first one.
    fn default() -> Release {
        Release { version: env!("CARGO_PKG_VERSION"), capitals: false, prepare: || Ok(()) }
    }
}

impl Echo {
    /// Turns what was received into the reply: the place for what a server of your own
    /// does.
    pub fn reply(&self, bytes: &mut [u8]) {
        if self.release.capitals {
            // ASCII only, so that UTF-8 text stays whole wherever the stream has cut it.
            bytes.make_ascii_uppercase();
        }
    }
}

/// Runs what the command line asks for, as `release` does it, and returns the exit code.
pub fn run(program: Program, release: Release) -> ExitCode {
    let program = Program { version: release.version, ..program };
    cli::run(program, |args, service| serve(args, Echo { release, ..service }), client::run)
}

fn serve(args: &ServerArgs<PORT>, service: Echo) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(service.limits.drain)?;
    let Updates { from, worker, .. } = &service.updates;
    match (worker, from) {
        (Some(address), _) => {
            netcore::log::init(args.verbose);
            worker::serve(*address, &service, &shutdown)
        }
        (None, Some(from)) => keeper::keep(args, from, &service, &shutdown),
        (None, None) => server::serve(args.listen()?, &service, &shutdown)
            .map_err(Error::failed("accept clients")),
    }
}

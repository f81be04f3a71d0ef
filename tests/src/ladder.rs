//! The rungs as the tests see them: what the `ladder` library has read from the
//! manifests, and the words of the suites.

use std::ops::Deref;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::thread;

use ladder::manifests::Carrier;

use crate::binaries;
use crate::workspace::workspace;

/// One rung. It reads as the `ladder` library's does.
#[derive(Debug)]
pub struct Rung {
    read: &'static ladder::Rung,
    /// Whether its server has connections, whatever is said in them.
    pub has_connections: bool,
    /// What it does not survive yet, one fault each.
    pub limits: Vec<Limit>,
}

/// A fault that a rung does not survive yet.
#[derive(Debug)]
pub struct Limit {
    /// Its name.
    pub fault: String,
    /// The rung that survives it.
    pub lifted_by: String,
}

impl Deref for Rung {
    type Target = ladder::Rung;

    fn deref(&self) -> &ladder::Rung {
        self.read
    }
}

/// The rungs that follow the ladder's own conventions, in reading order. Those of the
/// suite `http` follow HTTP's: their ready line, their habits and their messages are
/// others, and are looked at there. Those with tokens are started with more than a port: the
/// tests of their crates and the matrix of faults look at them.
pub fn ladder() -> &'static [Rung] {
    static LADDER: OnceLock<Vec<Rung>> = OnceLock::new();
    LADDER.get_or_init(|| {
        let rungs = workspace().rungs.iter().map(Rung::new);
        rungs.filter(|rung| !rung.passes("http") && !rung.has_tokens()).collect()
    })
}

/// Every rung, in reading order.
pub fn every_rung() -> &'static [Rung] {
    static EVERY: OnceLock<Vec<Rung>> = OnceLock::new();
    EVERY.get_or_init(|| workspace().rungs.iter().map(Rung::new).collect())
}

/// The rung of this name.
///
/// # Panics
/// When there is none.
pub fn rung(name: &str) -> &'static Rung {
    let found = every_rung().iter().find(|rung| rung.name == name);
    found.unwrap_or_else(|| panic!("no rung is called {name}"))
}

/// The rungs that name `suite` in their manifests.
///
/// # Panics
/// When there is none: the suite would pass without having tested anything.
pub fn rungs_in(suite: &str) -> Vec<&'static Rung> {
    let rungs: Vec<_> = ladder().iter().filter(|rung| rung.passes(suite)).collect();
    assert!(!rungs.is_empty(), "no rung names the suite {suite}");
    rungs
}

/// The rungs that cover `row` of the tutorials.
///
/// # Panics
/// When there is none.
pub fn rungs_of_row(row: &str) -> Vec<&'static Rung> {
    let rungs: Vec<_> =
        every_rung().iter().filter(|rung| rung.rows.iter().any(|name| name == row)).collect();
    assert!(!rungs.is_empty(), "no rung covers the row {row}");
    rungs
}

/// The rungs whose servers have connections, over TCP or over a UNIX socket, whatever is
/// said in them.
pub fn stream_rungs() -> Vec<&'static Rung> {
    ladder().iter().filter(|rung| rung.has_connections).collect()
}

/// The rungs that listen on a port, over TCP or UDP.
pub fn rungs_on_ports() -> Vec<&'static Rung> {
    ladder().iter().filter(|rung| rung.is_on_a_port()).collect()
}

/// Runs `test` over all of `rungs` at once: for tests that wait for a rung's own limit.
///
/// # Panics
/// When one of them does.
pub fn at_once(rungs: Vec<&'static Rung>, test: impl Fn(&'static Rung) + Sync) {
    thread::scope(|scope| {
        for rung in rungs {
            let named = thread::Builder::new().name(rung.name.clone());
            named.spawn_scoped(scope, || test(rung)).expect("a thread can be started");
        }
    });
}

impl Rung {
    fn new(read: &'static ladder::Rung) -> Rung {
        let limits = read.limits.iter().flat_map(|limit| {
            let lifted_by = &limit.lifted_by;
            limit
                .faults()
                .map(move |fault| Limit { fault: fault.into(), lifted_by: lifted_by.clone() })
        });
        let has_connections = read.transport != Carrier::Udp;
        Rung { read, has_connections, limits: limits.collect() }
    }

    /// Whether the manifest says that this rung does not survive `fault` yet.
    pub fn has_limit(&self, fault: &str) -> bool {
        self.limit(fault).is_some()
    }

    /// Whether this rung stands, through those between, on the one called `name`.
    pub fn stands_on(&self, name: &str) -> bool {
        let below = self.builds_on.as_deref();
        below.is_some_and(|below| below == name || rung(below).stands_on(name))
    }

    /// Whether its address is a port, and no file.
    pub fn is_on_a_port(&self) -> bool {
        self.transport != Carrier::Unix
    }

    /// Whether the server leaves signals to the system, which ends it on the spot.
    pub fn leaves_signals_alone(&self) -> bool {
        self.has_limit("stop-while-idle")
    }

    /// Where its sources are.
    pub fn folder(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates").join(&self.name)
    }

    /// The rung's program with `args`, in its own folder, where what the demo serves is,
    /// and with the certificates of the demo, where it has any and the caller does not name
    /// others. What it reads and writes is left to the caller.
    ///
    /// # Panics
    /// When its certificates cannot be made.
    pub fn command(&self, args: &[&str]) -> Command {
        let program = binaries::executable(&self.name);
        self.prepare(program).expect("its certificates can be made");
        let mut command = Command::new(program);
        command.current_dir(self.folder());
        let (role, rest) = args.split_at(args.len().min(1));
        command.args(role);
        if !rest.contains(&"--certs") {
            command.args(self.certificates(role));
        }
        // The log of the person who runs the tests is none of the rung's.
        command.args(rest).env_remove("RUST_LOG");
        command
    }

    fn certificates(&self, role: &[&str]) -> &[String] {
        match role {
            ["server"] if !self.certs.is_empty() => &self.server_args,
            ["client"] => self.client_args(),
            _ => &[],
        }
    }
}

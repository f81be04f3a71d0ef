//! The rungs, read from their manifests through `cargo metadata`.

use std::env;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;

use serde_json::Value;

use crate::binaries;
use crate::process::spawn;

/// One rung: `[package.metadata.ladder]` of its manifest, under the name of its
/// package.
#[derive(Debug)]
pub struct Rung {
    /// Package, folder and binary have this name.
    pub name: String,
    /// The rung that it is a step from.
    pub builds_on: Option<String>,
    /// The tutorial rows that it covers.
    pub rows: Vec<String>,
    /// Whether its server speaks TCP, whatever it says in it.
    pub speaks_tcp: bool,
    /// The suites that it passes.
    pub suites: Vec<String>,
    /// Arguments of the server in a demo, beside its port.
    pub server_args: Vec<String>,
    /// The client runs of the demo, in order.
    pub demo: Vec<ClientRun>,
    /// What it does not survive yet.
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

/// One run of the client and what it prints, line by line.
#[derive(Debug)]
pub struct ClientRun {
    /// Arguments after `client --port N`.
    pub args: Vec<String>,
    /// Its standard output.
    pub expect: Vec<String>,
}

/// The rungs that follow the ladder's own conventions, in reading order. Those of the
/// suite `http` follow HTTP's: their ready line, their habits and their messages are
/// others, and are looked at there.
pub fn ladder() -> &'static [Rung] {
    static LADDER: OnceLock<Vec<Rung>> = OnceLock::new();
    LADDER.get_or_init(|| read().into_iter().filter(|rung| !rung.passes("http")).collect())
}

/// Every rung, in reading order.
pub fn every_rung() -> &'static [Rung] {
    static EVERY: OnceLock<Vec<Rung>> = OnceLock::new();
    EVERY.get_or_init(read)
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

/// The rungs whose servers speak TCP, whatever they say in it.
pub fn tcp_rungs() -> Vec<&'static Rung> {
    ladder().iter().filter(|rung| rung.speaks_tcp).collect()
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

impl ClientRun {
    /// The arguments as they are passed on.
    pub fn args(&self) -> Vec<&str> {
        self.args.iter().map(String::as_str).collect()
    }

    /// The whole of what it prints.
    pub fn printed(&self) -> String {
        self.expect.iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Rung {
    /// Whether it is in `suite`.
    pub fn passes(&self, suite: &str) -> bool {
        self.suites.iter().any(|name| name == suite)
    }

    /// Whether the manifest says that this rung does not survive `fault` yet.
    pub fn has_limit(&self, fault: &str) -> bool {
        self.limits.iter().any(|limit| limit.fault == fault)
    }

    /// Whether this rung stands, through those between, on the one called `name`.
    pub fn stands_on(&self, name: &str) -> bool {
        let below = self.builds_on.as_deref();
        below.is_some_and(|below| below == name || rung(below).stands_on(name))
    }

    /// Whether the server ends after its first client.
    pub fn serves_once(&self) -> bool {
        self.has_limit("second-visit")
    }

    /// Whether the server leaves signals to the system, which ends it on the spot.
    pub fn leaves_signals_alone(&self) -> bool {
        self.has_limit("stop-while-idle")
    }

    /// The rung's program with `args`. What it reads and writes is left to the caller.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binaries::executable(&self.name));
        // The log of the person who runs the tests is none of the rung's.
        command.args(args).env_remove("RUST_LOG");
        command
    }
}

/// The cargo that runs the tests, or the one on the path, at the top of the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}

fn read() -> Vec<Rung> {
    let mut command = cargo();
    command.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let child = spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let output = child.and_then(Child::wait_with_output).expect("cargo metadata runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    let about = |name: &String| {
        let package = packages.iter().find(|package| package["name"] == name.as_str());
        let package = package.unwrap_or_else(|| panic!("{name} is in the order but no package"));
        &package["metadata"]["ladder"]
    };
    let order = strings(&metadata["metadata"]["ladder"]["order"]);
    order.into_iter().map(|name| Rung::new(about(&name), name)).collect()
}

impl Rung {
    fn new(about: &Value, name: String) -> Rung {
        let client_run = |run: &Value| ClientRun {
            args: strings(&run["args"]),
            expect: strings(&run["expect"]),
        };
        let limits = |limit: &Value| -> Vec<Limit> {
            let faults = std::iter::once(string(&limit["fault"])).chain(strings(&limit["also"]));
            faults.map(|fault| Limit { fault, lifted_by: string(&limit["lifted-by"]) }).collect()
        };
        Rung {
            builds_on: about["builds-on"].as_str().map(String::from),
            rows: strings(&about["rows"]),
            // TCP is the rule, so only the others have to say it.
            speaks_tcp: about["transport"].as_str().is_none_or(|transport| transport == "tcp"),
            suites: strings(&about["suites"]),
            server_args: strings(&about["server-args"]),
            demo: items(&about["demo"]).iter().map(client_run).collect(),
            limits: items(&about["limits"]).iter().flat_map(limits).collect(),
            name,
        }
    }
}

/// A key that a manifest does not have is an empty list.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn strings(value: &Value) -> Vec<String> {
    items(value).iter().map(string).collect()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_string()
}

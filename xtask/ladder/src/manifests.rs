//! The packages of the workspace and the rungs among them, read from their manifests
//! through `cargo metadata`: never held in a list, and parsed nowhere else.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;
use std::{env, fs};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::files::{Doing, create_folder, with_slashes};
use crate::process::output;
use crate::scratch::Scratch;
use crate::{Failure, failure};

/// Words behind `cargo xtask demo` that are no rungs.
pub const RESERVED: [&str; 3] = ["all", "scale", "pitfalls"];

/// Certificates are valid for a year, of which they keep two months for who uses them.
const FRESH: Duration = Duration::from_secs(300 * 24 * 60 * 60);

/// The workspace and its rungs in reading order.
#[derive(Debug)]
pub struct Ladder {
    /// The folder of the top manifest.
    pub root: PathBuf,
    pub rungs: Vec<Rung>,
    pub packages: Vec<Package>,
    /// The programs that this run has built.
    pub(crate) built: Mutex<HashMap<String, PathBuf>>,
    metadata: Value,
}

#[derive(Debug, Deserialize)]
pub struct Package {
    pub name: String,
    pub manifest_path: PathBuf,
    pub edition: String,
    pub rust_version: Option<String>,
    pub license: Option<String>,
    /// The registries that it may go to: none of them where it is empty.
    pub publish: Option<Vec<String>>,
    pub dependencies: Vec<Dependency>,
    /// `[package.metadata]`. Read later, so that an error in it can name its manifest.
    #[serde(default)]
    metadata: Value,
}

#[derive(Debug, Deserialize)]
pub struct Dependency {
    pub name: String,
    pub req: String,
    /// Where it is, for a package of this workspace.
    pub path: Option<PathBuf>,
}

/// One rung: `[package.metadata.ladder]` of its manifest, under the name of its
/// package. An unknown key is an error: it would be a misspelt one.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rung {
    /// Package, folder and binary have this name.
    #[serde(skip)]
    pub name: String,
    /// The folder of its manifest.
    #[serde(skip)]
    pub folder: PathBuf,
    /// The short name for `cargo xtask demo`.
    pub alias: String,
    /// Completes "this server ": one line.
    pub title: String,
    /// The rung that this one is a step from.
    pub builds_on: Option<String>,
    /// It is read by itself and not as a step from another.
    pub alone: bool,
    /// The package that a project begins with, where that is a small one over this rung and
    /// not a copy of it.
    pub starter: Option<String>,
    /// The tutorial rows that it covers.
    pub rows: Vec<String>,
    /// The black-box suites that it passes.
    pub suites: Vec<String>,
    /// What carries its bytes.
    pub transport: Carrier,
    /// What it understands, where that is not what the simplest server over its
    /// transport does: a word of `netfault --speaks`.
    pub speaks: Option<String>,
    /// Arguments of the server that bring its limits on time within anybody's patience,
    /// where a fault lasts until the server ends it.
    pub short_limits: Vec<String>,
    /// The same of its client, where it has limits on time.
    pub short_client_limits: Vec<String>,
    /// Arguments of the server that leave it four places, where it has a bound on clients.
    pub few_places: Vec<String>,
    /// The arguments of its own command `certs`, which is run before it is started: the
    /// folder of its certificates, from that of its manifest, and who gets one.
    pub certs: Vec<String>,
    /// Arguments of the server in a demo, beside its port. It runs in the folder of its
    /// manifest.
    pub server_args: Vec<String>,
    /// The client runs of the demo, in order.
    pub demo: Vec<ClientRun>,
    /// What curl(1) asks before them, where it is installed: its arguments, of which those
    /// that begin with a slash are paths of the server.
    pub curl: Vec<ClientRun>,
    /// What the network does to them in the demo, as `netfault proxy` has it for options.
    pub network: Vec<String>,
    /// What the demo shows instead of them where it is about several clients at once.
    pub together: Option<Together>,
    /// What it shows where there is no server, and nodes all ask each other: their names.
    pub nodes: Vec<String>,
    /// What is published in the demo while its clients ask.
    pub releases: Option<Releases>,
    /// The fault that the rung below fails and this one survives.
    pub why: Option<Why>,
    /// What is still wrong here.
    pub limits: Vec<Limit>,
}

/// TCP unless the manifest says otherwise.
#[derive(Debug, Deserialize, Serialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Carrier {
    /// Connections.
    #[default]
    Tcp,
    /// A file on this machine.
    Unix,
    /// Datagrams.
    Udp,
}

/// One run of the client and what it must print, line by line.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClientRun {
    /// Arguments after `client --port N`.
    pub args: Vec<String>,
    /// Its standard output.
    pub expect: Vec<String>,
}

/// Clients that are there at once, or one that is at a keyboard, and what becomes of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Together {
    /// Their names, as they come.
    pub members: Vec<String>,
    /// What they do then, in order: `ann: hello`, `ann leaves`, `ann is silent` until the
    /// server has had enough of it, `server stops`, or `server halts` and `server goes on`.
    pub steps: Vec<String>,
    /// The one of them that stops to read what comes for it, where all hear what one says.
    pub deaf: Option<String>,
    /// How many of them the server serves at once, where it has fewer places than there are
    /// members.
    pub places: Option<usize>,
    /// The fault of `netfault` that is a crowd around them.
    pub crowd: Option<String>,
    /// Arguments of the server that make its limit show sooner.
    #[serde(default)]
    pub server_args: Vec<String>,
}

/// Later releases of a program that updates itself: binaries of its own package.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Releases {
    /// The example that signs them.
    pub publisher: String,
    /// The one that it updates itself to.
    pub next: String,
    /// The one that does not run.
    pub broken: String,
}

/// Why the rung exists.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Why {
    /// The name of the fault in `netfault`.
    pub fault: String,
    /// Arguments of this rung's server that make the fault show sooner, beside those of
    /// the demo: a short limit.
    #[serde(default)]
    pub server_args: Vec<String>,
    /// Arguments of the server of the rung below, for the same.
    #[serde(default)]
    pub below_args: Vec<String>,
}

/// A fault that the rung does not survive yet.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limit {
    /// The name of the fault in `netfault`.
    pub fault: String,
    /// Further faults that are not survived for the same reason.
    #[serde(default)]
    pub also: Vec<String>,
    /// The rung that survives it.
    pub lifted_by: String,
    /// Arguments of the server that make the fault show sooner, beside those of the
    /// demo.
    #[serde(default)]
    pub server_args: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    metadata: Value,
    packages: Vec<Package>,
}

#[derive(Default, Deserialize)]
struct Order {
    order: Vec<String>,
}

/// The cargo that runs us, or the one on the path.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

impl Ladder {
    /// Asks cargo, in the folder that we are in.
    pub fn load() -> Result<Ladder, Failure> {
        let metadata = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
        Ladder::read(output(cargo().args(metadata))?.as_bytes())
    }

    fn read(metadata: &[u8]) -> Result<Ladder, Failure> {
        let metadata: Metadata = serde_json::from_slice(metadata)
            .map_err(|error| failure!("cannot read what cargo metadata prints: {error}"))?;
        let mut rungs = HashMap::new();
        for package in &metadata.packages {
            if let Some(rung) = package.rung()? {
                rungs.insert(rung.name.clone(), rung);
            }
        }
        let Metadata { workspace_root: root, packages, metadata } = metadata;
        let mut ladder =
            Ladder { root, rungs: Vec::new(), packages, built: Mutex::default(), metadata };
        let order: Order = ladder.metadata("ladder")?.unwrap_or_default();
        for name in order.order {
            let Some(rung) = rungs.remove(&name) else {
                return Err(failure!("{name} is in the order but has no ladder metadata"));
            };
            ladder.check_next(&rung)?;
            ladder.rungs.push(rung);
        }
        if let Some(name) = rungs.into_keys().min() {
            return Err(failure!("{name} has ladder metadata but is not in the order"));
        }
        for Rung { name, limits, .. } in &ladder.rungs {
            if let Some(limit) = limits.iter().find(|it| ladder.find(&it.lifted_by).is_none()) {
                return Err(failure!("{name}: no rung is called {}", limit.lifted_by));
            }
        }
        Ok(ladder)
    }

    /// `[workspace.metadata.KEY]`; `None` where there is no such table.
    pub fn metadata<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Failure> {
        let said = self.metadata.get(key).map(T::deserialize).transpose();
        said.map_err(|error| failure!("the {key} metadata of the workspace: {error}"))
    }

    /// Fails where `rung` does not fit on top of those below it.
    fn check_next(&self, rung: &Rung) -> Result<(), Failure> {
        let wrong = |what: String| Err(failure!("{}: {what}", rung.name));
        let below: HashSet<&str> = self.rungs.iter().map(|rung| rung.name.as_str()).collect();
        if rung.alias.is_empty() || rung.title.is_empty() {
            return wrong("has no alias, or no title".into());
        }
        if let Some(builds_on) = rung.builds_on.as_deref().filter(|name| !below.contains(name)) {
            return wrong(format!("builds on {builds_on}, which is not below it in the order"));
        }
        if self.find(&rung.alias).is_some() || RESERVED.contains(&rung.alias.as_str()) {
            return wrong(format!("its alias {} is taken", rung.alias));
        }
        if rung.why.is_some() && rung.builds_on.is_none() {
            return wrong("has a why, but builds on no rung that could fail it".into());
        }
        let limits: Vec<&str> = rung.limits.iter().flat_map(Limit::faults).collect();
        let twice = limits.iter().find(|name| limits.iter().filter(|it| it == name).count() > 1);
        match twice {
            Some(twice) => wrong(format!("the limit {twice} is there twice")),
            None => Ok(()),
        }
    }

    /// Every step: the rung that it starts from, and the rung that it leads to.
    pub fn steps(&self) -> impl Iterator<Item = (&Rung, &Rung)> {
        self.rungs.iter().filter_map(|rung| self.step_to(rung))
    }

    /// The step to `rung`; `None` where it builds on nothing.
    pub fn step_to<'a>(&'a self, rung: &'a Rung) -> Option<(&'a Rung, &'a Rung)> {
        Some((self.find(rung.builds_on.as_deref()?)?, rung))
    }

    pub fn find(&self, name: &str) -> Option<&Rung> {
        self.rungs.iter().find(|rung| rung.name == name || rung.alias == name)
    }

    /// The same, where there has to be one.
    pub fn rung(&self, name: &str) -> Result<&Rung, Failure> {
        self.find(name).ok_or_else(|| failure!("there is no rung called {name}"))
    }

    /// The path from the top, with `/` on every system.
    pub fn within(&self, path: &Path) -> String {
        with_slashes(path.strip_prefix(&self.root).unwrap_or(path))
    }

    /// Every package of the workspace that this one needs, and those that they need: what
    /// goes with it where it is taken away. Sorted by name.
    pub fn blocks_of(&self, name: &str) -> Vec<&Package> {
        let mut found = BTreeMap::new();
        let mut waiting = vec![name];
        while let Some(package) = waiting.pop().and_then(|name| self.package(name)) {
            for needed in package.dependencies.iter().filter(|needed| needed.path.is_some()) {
                if let Some(block) = self.package(&needed.name)
                    && needed.name != name
                    && found.insert(block.name.as_str(), block).is_none()
                {
                    waiting.push(&block.name);
                }
            }
        }
        found.into_values().collect()
    }

    /// The package that a project of `rung` begins with.
    pub fn starter_of(&self, rung: &Rung) -> Result<&Package, Failure> {
        let name = rung.starter.as_ref().unwrap_or(&rung.name);
        self.package(name).ok_or_else(|| failure!("{}: there is no package {name}", rung.name))
    }

    pub fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }
}

impl Package {
    pub fn folder(&self) -> PathBuf {
        self.manifest_path.parent().map(PathBuf::from).unwrap_or_default()
    }

    /// `[package.metadata.KEY]`; `None` where its manifest has no such table.
    pub fn metadata<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Failure> {
        let Some(said) = self.metadata.get(key) else { return Ok(None) };
        T::deserialize(said).map(Some).map_err(|error| {
            failure!("the {key} metadata in {}: {error}", self.manifest_path.display())
        })
    }

    fn rung(&self) -> Result<Option<Rung>, Failure> {
        let rung: Option<Rung> = self.metadata("ladder")?;
        Ok(rung.map(|rung| Rung { name: self.name.clone(), folder: self.folder(), ..rung }))
    }
}

impl Rung {
    /// Whether its server ends when it has served one client.
    pub fn serves_once(&self) -> bool {
        self.limit("second-visit").is_some()
    }

    /// The limit that this fault meets here, if the rung has one.
    pub fn limit(&self, fault: &str) -> Option<&Limit> {
        self.limits.iter().find(|limit| limit.faults().any(|name| name == fault))
    }

    /// Whether its server reads tokens, which are in a file that is its owner's alone: it is
    /// started with more than a port, and as nobody else.
    pub fn has_tokens(&self) -> bool {
        self.server_args.iter().any(|arg| arg == "--tokens")
    }

    /// The folder of its certificates, where it has one.
    pub fn certs_folder(&self) -> Option<PathBuf> {
        self.certs.first().map(|certs| self.folder.join(certs))
    }

    /// What its client is told beside where and what, where it has certificates: the first
    /// run of the demo without its messages.
    pub fn client_args(&self) -> &[String] {
        match self.demo.first() {
            Some(run) if !self.certs.is_empty() => {
                &run.args[..run.args.len().saturating_sub(run.expect.len())]
            }
            _ => &[],
        }
    }

    /// Has the certificates made that it is started with, unless they are there and fresh.
    /// `program` is its own.
    ///
    /// # Errors
    /// When it does not make them.
    pub fn prepare(&self, program: &Path) -> Result<(), Failure> {
        let Some(folder) = self.certs_folder().filter(|folder| !is_fresh(folder)) else {
            return Ok(());
        };
        create_folder(folder.parent().unwrap_or(&folder))?;
        // One at a time, in this process and in others: a server that is running shows what
        // the first one has made, and its clients must find the same.
        let lock = folder.with_extension("lock");
        let lock = fs::File::create(&lock).and_then(|file| file.lock().map(|()| file));
        let _lock = lock.doing("lock", &folder)?;
        if is_fresh(&folder) {
            return Ok(());
        }
        // Made beside it and moved as a whole: whoever else looks finds all of it or nothing.
        let beside = folder.with_extension("new");
        let beside = Scratch::new(beside.clone()).doing("make", &beside)?;
        let made = beside.path().join("made");
        let mut command = Command::new(program);
        output(command.arg("certs").arg(&made).args(&self.certs[1..]).current_dir(&self.folder))?;
        if folder.exists() {
            fs::rename(&folder, beside.path().join("old")).doing("remove", &folder)?;
        }
        fs::rename(&made, &folder).doing("make", &folder)
    }

    pub fn passes(&self, suite: &str) -> bool {
        self.suites.iter().any(|name| name == suite)
    }
}

/// Whether a folder is there, and not so old that certificates in it may have expired.
fn is_fresh(folder: &Path) -> bool {
    let made = fs::metadata(folder).and_then(|folder| folder.modified());
    made.is_ok_and(|made| made.elapsed().unwrap_or_default() < FRESH)
}

impl ClientRun {
    pub fn args(&self) -> Vec<&str> {
        self.args.iter().map(String::as_str).collect()
    }

    pub fn printed(&self) -> String {
        self.expect.iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Limit {
    pub fn faults(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.fault.as_str()).chain(self.also.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, ladder: Value) -> Value {
        json!({
            "name": name, "manifest_path": format!("/w/crates/{name}/Cargo.toml"), "edition": "2024",
            "dependencies": [], "metadata": {"ladder": ladder},
        })
    }

    fn one() -> Value {
        json!({"alias": "one", "title": "is the first", "rows": [], "suites": []})
    }

    fn two() -> Value {
        json!({
            "alias": "two", "title": "is the second", "builds-on": "one-echo", "rows": [], "suites": [],
            "demo": [{"args": ["hello"], "expect": ["hello"]}],
            "why": {"fault": "silent"},
            "limits": [{"fault": "second-client", "lifted-by": "two-echo"}],
        })
    }

    fn read(order: &[&str], packages: Vec<Value>) -> Result<Ladder, String> {
        let metadata = json!({
            "workspace_root": "/w",
            "metadata": {"ladder": {"order": order}}, "packages": packages,
        });
        Ladder::read(metadata.to_string().as_bytes()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn rungs_come_in_the_order_of_the_workspace_and_go_by_name_or_alias() {
        let packages = vec![package("two-echo", two()), package("one-echo", one())];
        let ladder = read(&["one-echo", "two-echo"], packages).unwrap();
        let names: Vec<&str> = ladder.rungs.iter().map(|rung| rung.name.as_str()).collect();
        assert_eq!(names, ["one-echo", "two-echo"]);
        assert_eq!(ladder.find("two").unwrap().name, "two-echo");
        assert_eq!(ladder.find("two-echo").unwrap().folder, PathBuf::from("/w/crates/two-echo"));
        assert!(ladder.find("three").is_none());
    }

    #[test]
    fn what_a_rung_needs_goes_with_it_and_so_does_what_that_needs() {
        let needs = |(name, other)| {
            let mut package = package(name, json!(null));
            package["metadata"] = json!(null);
            package["dependencies"] = json!([{"name": other, "req": "*", "path": "/w"}]);
            package
        };
        let arrows =
            [("one-echo", "httpcore"), ("netcore", "x"), ("httpcore", "netcore"), ("y", "netcore")];
        let ladder = read(&[], arrows.map(needs).into()).unwrap();
        let blocks = ladder.blocks_of("one-echo");
        let names: Vec<&str> = blocks.iter().map(|block| block.name.as_str()).collect();
        assert_eq!(names, ["httpcore", "netcore"]);
    }

    #[test]
    fn a_mistake_in_a_manifest_is_told_with_its_name() {
        let limits = |also: Value, lifted_by: &str| json!([{"fault": "silent", "also": also, "lifted-by": lifted_by}]);
        for (key, value, why) in [
            ("titel", json!("misspelt"), "unknown field `titel`"),
            ("alias", json!(null), "invalid type"),
            ("title", json!(""), "has no alias, or no title"),
            ("alias", json!("one"), "its alias one is taken"),
            ("alias", json!(RESERVED[0]), "is taken"),
            ("builds-on", json!("zero-echo"), "not below it in the order"),
            ("builds-on", json!("two-echo"), "not below it in the order"),
            ("builds-on", json!(null), "builds on no rung"),
            ("limits", limits(json!(["drip", "silent"]), "two-echo"), "silent is there twice"),
            ("limits", limits(json!([]), "three-echo"), "no rung is called three-echo"),
            ("transport", json!("pigeon"), "unknown variant `pigeon`"),
        ] {
            let mut ladder = two();
            ladder[key] = value;
            let packages = vec![package("one-echo", one()), package("two-echo", ladder)];
            let said = read(&["one-echo", "two-echo"], packages).unwrap_err();
            assert!(said.contains(why) && said.contains("two-echo"), "{said}");
        }
        let said = read(&["one-echo"], vec![]).unwrap_err();
        assert_eq!(said, "one-echo is in the order but has no ladder metadata");
        let said = read(&[], vec![package("one-echo", one())]).unwrap_err();
        assert_eq!(said, "one-echo has ladder metadata but is not in the order");
    }

    /// A rung in `folder` that has them made by a program of this one line.
    #[cfg(unix)]
    fn with_certificates(folder: &Path, line: &str) -> (Rung, PathBuf) {
        use std::os::unix::fs::PermissionsExt;
        let program = folder.join("program");
        fs::write(&program, format!("#!/bin/sh\n{line}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let mut rung =
            read(&["one-echo"], vec![package("one-echo", one())]).unwrap().rungs.remove(0);
        rung.folder = folder.into();
        rung.certs = vec!["certs".into()];
        (rung, program)
    }

    #[cfg(unix)]
    #[test]
    fn certificates_are_made_where_there_are_none_and_anew_before_they_expire() {
        let folder = tempfile::tempdir().unwrap();
        let (mut rung, program) = with_certificates(folder.path(), "mkdir $2 && touch $2/$3");
        let certs = folder.path().join("certs");
        let mut made = |file: &str| {
            rung.certs = vec!["certs".into(), file.into()];
            rung.prepare(&program).unwrap();
            let names = fs::read_dir(&certs).unwrap();
            names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!([made("first"), made("second")], [["first"], ["first"]]);
        let long_ago = std::time::SystemTime::now() - FRESH - Duration::from_secs(1);
        fs::File::open(&certs).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(made("third"), ["third"]);
        // The program, the certificates and the lock.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[cfg(unix)]
    #[test]
    fn certificates_are_made_once_however_many_want_them() {
        let folder = tempfile::tempdir().unwrap();
        let (rung, program) = with_certificates(folder.path(), "mkdir $2 && echo $$ > $2/who");
        let certs = folder.path().join("certs");
        let seen: HashSet<String> = std::thread::scope(|scope| {
            let prepared = || {
                rung.prepare(&program).unwrap();
                fs::read_to_string(certs.join("who")).unwrap()
            };
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(prepared)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(seen.len(), 1, "{seen:?}");
    }
}

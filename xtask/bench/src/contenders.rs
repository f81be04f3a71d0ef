//! The servers that are measured: read from the manifests of the rungs and of netload,
//! never held in a list here.

use ladder::{Failure, Ladder, failure};
use serde::Deserialize;

use crate::fronts::Front;
use crate::scenarios::{Clients, Scenario, Speaks};

/// A server.
#[derive(Debug, Clone)]
pub struct Contender {
    /// A rung's package, or the name of a peer.
    pub name: String,
    /// The short name of a rung.
    pub alias: Option<String>,
    /// A few words.
    pub title: String,
    /// Whether it is a rung.
    pub ours: bool,
    /// Whether ratios are to this one.
    pub base: bool,
    speaks: Vec<Speaks>,
    clients: Clients,
    /// How it is started.
    pub start: Start,
}

/// How a server is started.
#[derive(Debug, Clone)]
pub enum Start {
    /// The program of a rung, with these arguments after `server --port 0`.
    Rung(Vec<String>),
    /// An example of netload.
    Example(String),
    /// A script of netload's peers with its arguments, and the module that it needs.
    Python(Vec<String>, Option<String>),
    /// nginx, with a configuration of ours.
    Nginx,
    /// One that encrypts, in front of `threaded-echo`.
    Front(Front),
}

/// `[package.metadata.bench]` of a rung.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RungBench {
    speaks: Speaks,
    clients: Clients,
    /// `{connections}` stands for how many come at once, `{site}` for the folder of the
    /// pages.
    #[serde(default)]
    server_args: Vec<String>,
}

/// `[[package.metadata.peers]]` of netload. One of `example`, `python`, `nginx` and `front` says
/// how it is started.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Peer {
    name: String,
    title: String,
    speaks: Vec<Speaks>,
    clients: Clients,
    #[serde(default)]
    base: bool,
    example: Option<String>,
    python: Option<Vec<String>>,
    needs: Option<String>,
    #[serde(default)]
    nginx: bool,
    front: Option<Front>,
}

/// All of them: the peers that ratios are to first, then the rungs in their order, then
/// the other peers. Read from the manifests.
pub fn load(ladder: &Ladder) -> Result<Vec<Contender>, Failure> {
    let mut contenders = Vec::new();
    for rung in &ladder.rungs {
        let said: Option<RungBench> =
            ladder.package(&rung.name).map_or(Ok(None), |package| package.metadata("bench"))?;
        let Some(bench) = said else { continue };
        contenders.push(Contender {
            name: rung.name.clone(),
            alias: Some(rung.alias.clone()),
            title: rung.title.clone(),
            ours: true,
            base: false,
            speaks: vec![bench.speaks],
            clients: bench.clients,
            start: Start::Rung(bench.server_args),
        });
    }
    let netload = ladder.package("netload");
    let peers: Option<Vec<Peer>> = netload.map_or(Ok(None), |package| package.metadata("peers"))?;
    for Peer { name, title, speaks, clients, base, example, python, needs, nginx, front } in
        peers.unwrap_or_default()
    {
        let start = match (example, python, nginx, front) {
            (Some(example), None, false, None) => Start::Example(example),
            (None, Some(script), false, None) => Start::Python(script, needs),
            (None, None, true, None) => Start::Nginx,
            (None, None, false, Some(front)) => Start::Front(front),
            _ => {
                return Err(failure!("netload: the peer {name} is started in one way"));
            }
        };
        let ours = false;
        contenders.push(Contender { name, alias: None, title, ours, base, speaks, clients, start });
    }
    contenders.sort_by_key(|contender| !contender.base);
    Ok(contenders)
}

/// The one of this name or short name.
pub fn find<'a>(contenders: &'a [Contender], name: &str) -> Option<&'a Contender> {
    let called = |one: &&Contender| one.name == name || one.alias.as_deref() == Some(name);
    contenders.iter().find(called)
}

/// All names.
pub fn names(contenders: &[Contender]) -> Vec<String> {
    contenders.iter().map(|contender| contender.name.clone()).collect()
}

impl Contender {
    /// Whether it serves the clients of this scenario.
    pub fn serves(&self, scenario: &Scenario) -> bool {
        self.speaks.contains(&scenario.speaks) && self.clients >= scenario.clients
    }
}

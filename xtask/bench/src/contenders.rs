//! The servers that are measured: read from the manifests of the rungs and of netload,
//! never held in a list here.

use ladder::{Failure, Ladder, failure};
use serde::Deserialize;

use crate::fronts::Front;
use crate::scenarios::{Clients, Scenario, Speaks};

#[derive(Debug, Clone)]
pub struct Contender {
    /// A rung's package, or the name of a peer.
    pub name: String,
    pub alias: Option<String>,
    pub title: String,
    pub ours: bool,
    /// Whether ratios are to this one.
    pub base: bool,
    speaks: Vec<Speaks>,
    clients: Clients,
    pub start: Start,
    /// How netload speaks to it, where there are several ways.
    pub dialect: Option<String>,
}

/// How a server is started.
#[derive(Debug, Clone)]
pub enum Start {
    /// The program of a rung, with these arguments after `server --port 0`.
    Rung(Vec<String>),
    Example(String),
    /// A script of netload's peers with its arguments, and the module that it needs.
    Python(Vec<String>, Option<String>),
    Nginx,
    /// Another program with its arguments, where `{port}` stands for its port.
    Program(Vec<String>),
    /// One that encrypts, in front of `threaded-echo`.
    Front(Front),
}

/// `[package.metadata.bench]` of a rung.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RungBench {
    speaks: Speaks,
    /// What it is measured beside as well, over what it speaks.
    #[serde(default)]
    beside: Vec<Speaks>,
    clients: Clients,
    /// `{connections}` stands for how many come at once, `{site}` for the folder of the
    /// pages.
    #[serde(default)]
    server_args: Vec<String>,
}

/// `[[package.metadata.peers]]` of netload. One of `example`, `python`, `nginx`, `program`
/// and `front` says how it is started.
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
    program: Option<Vec<String>>,
    dialect: Option<String>,
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
            speaks: [&[bench.speaks], &bench.beside[..]].concat(),
            clients: bench.clients,
            start: Start::Rung(bench.server_args),
            dialect: None,
        });
    }
    let netload = ladder.package("netload");
    let peers: Option<Vec<Peer>> = netload.map_or(Ok(None), |package| package.metadata("peers"))?;
    for peer in peers.unwrap_or_default() {
        let Peer { name, title, speaks, clients, base, dialect, .. } = peer;
        let start = match (peer.example, peer.python, peer.nginx, peer.program, peer.front) {
            (Some(example), None, false, None, None) => Start::Example(example),
            (None, Some(script), false, None, None) => Start::Python(script, peer.needs),
            (None, None, true, None, None) => Start::Nginx,
            (None, None, false, Some(program), None) if !program.is_empty() => {
                Start::Program(program)
            }
            (None, None, false, None, Some(front)) => Start::Front(front),
            _ => {
                return Err(failure!("netload: the peer {name} is started in one way"));
            }
        };
        let ours = false;
        let alias = None;
        contenders.push(Contender {
            name,
            alias,
            title,
            ours,
            base,
            speaks,
            clients,
            start,
            dialect,
        });
    }
    contenders.sort_by_key(|contender| !contender.base);
    Ok(contenders)
}

pub fn find<'a>(contenders: &'a [Contender], name: &str) -> Option<&'a Contender> {
    let called = |one: &&Contender| one.name == name || one.alias.as_deref() == Some(name);
    contenders.iter().find(called)
}

pub fn names(contenders: &[Contender]) -> Vec<String> {
    contenders.iter().map(|contender| contender.name.clone()).collect()
}

impl Contender {
    /// Whether it listens on a file.
    pub fn is_on_a_file(&self) -> bool {
        self.speaks.first() == Some(&Speaks::Unix)
    }

    pub fn serves(&self, scenario: &Scenario) -> bool {
        self.speaks.contains(&scenario.speaks) && self.clients >= scenario.clients
    }
}

//! The servers that are measured: read from the manifests of the rungs and of netload,
//! never held in a list here.

use ladder::{Failure, Ladder};
use serde::Deserialize;

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

/// `[[package.metadata.peers]]` of netload. One of `example`, `python` and `nginx` says
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
}

/// All of them: the peers that ratios are to first, then the rungs in their order, then
/// the other peers.
pub struct Contenders(Vec<Contender>);

impl Contenders {
    /// Reads the manifests.
    pub fn load(ladder: &Ladder) -> Result<Contenders, Failure> {
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
        let peers: Option<Vec<Peer>> =
            netload.map_or(Ok(None), |package| package.metadata("peers"))?;
        let peers = peers.unwrap_or_default();
        let mut bases = Vec::new();
        for peer in peers {
            let start = match (peer.example, peer.python, peer.nginx) {
                (Some(example), None, false) => Start::Example(example),
                (None, Some(script), false) => Start::Python(script, peer.needs),
                (None, None, true) => Start::Nginx,
                _ => {
                    let name = peer.name;
                    return Err(Failure::new(format!(
                        "netload: the peer {name} is started in one way"
                    )));
                }
            };
            let contender = Contender {
                name: peer.name,
                alias: None,
                title: peer.title,
                ours: false,
                base: peer.base,
                speaks: peer.speaks,
                clients: peer.clients,
                start,
            };
            if contender.base { bases.push(contender) } else { contenders.push(contender) }
        }
        bases.append(&mut contenders);
        Ok(Contenders(bases))
    }

    /// The one of this name or short name.
    pub fn find(&self, name: &str) -> Option<&Contender> {
        self.0
            .iter()
            .find(|contender| contender.name == name || contender.alias.as_deref() == Some(name))
    }

    /// All names.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|contender| contender.name.clone()).collect()
    }

    /// Those that can be started here and are meant. What ratios are to is always
    /// meant.
    pub fn retain(&mut self, mut keep: impl FnMut(&Contender) -> bool) {
        self.0.retain(|contender| keep(contender));
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Contender> {
        self.0.iter()
    }
}

impl Contender {
    /// Whether it serves the clients of this scenario.
    pub fn serves(&self, scenario: &Scenario) -> bool {
        self.speaks.contains(&scenario.speaks) && self.clients >= scenario.clients
    }
}

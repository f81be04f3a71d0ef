//! The servers that are measured: read from the manifests of the rungs and of netload,
//! never held in a list here.

use ladder::{Failure, Ladder};
use serde::Deserialize;

use crate::scenarios::{Clients, Scenario, Speaks};

/// `[[package.metadata.peers]]` of netload has all of it but what is skipped.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Contender {
    /// A rung's package, or the name of a peer.
    pub name: String,
    #[serde(skip)]
    pub alias: Option<String>,
    pub title: String,
    #[serde(skip)]
    pub ours: bool,
    /// Whether ratios are to this one.
    #[serde(default)]
    pub base: bool,
    pub speaks: Vec<Speaks>,
    clients: Clients,
    #[serde(flatten)]
    pub start: Start,
    /// A file of netload's peers that its program reads.
    pub configuration: Option<String>,
    /// Arguments with which its program shows that it is there, and ends.
    #[serde(default = "version")]
    pub look: Vec<String>,
    /// What is missing where it does not: its program, unless something else is named.
    pub needs: Option<String>,
    /// The rung that it stands in front of.
    pub behind: Option<String>,
    /// How netload speaks to it, where there are several ways.
    pub dialect: Option<String>,
    /// Further arguments of netload for it.
    #[serde(default)]
    pub load: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// The program of a rung, with these arguments after `server --port 0`.
    #[serde(skip)]
    Rung(Vec<String>),
    /// One of netload.
    Example(String),
    /// Another program with its arguments, where `{port}` stands for its port and `{certs}`
    /// for the folder of the certificates.
    Program(Vec<String>),
}

fn version() -> Vec<String> {
    vec!["--version".into()]
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
    /// `{connections}` is how many come at once, `{site}` the folder of the pages.
    #[serde(default)]
    server_args: Vec<String>,
}

/// The peers that ratios are to, then the rungs in their order, then the other peers.
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
            configuration: None,
            look: Vec::new(),
            needs: None,
            behind: None,
            dialect: None,
            load: Vec::new(),
        });
    }
    let netload = ladder.package("netload").map(|package| package.metadata("peers"));
    contenders.extend(netload.transpose()?.flatten().unwrap_or_else(Vec::new));
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

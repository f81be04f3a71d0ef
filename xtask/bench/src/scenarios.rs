//! What is measured: the load, and which servers it is for. Read from the manifest of
//! netload.

use ladder::{Failure, Ladder, failure};
use serde::Deserialize;

/// What a server and its clients say to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaks {
    /// The same bytes back, over TCP.
    Tcp,
    /// The same bytes back, over a UNIX socket.
    Unix,
    Udp,
    Object,
    Http,
    /// What one says many hear, in the words of each server.
    Room,
    /// The same bytes back, in TLS.
    Tls,
}

/// How many clients a server takes. The order is from few to many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clients {
    /// One, and then it ends.
    One,
    OneAtATime,
    /// At once.
    #[default]
    Many,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    #[default]
    Replies,
    Bytes,
    /// The clients are silent, and what counts is what the server does all the same.
    Nothing,
}

/// `[[package.metadata.scenarios]]` of netload: one kind of load.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    /// What happens, for whoever reads the table.
    pub what: String,
    pub speaks: Speaks,
    #[serde(default)]
    pub clients: Clients,
    #[serde(default = "usual")]
    pub connections: usize,
    /// What netload is told.
    pub load: Vec<String>,
    #[serde(default)]
    pub unit: Unit,
    /// Whether server and load share a core. Both are slower then, but neither waits
    /// for the other to be woken, and the ratio is that of the work alone.
    #[serde(default)]
    pub one_core: bool,
}

fn usual() -> usize {
    64
}

/// All of them, in the order of the report.
pub fn load(ladder: &Ladder) -> Result<Vec<Scenario>, Failure> {
    let netload = ladder.package("netload").map(|package| package.metadata("scenarios"));
    netload.transpose()?.flatten().ok_or_else(|| failure!("netload names no scenarios"))
}

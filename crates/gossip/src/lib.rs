//! Notice board without a server: every node asks and answers, and what one has learnt all
//! will learn, whoever dies.
//!
//! [`replica`] is one node without a socket: whom it asks in each round, what it answers,
//! and whom it calls away; [`table`] is what it knows. [`wire`] is how that stands in a
//! datagram and [`proofs`] what a datagram has to show. [`node`] is the loop around them,
//! [`client`] a node that does not stay, and [`simulation`] a network of hundreds in one
//! process.
//!
//! Still wrong: a node whose notices were heard by nobody takes them with it; nothing is
//! kept on disk; two that write at once are in no common order. The chapter says what
//! consensus adds. Text goes in the open, with a secret too (`tls-echo`).
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::time::Duration;

use clap::Args;
use netcore::Error;
use netcore::cli::duration;

pub mod access;
pub mod client;
pub mod command;
pub mod node;
pub mod proofs;
pub mod replica;
pub mod simulation;
pub mod table;
pub mod wire;

/// The port of a node, unless told otherwise.
pub const PORT: u16 = 7400;

/// Rounds of silence before a node may be called away. In fewer its news do not always come
/// round: of two dozen that live, some are called away for nothing.
pub const LEAST_PATIENCE: u32 = 8;

/// How a node behaves: the same for all nodes of a board, or their patience differs.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Ask somebody this often: news take about log2(nodes) of these to reach all
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "500ms")]
    pub every: Duration,
    /// Call a node away when its counter has stood still for so long, and so long again for
    /// each 25 nodes
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s")]
    pub away_after: Duration,
    /// Forget a notice at this age, and a node that has been silent for so long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60m")]
    pub keep: Duration,
    /// Know at most so many nodes; each has 8 notices of 200 bytes at most
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub max_nodes: usize,
}

impl Settings {
    /// That a node can live by them.
    ///
    /// # Errors
    /// [`Error::Usage`]: two of them contradict each other.
    pub fn check(&self) -> Result<(), Error> {
        let Settings { every, away_after, keep, max_nodes } = self;
        let wrong = if *away_after < every.saturating_mul(LEAST_PATIENCE) {
            format!(
                "--away-after {away_after:?} is less than {LEAST_PATIENCE} of --every {every:?}: \
                 who lives would be away"
            )
        } else if keep < away_after {
            format!("--keep {keep:?} is less than --away-after {away_after:?}: all are forgotten")
        } else if *max_nodes < 2 {
            "--max-nodes is 2 at least: this node is one of them".into()
        } else {
            return Ok(());
        };
        Err(Error::Usage(wrong))
    }
}

impl Default for Settings {
    /// What they are when nothing is said.
    fn default() -> Settings {
        Settings {
            every: Duration::from_millis(500),
            away_after: Duration::from_secs(5),
            keep: Duration::from_secs(60 * 60),
            max_nodes: 1_000,
        }
    }
}

/// As tables count time.
fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 1_000_000)
}

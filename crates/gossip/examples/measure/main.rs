//! What the chapter has of figures: `cargo run --release -p gossip --example measure` prints
//! how many rounds it takes until all know, beside log2 of the nodes: of real replicas in
//! the simulation, and of the rule alone. `... -- --svg FILE` draws it as well, and
//! `... -- PROGRAM` measures real nodes of that program, in milliseconds.

mod chart;
mod real;

use std::io::Error;

use gossip::Settings;
use gossip::simulation::{Random, Simulation};

/// Numbers of nodes, with how many runs of the replica there are. A node has room for 1,000
/// others, as it is by default: of more, each knows a part.
const SIMULATED: [(usize, u64); 8] =
    [(5, 20), (20, 20), (50, 20), (100, 20), (300, 10), (1_000, 5), (3_000, 3), (10_000, 3)];

/// Rounds in which nothing happens, for what they cost.
const IDLE: u64 = 4;

/// Runs of the rule alone.
const RUNS: u64 = 100;

const REAL: [usize; 3] = [5, 20, 50];

/// Rounds until all of a network of some size know, of several runs.
pub struct Rounds {
    nodes: usize,
    replica: Vec<u64>,
    rule: Vec<u64>,
}

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => drop(all()),
        ["--svg", file] => std::fs::write(file, chart::drawn(&all()))?,
        [program] => REAL.into_iter().try_for_each(|nodes| real::measure(program, nodes))?,
        _ => return Err(Error::other("measure [--svg FILE | PROGRAM]")),
    }
    Ok(())
}

fn all() -> Vec<Rounds> {
    println!("| nodes | log2 | replica | the rule alone | bytes a node a second, idle |");
    println!("|---|---|---|---|---|");
    SIMULATED.into_iter().map(|(nodes, runs)| simulate(nodes, runs)).collect()
}

fn simulate(nodes: usize, runs: u64) -> Rounds {
    let settings = Settings::default();
    let (mut replica, mut bytes) = (Vec::new(), 0);
    for seed in 0..runs {
        let mut simulation = Simulation::settled(nodes, nodes / 2, seed, &settings);
        // Rounds of nodes do not begin at the same moment.
        simulation.rounds(2);
        simulation.say(nodes / 2, "hello");
        let took = simulation.rounds_until(100, |it| it.is_agreed(1));
        replica.push(took.unwrap_or(u64::MAX));
        let before: u64 = simulation.sent.iter().sum();
        simulation.rounds(IDLE);
        bytes += (simulation.sent.iter().sum::<u64>() - before) / nodes as u64 / IDLE;
    }
    let a_second = bytes / runs * 1_000 / settings.every.as_millis() as u64;
    let mut rule: Vec<u64> = (0..RUNS).map(|seed| rounds_of_the_rule(nodes, seed)).collect();
    replica.sort_unstable();
    rule.sort_unstable();
    let log2 = (nodes as f64).log2();
    println!("| {nodes} | {log2:.1} | {} | {} | {a_second} |", shown(&replica), shown(&rule));
    Rounds { nodes, replica, rule }
}

/// Each asks one other in each round, and both know what either knows: nothing else.
fn rounds_of_the_rule(nodes: usize, seed: u64) -> u64 {
    let mut random = Random(seed);
    let mut knows = vec![false; nodes];
    knows[nodes / 2] = true;
    let mut rounds = 0;
    while knows.contains(&false) {
        rounds += 1;
        // As rounds of nodes do not begin at the same moment, so neither do these.
        let first = random.below(nodes as u64) as usize;
        for asks in (first..nodes).chain(0..first) {
            let asked = random.below(nodes as u64) as usize;
            let either = knows[asks] || knows[asked];
            (knows[asks], knows[asked]) = (either, either);
        }
    }
    rounds
}

/// The median and the worst.
fn shown(rounds: &[u64]) -> String {
    let median = rounds.get(rounds.len() / 2);
    median.zip(rounds.last()).map_or(String::new(), |(median, worst)| format!("{median}, {worst}"))
}

//! What the chapter has of figures: `cargo run --release -p gossip --example measure` prints
//! how many rounds it takes until all know, in the simulation, beside log2 of the nodes;
//! `... --example measure -- PROGRAM` measures real nodes of that program, in milliseconds.

use std::io::{BufRead, BufReader, Error, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use gossip::Settings;
use gossip::simulation::Simulation;

/// Each number of nodes with how many of them a node knows at most, and how many runs
/// there are. A table of everybody for everybody would not fit into the memory.
const SIMULATED: [(usize, usize, u64); 8] = [
    (5, 1_000, 20),
    (20, 1_000, 20),
    (50, 1_000, 20),
    (100, 1_000, 10),
    (300, 1_000, 5),
    (1_000, 128, 5),
    (3_000, 128, 3),
    (10_000, 128, 3),
];

const REAL: [usize; 3] = [5, 20, 50];

/// Rounds in which nodes get to know each other.
const WARM_UP: u64 = 12;

fn main() -> Result<(), Error> {
    match std::env::args().nth(1) {
        Some(program) => REAL.into_iter().try_for_each(|nodes| measure(&program, nodes)),
        None => {
            println!(
                "| nodes | log2 | rounds until all know: median | worst | bytes a node a second, idle |"
            );
            println!("|---|---|---|---|---|");
            SIMULATED.into_iter().for_each(|(nodes, known, runs)| simulate(nodes, known, runs));
            Ok(())
        }
    }
}

fn simulate(nodes: usize, known: usize, runs: u64) {
    let settings = Settings { max_nodes: known, ..Settings::default() };
    let (mut rounds, mut bytes) = (Vec::new(), 0);
    for seed in 0..runs {
        let mut simulation =
            Simulation::new(nodes, if nodes <= 300 { 1 } else { 40 }, seed, &settings);
        // Where not all have room for all, the author has to be among the first that are met.
        let is_small = known >= nodes;
        simulation.rounds(if is_small { WARM_UP + nodes as u64 / 8 } else { 0 });
        simulation.say(nodes / 2, "hello");
        let took = simulation.rounds_until(100, |it| it.is_agreed(1));
        rounds.push(took.unwrap_or(u64::MAX));
        let before: u64 = simulation.sent.iter().sum();
        simulation.rounds(10);
        bytes += (simulation.sent.iter().sum::<u64>() - before) / nodes as u64 / 10;
    }
    rounds.sort_unstable();
    let (median, worst) = (rounds[rounds.len() / 2], rounds[rounds.len() - 1]);
    let a_second = bytes / runs * 1_000 / settings.every.as_millis() as u64;
    println!("| {nodes} | {:.1} | {median} | {worst} | {a_second} |", (nodes as f64).log2());
}

/// A node of the real program, and the lines that it prints.
struct Real {
    child: Child,
    keyboard: ChildStdin,
    lines: Receiver<String>,
}

impl Drop for Real {
    fn drop(&mut self) {
        // Fails where it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Real {
    fn start(program: &str, name: &str, seed: Option<&str>) -> Result<Real, Error> {
        let mut command = Command::new(program);
        command.args(["node", "--port", "0", "--name", name]);
        command.args(seed.iter().flat_map(|seed| ["--seed", seed]));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let gone = || Error::other("a node has no standard streams");
        let keyboard = child.stdin.take().ok_or_else(gone)?;
        let stdout = child.stdout.take().ok_or_else(gone)?;
        let (tell, lines) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(stdout)
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| tell.send(line))
        });
        Ok(Real { child, keyboard, lines })
    }

    fn wait_for(&self, is: impl Fn(&str) -> bool) -> Result<String, Error> {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(60)).map_err(Error::other)?;
            if is(&line) {
                return Ok(line);
            }
        }
    }
}

fn measure(program: &str, number: usize) -> Result<(), Error> {
    let first = Real::start(program, "n0", None)?;
    let ready = first.wait_for(|line| line.starts_with("listening on "))?;
    let seed = ready.trim_start_matches("listening on ").to_string();
    let mut nodes = vec![first];
    for node in 1..number {
        nodes.push(Real::start(program, &format!("n{node}"), Some(&seed))?);
    }
    let mut met = 0;
    while met < number - 1 {
        nodes[0].wait_for(|line| line.ends_with(" joined"))?;
        met += 1;
    }
    // All others know it as well.
    thread::sleep(Duration::from_secs(5));
    let mut took = Vec::new();
    for run in 0..9 {
        let started = Instant::now();
        writeln!(nodes[number / 2].keyboard, "run {run}")?;
        let said = format!("n{}: run {run}", number / 2);
        for (at, node) in nodes.iter().enumerate() {
            if at != number / 2 {
                node.wait_for(|line| line == said)?;
            }
        }
        took.push(started.elapsed().as_millis());
    }
    took.sort_unstable();
    let killed = Instant::now();
    drop(nodes.pop());
    let away = format!("* n{} is away", number - 1);
    let mut marked = Vec::new();
    for node in &nodes {
        node.wait_for(|line| line == away)?;
        marked.push(killed.elapsed().as_millis());
    }
    let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
    let last = marked.iter().max().copied().unwrap_or_default();
    println!(
        "{number} nodes: all know after {median} ms (worst of 9: {worst}); a killed one is away for the last after {last} ms"
    );
    Ok(())
}

//! What the chapter has of figures: `cargo run --release -p gossip --example measure` prints
//! how many rounds it takes until all know, beside log2 of the nodes: of real replicas in
//! the simulation, and of the rule alone, for more nodes than fit into a memory with a
//! table of all others each. `... --example measure -- PROGRAM` measures real nodes of that
//! program, in milliseconds.

use std::io::{BufRead, BufReader, Error, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use gossip::Settings;
use gossip::simulation::{Random, Simulation};

/// Numbers of nodes, with how many runs of the replica there are.
const SIMULATED: [(usize, u64); 8] =
    [(5, 20), (20, 20), (50, 20), (100, 10), (300, 5), (1_000, 0), (3_000, 0), (10_000, 0)];

/// Runs of the rule alone.
const RUNS: u64 = 100;

const REAL: [usize; 3] = [5, 20, 50];

/// Rounds in which nodes get to know each other.
const WARM_UP: u64 = 12;

fn main() -> Result<(), Error> {
    match std::env::args().nth(1) {
        Some(program) => REAL.into_iter().try_for_each(|nodes| measure(&program, nodes)),
        None => {
            println!("| nodes | log2 | replica | the rule alone | bytes a node a second, idle |");
            println!("|---|---|---|---|---|");
            SIMULATED.into_iter().for_each(|(nodes, runs)| simulate(nodes, runs));
            Ok(())
        }
    }
}

fn simulate(nodes: usize, runs: u64) {
    let settings = Settings { max_nodes: nodes.max(1_000), ..Settings::default() };
    let (mut rounds, mut bytes) = (Vec::new(), 0);
    for seed in 0..runs {
        let mut simulation = Simulation::new(nodes, 1, seed, &settings);
        simulation.rounds(WARM_UP + nodes as u64 / 8);
        simulation.say(nodes / 2, "hello");
        let took = simulation.rounds_until(100, |it| it.is_agreed(1));
        rounds.push(took.unwrap_or(u64::MAX));
        let before: u64 = simulation.sent.iter().sum();
        simulation.rounds(10);
        bytes += (simulation.sent.iter().sum::<u64>() - before) / nodes as u64 / 10;
    }
    let a_second = match bytes.checked_div(runs) {
        None => String::new(),
        Some(bytes) => (bytes * 1_000 / settings.every.as_millis() as u64).to_string(),
    };
    let rule = (0..RUNS).map(|seed| rounds_of_the_rule(nodes, seed)).collect();
    let log2 = (nodes as f64).log2();
    println!("| {nodes} | {log2:.1} | {} | {} | {a_second} |", shown(rounds), shown(rule));
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
fn shown(mut rounds: Vec<u64>) -> String {
    rounds.sort_unstable();
    let median = rounds.get(rounds.len() / 2);
    median.zip(rounds.last()).map_or(String::new(), |(median, worst)| format!("{median}, {worst}"))
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

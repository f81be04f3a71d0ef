//! Nodes of the real program, in milliseconds.

use std::io::{BufRead, BufReader, Error, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

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

/// Measures a board of so many nodes, and prints what came out.
pub fn measure(program: &str, number: usize) -> Result<(), Error> {
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

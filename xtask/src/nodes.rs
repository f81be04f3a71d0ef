//! Nodes that all ask each other, a column for each: what one says all learn; one is
//! killed, one stands still, and the network between them is cut in two and healed.

use std::io::Write;
use std::process::{ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use ladder::process::GENEROUS;
use ladder::screen::Tone;
use ladder::{Failure, Ladder, Process, Rung, Screen, failure};
use netfault::mesh::Mesh;

use crate::room::{Columns, Seen};

/// Rounds and patience that do not try that of who looks on.
const QUICK: [&str; 4] = ["--every", "200ms", "--away-after", "2s"];

/// Nodes on the left side of the cut.
const LEFT: usize = 2;

/// Plays what the manifest has for nodes.
pub fn play(ladder: &Ladder, rung: &Rung, screen: &Screen) -> Result<Seen, Failure> {
    let mut board = Board::new(ladder, rung, screen)?;
    board.columns.heads(&rung.nodes)?;
    for number in 0..rung.nodes.len() {
        board.start(number)?;
    }
    let all: Vec<usize> = (0..board.nodes.len()).collect();
    board.title("What one says all learn, by asking each other:")?;
    board.say(3, "hello, all", &all)?;

    board.title("The first of them is killed, which all others know:")?;
    board.kill(0)?;
    board.say(1, "we go on", &all[1..])?;
    board.title("It comes back with nothing, and catches up:")?;
    board.start(0)?;
    board.hear(&[0], "dora: hello, all")?;
    board.hear(&[0], "bob: we go on")?;

    board.stand_still(2)?;
    board.title("The network is cut: what is said here is not heard there.")?;
    board.mesh.cut(LEFT);
    board.say(0, "on the left", &all[..LEFT])?;
    board.say(4, "on the right", &all[LEFT..])?;
    board.hear_of(&all[..LEFT], 4, "is away")?;
    board.hear_of(&all[LEFT..], 0, "is away")?;
    board.title("It is healed: all are equal again.")?;
    board.mesh.heal();
    board.hear(&all[..LEFT], "eve: on the right")?;
    board.hear(&all[LEFT..], "ann: on the left")?;
    board.hear_of(&all[..LEFT], 4, "is back")?;
    board.hear_of(&all[LEFT..], 0, "is back")?;
    board.judge()
}

struct Board<'a> {
    rung: &'a Rung,
    program: std::path::PathBuf,
    mesh: Mesh,
    columns: Columns<'a>,
    screen: &'a Screen,
    nodes: Vec<Option<Node>>,
}

/// A node, and which of its lines were waited for.
struct Node {
    process: Process,
    keyboard: ChildStdin,
    seen: Vec<usize>,
}

impl<'a> Board<'a> {
    fn new(ladder: &Ladder, rung: &'a Rung, screen: &'a Screen) -> Result<Board<'a>, Failure> {
        let number = rung.nodes.len();
        let mesh = Mesh::new(number, netfault::SEED);
        Ok(Board {
            rung,
            program: ladder.program(&rung.name)?,
            mesh: mesh.map_err(|error| failure!("cannot stand between the nodes: {error}"))?,
            columns: Columns::new(number, screen),
            screen,
            nodes: (0..number).map(|_| None).collect(),
        })
    }

    fn title(&self, text: &str) -> Result<(), Failure> {
        self.screen.line("")?;
        self.screen.prose("  ", &self.screen.paint(Tone::Bold, text))
    }

    /// Starts one that knows the address of its neighbour, and waits until all others see it.
    fn start(&mut self, number: usize) -> Result<(), Failure> {
        let name = &self.rung.nodes[number];
        let is_back = self.nodes[number].is_some();
        let seed = if is_back { number + 1 } else { number.saturating_sub(1) };
        let [own, seed] = [number, seed].map(|number| self.mesh.address(number).to_string());
        let mut command = Command::new(&self.program);
        command.args(["node", "--name", name, "--port", "0", "--advertise", &own]);
        command.args(["--seed", &seed]).args(QUICK).stdin(Stdio::piped()).stdout(Stdio::piped());
        let process = Process::start(command.stderr(Stdio::null()))?;
        let address = process.wait_for_address(GENEROUS)?.inet();
        let address = address.map_err(|error| failure!("{name} listens on no port: {error}"))?;
        let keyboard = process.stdin().ok_or_else(|| failure!("{name} has no keyboard"))?;
        self.mesh.attach(number, address);
        self.nodes[number] = Some(Node { process, keyboard, seen: Vec::new() });
        self.columns.typed(number, "(starts)")?;
        let told = if is_back { "is back" } else { "joined" };
        self.hear_of(&self.others(number), number, told)
    }

    /// All that run, but for this one.
    fn others(&self, number: usize) -> Vec<usize> {
        let runs = |it: &usize| *it != number && self.nodes[*it].is_some();
        (0..self.nodes.len()).filter(runs).collect()
    }

    fn kill(&mut self, number: usize) -> Result<(), Failure> {
        self.node(number)?.process.kill();
        self.columns.aside(number, "(killed)")?;
        self.hear_of(&self.others(number), number, "is away")
    }

    /// Windows has nothing of the kind.
    fn stand_still(&mut self, number: usize) -> Result<(), Failure> {
        if cfg!(windows) {
            return Ok(());
        }
        let others = self.others(number);
        self.title("One stands still, as under a debugger, is away, and then back:")?;
        self.node(number)?.process.let_run(false);
        self.columns.aside(number, "(halted)")?;
        self.hear_of(&others, number, "is away")?;
        self.say(4, "where is it?", &others)?;
        self.node(number)?.process.let_run(true);
        self.columns.aside(number, "(goes on)")?;
        self.hear_of(&others, number, "is back")?;
        self.hear(&[number], "eve: where is it?")
    }

    /// One of them says something, which all of `listeners` learn, in so many milliseconds.
    fn say(&mut self, number: usize, text: &str, listeners: &[usize]) -> Result<(), Failure> {
        let name = &self.rung.nodes[number];
        let typed = writeln!(self.node(number)?.keyboard, "{text}");
        typed.map_err(|error| failure!("{name} does not read what is typed: {error}"))?;
        self.columns.typed(number, &format!("> {text}"))?;
        let others: Vec<usize> = listeners.iter().copied().filter(|it| *it != number).collect();
        self.hear(&others, &format!("{name}: {text}"))
    }

    /// Waits until each of `listeners` shows what has become of another one.
    fn hear_of(&mut self, listeners: &[usize], other: usize, what: &str) -> Result<(), Failure> {
        self.hear(listeners, &format!("* {} {what}", self.rung.nodes[other]))
    }

    /// Waits until each of `listeners` shows `line`: a row of them, and one of how long it
    /// took.
    fn hear(&mut self, listeners: &[usize], line: &str) -> Result<(), Failure> {
        let started = Instant::now();
        let mut waiting: Vec<usize> = listeners.to_vec();
        let mut took = vec![String::new(); self.nodes.len()];
        while !waiting.is_empty() {
            for number in waiting.clone() {
                if self.node(number)?.has_shown(line) {
                    waiting.retain(|it| *it != number);
                    took[number] = format!("after {} ms", started.elapsed().as_millis());
                }
            }
            if started.elapsed() > GENEROUS {
                let name = &self.rung.nodes[waiting[0]];
                return Err(failure!("{name} does not show {line:?} within {GENEROUS:?}"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let cell = |number| if listeners.contains(&number) { line } else { "" }.to_string();
        let cells: Vec<String> = (0..self.nodes.len()).map(cell).collect();
        self.columns.row(Tone::Server, &cells)?;
        self.columns.row(Tone::Dim, &took)
    }

    fn node(&mut self, number: usize) -> Result<&mut Node, Failure> {
        let name = &self.rung.nodes[number];
        self.nodes[number].as_mut().ok_or_else(|| failure!("{name} does not run"))
    }

    /// Whether all boards are the same in the end.
    fn judge(mut self) -> Result<Seen, Failure> {
        let mut boards = Vec::new();
        for number in 0..self.nodes.len() {
            let node = self.node(number)?;
            let typed = writeln!(node.keyboard, "/board");
            typed.map_err(|error| failure!("cannot ask for a board: {error}"))?;
            let is_board = |line: &str| line.strip_prefix("/board: ").map(String::from);
            let board = node.process.stdout().wait_for_line(GENEROUS, is_board);
            boards.push(board.map_err(|why| failure!("no board is shown: {why}"))?);
        }
        self.screen.line("")?;
        self.screen.prose("  ", &format!("The board of each: {}", boards[0]))?;
        let mut seen = Seen::default();
        match boards.iter().all(|board| *board == boards[0]) {
            true => seen.good.push(format!("{} nodes show the same board", boards.len())),
            false => seen.complaints.push(format!("the boards differ: {boards:?}")),
        }
        seen.good.push("who was killed, halted or cut off was away, and then back".into());
        Ok(seen)
    }
}

impl Node {
    /// Whether it shows this line, and has not been asked for it before.
    fn has_shown(&mut self, wanted: &str) -> bool {
        let text = self.process.stdout().text();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let is_new = |(at, line): &(usize, &str)| *line == wanted && !self.seen.contains(at);
        let found = whole.lines().enumerate().find(is_new);
        self.seen.extend(found.map(|(at, _)| at));
        found.is_some()
    }
}

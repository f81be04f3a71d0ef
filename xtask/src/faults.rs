//! Every fault against every rung: the matrix, as the manifests have it and as it is.

use std::iter;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use clap::Args;
use ladder::screen::{fit, progress};
use ladder::{Failure, Ladder, Rung, Screen, Tone, failure, workers};
use netcore::log::harmless_json;
use netfault::{Fault, descriptors};
use serde::Serialize;
use trial::{Cast, Expected, Faults, Outcome};

use crate::{list, package};

/// Trials at a time for each processor: most of them wait most of the time.
const AT_A_TIME: usize = 4;

#[derive(Args)]
pub struct Options {
    /// Only this rung, by name or short name
    pub rung: Option<String>,
    /// Only this fault
    fault: Option<String>,
    /// One line of JSON for each cell
    #[arg(long)]
    json: bool,
    /// Mix faults and ordinary clients for a while instead, and look at what each
    /// server holds at the end (Linux)
    #[arg(long, conflicts_with_all = ["json", "fault"])]
    pub soak: bool,
    /// How long a soak lasts
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "soak")]
    seconds: u64,
}

/// A cell of the matrix: what the manifest promises, and what was seen.
#[derive(Debug, Serialize)]
pub struct Cell {
    rung: String,
    fault: &'static str,
    /// `survives` or `limit`.
    expected: &'static str,
    /// `survives`, `limit`, `not here` where it cannot be played on this system, or
    /// `failed` where it could not begin.
    pub seen: &'static str,
    pub as_expected: bool,
    /// Whether an ordinary client was served when the fault was over.
    recovered: Option<bool>,
    /// For a limit: the rung that does not have it.
    lifted_by: Option<String>,
    pub story: String,
}

type Task<'a> = (&'a Rung, &'static Fault);

/// Plays what was asked for. Fails where a cell is not as its manifest has it.
pub fn run(options: &Options, screen: &Screen) -> Result<(), Failure> {
    descriptors::allow_many();
    let ladder = trial::load()?;
    if options.soak {
        let rungs = rungs(&ladder, options)?;
        let names = rungs.iter().map(|rung| rung.name.clone());
        let args: Vec<String> = iter::once(options.seconds.to_string()).chain(names).collect();
        return package::run("soak", &args);
    }
    let tasks = tasks(&ladder, options)?;
    let started = Instant::now();
    let cells = play(&ladder, &tasks)?;
    if options.json {
        for cell in &cells {
            let line = serde_json::to_string(cell)
                .map(harmless_json)
                .map_err(|error| failure!("cannot write a cell as JSON: {error}"))?;
            screen.line(&line)?;
        }
    } else if options.rung.is_some() || options.fault.is_some() {
        stories(&cells, screen)?;
    } else {
        matrix(&ladder, &cells, screen)?;
    }
    verdict(&cells, started, options, screen)
}

fn tasks<'a>(ladder: &'a Ladder, options: &Options) -> Result<Vec<Task<'a>>, Failure> {
    let fault = options.fault.as_deref().map(trial::faults::find).transpose()?;
    let rungs = rungs(ladder, options)?;
    let names: Vec<&str> = rungs.iter().map(|rung| rung.name.as_str()).collect();
    ladder.build(&names)?;
    let wanted = |one: &&Fault| fault.is_none_or(|wanted| wanted.name == one.name);
    let of = |rung: &'a Rung| rung.faults().filter(wanted).map(move |fault| (rung, fault));
    let tasks: Vec<Task> = rungs.into_iter().flat_map(of).collect();
    match tasks.is_empty() {
        true => Err(Failure::Usage("there is no such fault for what this rung speaks".into())),
        false => Ok(tasks),
    }
}

fn rungs<'a>(ladder: &'a Ladder, options: &Options) -> Result<Vec<&'a Rung>, Failure> {
    Ok(match options.rung.as_deref() {
        None | Some("all") => ladder.rungs.iter().collect(),
        Some(name) => vec![list::find(ladder, name)?],
    })
}

/// Plays all of them, several at a time, and returns their cells in the same order.
fn play(ladder: &Ladder, tasks: &[Task]) -> Result<Vec<Cell>, Failure> {
    let (all, done) = (tasks.len(), AtomicUsize::new(0));
    let processors = thread::available_parallelism().map_or(1, usize::from);
    workers::share(processors * AT_A_TIME, tasks, |_, (rung, fault)| {
        let args = rung.args_for(fault);
        let cast = Cast { ladder, rung, args: &args };
        let cell = play_one(cast, fault, Expected::of(rung, fault))?;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress(&if done == all { String::new() } else { format!("{done} of {all}") });
        Ok(cell)
    })
}

/// Plays one, and compares.
pub fn play_one(cast: Cast, fault: &'static Fault, expected: Expected) -> Result<Cell, Failure> {
    let rung = cast.rung;
    let limit = rung.limit(fault.name);
    let cell = |seen, as_expected, recovered, story| Cell {
        rung: rung.name.clone(),
        fault: fault.name,
        expected: if expected == Expected::Fails { "limit" } else { "survives" },
        seen,
        as_expected,
        recovered,
        lifted_by: limit.map(|limit| limit.lifted_by.clone()),
        story,
    };
    Ok(match trial::play(cast, fault, expected) {
        // One that cannot begin is a cell like any other, and an unexpected one.
        Err(Failure::Message(story)) => cell("failed", false, None, story),
        Err(Failure::Skipped(why)) => cell("not here", true, None, why),
        Err(failure) => return Err(failure),
        Ok(Outcome { survived, recovered, story }) => {
            let seen = if survived { "survives" } else { "limit" };
            let as_expected =
                survived == (expected == Expected::Survives) && recovered != Some(false);
            cell(seen, as_expected, recovered, story)
        }
    })
}

impl Cell {
    pub fn tone(&self) -> Tone {
        match (self.as_expected, self.seen) {
            (false, _) => Tone::Bad,
            (true, "survives") => Tone::Good,
            (true, "limit") => Tone::Warning,
            (true, _) => Tone::Dim,
        }
    }

    pub fn told(&self) -> String {
        let Cell { rung, fault, expected, seen, story, .. } = self;
        format!("{rung} {fault}: expected {expected}, seen {seen}: {story}")
    }
}

/// One line a cell, with what was seen.
fn stories(cells: &[Cell], screen: &Screen) -> Result<(), Failure> {
    let several = cells.iter().any(|cell| cell.rung != cells[0].rung);
    let name = |cell: &Cell| if several { cell.rung.clone() } else { cell.fault.to_string() };
    let names = cells.iter().map(|cell| name(cell).len()).max().unwrap_or(0);
    for cell in cells {
        let lifted = cell.lifted_by.iter().map(|rung| format!(" ({rung} lifts it)"));
        let text = format!("{}{}", cell.story, lifted.collect::<String>());
        let seen = screen.paint(cell.tone(), &fit(cell.seen, 8));
        let left = format!("  {}  {seen}  ", fit(&name(cell), names));
        screen.hang(&left, Tone::Plain, &text)?;
    }
    Ok(())
}

/// Faults down, rungs across.
fn matrix(ladder: &Ladder, cells: &[Cell], screen: &Screen) -> Result<(), Failure> {
    let names = netfault::ALL.iter().map(|fault| fault.name.len()).max().unwrap_or(0);
    // A rung's short name, written downwards: there are many rungs and the names are longer
    // than the cells.
    let aliases: Vec<&str> = ladder.rungs.iter().map(|rung| rung.alias.as_str()).collect();
    let height = aliases.iter().map(|alias| alias.len()).max().unwrap_or(0);
    for row in 0..height {
        let letters = aliases.iter().map(|alias| {
            let above = height - alias.len();
            row.checked_sub(above).and_then(|at| alias.chars().nth(at)).unwrap_or(' ')
        });
        let letters: String = letters.map(|letter| format!("  {letter}")).collect();
        screen.line(&format!("  {}{letters}", " ".repeat(names)))?;
    }
    for fault in netfault::ALL {
        let mut line = format!("  {}", fit(fault.name, names));
        for rung in &ladder.rungs {
            let cell = cells.iter().find(|cell| cell.fault == fault.name && cell.rung == rung.name);
            let mark = match cell.map(|cell| (cell.as_expected, cell.seen)) {
                None => "·",
                Some((false, _)) => "!",
                Some((true, "survives")) => "+",
                Some((true, "limit")) => "-",
                Some(_) => "?",
            };
            let tone = cell.map_or(Tone::Dim, Cell::tone);
            line.push_str(&format!("  {}", screen.paint(tone, mark)));
        }
        screen.line(&line)?;
    }
    screen.line("")?;
    let good = screen.paint(Tone::Good, "+");
    let limit = screen.paint(Tone::Warning, "-");
    let legend = format!(
        "{good} survives; {limit} limit, lifted by the rung named in the list below; · there is no such fault for it; \
         ? not on this system"
    );
    screen.prose("  ", &legend)?;
    screen.line("")?;
    for rung in &ladder.rungs {
        for limit in &rung.limits {
            let faults: Vec<&str> = limit.faults().collect();
            let text = format!("{} lifts {}", limit.lifted_by, faults.join(", "));
            let left = format!("  {}  ", screen.paint(Tone::Warning, &fit(&rung.name, names)));
            screen.hang(&left, Tone::Plain, &text)?;
        }
    }
    Ok(())
}

fn verdict(
    cells: &[Cell],
    started: Instant,
    options: &Options,
    screen: &Screen,
) -> Result<(), Failure> {
    let wrong = cells.iter().filter(|cell| !cell.as_expected);
    let wrong: Vec<String> = wrong.map(Cell::told).collect();
    if !wrong.is_empty() {
        return Err(failure!("not every cell is as expected\n  {}", wrong.join("\n  ")));
    }
    if options.json {
        return Ok(());
    }
    let text = match cells.len() {
        1 => "As expected".to_string(),
        number => format!("All {number} cells are as expected"),
    };
    screen.line("")?;
    let took = started.elapsed().as_secs_f64();
    screen.line(&format!("  {} ({took:.0} s).", screen.paint(Tone::Good, &text)))
}

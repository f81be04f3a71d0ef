//! The step from one rung to another, shown by git, or beside each other.

mod beside;

use std::process::Command;

use clap::Args;
use ladder::process::leave_ctrl_c_to_pager;
use ladder::step::{self, Change};
use ladder::{Failure, Ladder, Process, Rung, Screen, Tone, files, git};

use crate::list::find;

#[derive(Args)]
pub struct Options {
    /// The rung that the step leads to; with two names, the first is where it starts
    /// [default: what it builds on]
    #[arg(value_name = "[FROM] RUNG")]
    rungs: Vec<String>,
    /// The two versions beside each other, as wide as the terminal
    #[arg(short = 'y', long)]
    side_by_side: bool,
    /// The words that differ within each line
    #[arg(short, long, conflicts_with = "side_by_side")]
    words: bool,
    /// The size of every step of the ladder, or of this one, in lines of code
    #[arg(long)]
    stat: bool,
    /// Only this file, as in src/client.rs; the tests and the manifest can be named too
    /// [default: all of src]
    #[arg(long)]
    file: Vec<String>,
}

pub fn run(options: &Options, screen: &Screen) -> Result<(), Failure> {
    let ladder = Ladder::load()?;
    match (options.stat, options.rungs.as_slice()) {
        // Nobody has said which: these are those there are.
        (_, []) => table(&ladder.steps().collect::<Vec<_>>(), screen),
        (true, rungs) => table(&[ends(&ladder, rungs)?], screen),
        (false, rungs) => show(ends(&ladder, rungs)?, options, screen),
    }
}

fn ends<'a>(ladder: &'a Ladder, rungs: &[String]) -> Result<(&'a Rung, &'a Rung), Failure> {
    match rungs {
        [from, rung] => Ok((find(ladder, from)?, find(ladder, rung)?)),
        [rung] => {
            let rung = find(ladder, rung)?;
            ladder.step_to(rung).ok_or_else(|| {
                Failure::Usage(format!(
                    "{} builds on nothing; name two rungs to compare",
                    rung.name
                ))
            })
        }
        _ => Err(Failure::Usage(format!(
            "a step leads to one rung, and may start from another: two names at most, and not {}",
            rungs.len()
        ))),
    }
}

/// Colours, words and paging are git's, and as the person has set them for it.
fn show(ends: (&Rung, &Rung), options: &Options, screen: &Screen) -> Result<(), Failure> {
    let (below, rung) = ends;
    let changes = match options.file.as_slice() {
        [] => step::changes(below, rung)?,
        files => {
            files.iter().map(|file| step::change(below, rung, file)).collect::<Result<_, _>>()?
        }
    };
    let title = format!("From {} to {}: {}", below.name, rung.name, rung.title);
    screen.prose("", &screen.paint(Tone::Bold, &title))?;
    if changes.iter().all(|change: &Change| change.old == change.new) {
        return screen.line("no difference");
    }
    if options.side_by_side {
        for change in &changes {
            let lines = beside::lines(change, screen)?;
            lines.iter().try_for_each(|line| screen.line(line))?;
        }
        return Ok(());
    }
    let (folder, [old, new]) = step::lay_out(ends, &changes)?;
    let order = folder.path().join("order");
    files::write(&order, format!("*/{}\n", step::LESSON))?;
    let mut git = git::diff(&[if screen.colours { "color.ui=always" } else { "color.ui=never" }]);
    git.args(["--color-moved", "--color-moved-ws=allow-indentation-change"]);
    git.arg(format!("-O{}", order.display()));
    if options.words {
        git.arg(if screen.colours { "--word-diff=color" } else { "--word-diff=plain" });
    }
    let said = git::run(git.args([old, new]), folder.path())?;
    let shown = folder.path().join("shown");
    files::write(&shown, git::without_headers(&said))?;
    // In a pager, Ctrl-C is a key of its own.
    leave_ctrl_c_to_pager();
    let mut pager = Command::new("git");
    pager.args(["-c", &format!("alias.shown=!cat '{}'", shown.display()), "-p", "shown"]);
    // A reader who has seen enough ends it.
    Process::start_in_front(&mut pager)?.wait_for_person().map(drop)
}

/// The size of each of `steps`, a line each.
fn table(steps: &[(&Rung, &Rung)], screen: &Screen) -> Result<(), Failure> {
    let head = ["step to", "from", "new", "moved", "gone", "files of src"];
    let mut rows = vec![head.map(String::from).to_vec()];
    for (below, rung) in steps {
        let changes = step::changes(below, rung)?;
        let size = step::size((below, rung), &changes)?;
        let mut row = vec![rung.name.clone(), below.name.clone()];
        row.extend([size.new, size.moved, size.gone].map(|number| number.to_string()));
        row.push(changes.iter().map(short).collect::<Vec<_>>().join(" "));
        rows.push(row);
    }
    screen.table(&rows, 2..5).iter().try_for_each(|line| screen.line(line))
}

fn short(change: &Change) -> &str {
    change.file.trim_start_matches("src/").trim_end_matches(".rs")
}

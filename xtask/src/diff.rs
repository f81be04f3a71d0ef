//! The step from one rung to another, shown as a person reads it: the lesson first,
//! with the words that changed.

mod budget;
mod lines;
mod pager;

pub use budget::check;

use clap::Args;

use crate::list::find;
use ladder::Failure;
use ladder::Screen;
use ladder::screen::Tone;
use ladder::step::{self, Change};
use ladder::{Ladder, Rung};

/// What can be told to `cargo xtask diff`.
#[derive(Args)]
pub struct Options {
    /// The rung that the step leads to; with two names, the first is where it starts
    /// [default: what it builds on]
    #[arg(value_name = "[FROM] RUNG", num_args = 0..=2)]
    rungs: Vec<String>,
    /// The two versions beside each other, as wide as the terminal
    #[arg(short = 'y', long)]
    side_by_side: bool,
    /// The size of every step of the ladder, or of this one
    #[arg(long)]
    stat: bool,
    /// Only this file, as in src/client.rs; the tests and the manifest can be named too
    /// [default: all of src]
    #[arg(long)]
    file: Vec<String>,
}

/// Shows a step.
pub fn run(options: &Options, screen: &Screen) -> Result<(), Failure> {
    let ladder = Ladder::load()?;
    let lines = match (options.stat, options.rungs.as_slice()) {
        // Nobody has said which: these are those there are.
        (_, []) => budget::table(&ladder.steps().collect::<Vec<_>>(), screen)?,
        (true, rungs) => budget::table(&[ends(&ladder, rungs)?], screen)?,
        (false, rungs) => shown(ends(&ladder, rungs)?, options, screen)?,
    };
    pager::show(&lines, screen)
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
        _ => Err(Failure::Usage("name a rung".into())),
    }
}

fn shown(ends: (&Rung, &Rung), options: &Options, screen: &Screen) -> Result<Vec<String>, Failure> {
    let (below, rung) = ends;
    let changes = match options.file.as_slice() {
        [] => step::changes(below, rung)?,
        files => {
            files.iter().map(|file| step::change(below, rung, file)).collect::<Result<_, _>>()?
        }
    };
    let title = format!("From {} to {}: {}", below.name, rung.name, rung.title);
    let mut lines = vec![screen.paint(Tone::Bold, &title)];
    for change in &changes {
        lines.push(String::new());
        match options.side_by_side {
            true => lines.extend(lines::side_by_side(change, screen)),
            false => lines.extend(lines::unified(change, screen)),
        }
    }
    if changes.iter().all(|change: &Change| change.old == change.new) {
        lines.push("no difference".into());
    }
    Ok(lines)
}

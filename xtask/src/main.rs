//! Runs the ladder. See `cargo xtask --help`.
#![forbid(unsafe_code)]

mod docs;
mod ladder;

use std::fmt;
use std::process::ExitCode;

use clap::Parser;

use ladder::Ladder;

/// Runs the ladder: its servers and clients, its checks
#[derive(Parser)]
#[command(bin_name = "cargo xtask", after_help = "Example:\n  cargo xtask demo udp")]
enum Task {
    /// Show every rung with one line
    List,
    /// Fill the generated blocks of the pages from sources and real runs
    Docs {
        /// Change nothing; fail where a page is out of date, a link leads nowhere or a rule is broken
        #[arg(long)]
        check: bool,
    },
}

/// What ends a task with exit code 1.
#[derive(Debug)]
struct Failure(String);

impl Failure {
    fn new(message: impl Into<String>) -> Failure {
        Failure(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn main() -> ExitCode {
    let done = match Task::parse() {
        Task::List => list(),
        Task::Docs { check: true } => docs::check(),
        Task::Docs { check: false } => docs::write(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn list() -> Result<(), Failure> {
    for rung in Ladder::load()?.rungs {
        println!("{:<10} {:<16} {}", rung.about.alias, rung.name, rung.about.title);
    }
    Ok(())
}

//! Runs the ladder. See `cargo xtask --help`.
#![forbid(unsafe_code)]

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

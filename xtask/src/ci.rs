//! The checks that a change has to pass. Each is a command that a person can run alone.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ladder::manifests::cargo;
use ladder::process::{self, output};
use ladder::programs::LONGEST;
use ladder::screen::fit;
use ladder::{Failure, Ladder, Process, Screen, Tone, failure, workers};
use serde::Deserialize;

use crate::new;
use crate::rules;

/// How many steps of ours the other systems may take.
const PARTS: u32 = 4;

#[derive(Deserialize)]
struct Step {
    name: String,
    about: String,
    /// What a person types to run it without us.
    command: String,
}

/// What not everybody has installed.
const OPTIONAL: &str = "deny";

/// What plays the page in a browser, which not everybody has either.
const PYTHON: &str = "python3";

/// Exit code of what is skipped, as test harnesses have it.
const SKIPPED: i32 = 77;

pub fn list(screen: &Screen) -> Result<(), Failure> {
    for step in steps(&Ladder::load()?)? {
        let left = format!("  {} ", screen.paint(Tone::Bold, &fit(&step.name, 12)));
        screen.hang(&left, Tone::Plain, &step.about)?;
        // Nothing breaks a command: it can be pasted into any shell.
        screen.line(&format!("{:15}{}", "", screen.paint(Tone::Dim, &step.command)))?;
    }
    screen.line("\n  One alone: cargo xtask ci NAME")
}

pub fn names(ladder: &Ladder) -> Vec<String> {
    steps(ladder).unwrap_or_default().into_iter().map(|step| step.name).collect()
}

/// As the manifest of the workspace has them.
fn steps(ladder: &Ladder) -> Result<Vec<Step>, Failure> {
    Ok(ladder.metadata("ci")?.unwrap_or_default())
}

/// Runs every step, or the one of this name, until one fails.
pub fn run(name: Option<&str>, screen: &Screen) -> Result<(), Failure> {
    let ladder = Ladder::load()?;
    let mut steps = steps(&ladder)?;
    steps.retain(|step| name.is_none_or(|name| name == step.name));
    if steps.is_empty() {
        let names = names(&ladder).join(", ");
        return Err(Failure::Usage(format!("there is no such step; there are {names}")));
    }
    let all = Instant::now();
    for step in &steps {
        screen.say(Tone::Bold, &format!("==> {}: {}", step.name, step.command))?;
        let started = Instant::now();
        let skipped = step.run(&ladder, screen).map_err(|failure| match failure {
            Failure::Message(message) => {
                failure!("{message}\nhint: this step alone: cargo xtask ci {}", step.name)
            }
            other => other,
        })?;
        let took = started.elapsed();
        let told = match skipped {
            None => {
                screen.paint(Tone::Good, &format!("    {} passed in {}", step.name, seconds(took)))
            }
            Some(why) => screen.paint(Tone::Warning, &format!("    {} SKIPPED: {why}", step.name)),
        };
        screen.line(&told)?;
    }
    if steps.len() > 1 {
        screen.line(&format!("All {} steps done in {}.", steps.len(), seconds(all.elapsed())))?;
    }
    Ok(())
}

/// What a Linux machine can show of other systems: a script, as it is a matter of other
/// people's tools.
pub fn platforms(parts: &str) -> Result<(), Failure> {
    let root = Ladder::load()?.root;
    let mut command = Command::new("bash");
    let process = Process::start(command.args(["xtask/platforms.sh", parts]).current_dir(root))?;
    Failure::of_tool(process.wait_for_end(LONGEST * PARTS)?)
}

impl Step {
    /// Why it was skipped, if it was.
    fn run(&self, ladder: &Ladder, screen: &Screen) -> Result<Option<String>, Failure> {
        let (variable, line) = match self.command.split_once("' ") {
            Some((variable, line)) => (variable.split_once("='"), line),
            None => (None, self.command.as_str()),
        };
        let words: Vec<&str> = line.split(' ').collect();
        let (mut command, args) = match words[..] {
            [_, "xtask", "ci", "rules"] => {
                return Failure::of_all(rules::check(ladder)?).map(|()| None);
            }
            [_, "xtask", "ci", "copies"] => return new::check::run(ladder, screen).map(|()| None),
            // Not `cargo xtask` once more: on Windows a program that runs cannot be built anew.
            // Elsewhere it can, and has been by the tests: this file is not there any more.
            [_, "xtask", ref args @ ..] if cfg!(windows) => {
                (Command::new(process::this_program()?), args)
            }
            [_, OPTIONAL, ..] if output(cargo().args([OPTIONAL, "--version"])).is_err() => {
                return Ok(Some(format!(
                    "cargo-{OPTIONAL} is not installed; cargo install --locked cargo-{OPTIONAL} brings it"
                )));
            }
            [PYTHON, ..] if output(Command::new(PYTHON).arg("--version")).is_err() => {
                return Ok(Some(format!("{PYTHON} is not installed")));
            }
            [PYTHON, ref args @ ..] => (Command::new(PYTHON), args),
            _ => (cargo(), &words[1..]),
        };
        // It says itself what it skips and why.
        command.args(args).envs(variable).current_dir(&ladder.root).stdin(Stdio::null());
        match Process::start(workers::more_tests(&mut command))?.wait_for_end(LONGEST)?.code() {
            Some(0) => Ok(None),
            Some(SKIPPED) => Ok(Some("it says why above".into())),
            _ => Err(failure!("{} failed: see above", self.name)),
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_does_not_exist_is_wrong_usage() {
        let failure = run(Some("tests"), &Screen::of_width(100)).unwrap_err();
        assert!(
            matches!(&failure, Failure::Usage(message) if message.contains("fmt, rules, clippy"))
        );
    }

    /// No shell reads them: a second command would be arguments of the first.
    #[test]
    fn every_step_is_one_command() {
        for step in steps(&Ladder::load().unwrap()).unwrap() {
            let more =
                step.command.split(' ').find(|word| matches!(*word, "&&" | "||" | "|" | ";"));
            assert_eq!(more, None, "{}", step.name);
        }
    }
}

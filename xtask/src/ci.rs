//! The checks that a change has to pass. Each is a command that a person can run alone.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ladder::manifests::cargo;
use ladder::screen::{Tone, fit};
use ladder::shell::command_line;
use ladder::{Failure, Ladder, Process, Screen};

use crate::new;
use crate::rules;

/// Ends a step that hangs.
const GENEROUS: Duration = Duration::from_secs(60 * 60);

/// One check.
struct Step {
    name: &'static str,
    about: &'static str,
    check: Check,
}

enum Check {
    /// `cargo` with these arguments.
    Cargo(&'static [&'static str]),
    /// As [`Cargo`](Check::Cargo), with a variable set.
    CargoWith(&'static str, &'static str, &'static [&'static str]),
    /// `cargo xtask` with these arguments.
    Xtask(&'static [&'static str]),
    /// A cargo command that not everybody has installed: its name, its arguments.
    IfInstalled(&'static str, &'static [&'static str]),
    /// [`rules::check`].
    Rules,
    /// [`new::check`](mod@new::check).
    Copies,
}

/// Those that are quick come first.
const STEPS: &[Step] = &[
    Step { name: "fmt", about: "formatting", check: Check::Cargo(&["fmt", "--all", "--check"]) },
    Step {
        name: "rules",
        about: "manifests, names, sizes of steps and files, who needs whom",
        check: Check::Rules,
    },
    Step {
        name: "clippy",
        about: "lints, warnings denied",
        check: Check::Cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]),
    },
    Step {
        name: "test",
        about: "the tests of the workspace",
        check: Check::Cargo(&["test", "--workspace", "--locked"]),
    },
    Step {
        name: "tls",
        about: "the feature that is off by default, and its tests",
        check: Check::Cargo(&["test", "--locked", "--package", "http-server", "--features", "tls"]),
    },
    // No test of the step above: it builds every rung once more, with features of its own, which
    // takes minutes.
    Step { name: "copies", about: "every rung, taken away and tested there", check: Check::Copies },
    Step {
        name: "doc",
        about: "the documentation of the code, warnings denied",
        check: Check::CargoWith(
            "RUSTDOCFLAGS",
            "-D warnings",
            &["doc", "--workspace", "--no-deps", "--locked"],
        ),
    },
    Step {
        name: "demo",
        about: "every rung, played",
        check: Check::Xtask(&["demo", "all", "--plain"]),
    },
    Step {
        name: "docs",
        about: "the generated parts of the book",
        check: Check::Xtask(&["docs", "--check"]),
    },
    Step {
        name: "deny",
        about: "licences and sources of dependencies (advisories need the network)",
        check: Check::IfInstalled("deny", &["check", "bans", "licenses", "sources"]),
    },
];

/// Shows the steps.
pub fn list(screen: &Screen) -> Result<(), Failure> {
    for step in STEPS {
        let left = format!("  {} ", screen.paint(Tone::Bold, &fit(step.name, 10)));
        screen.hang(&left, Tone::Plain, step.about)?;
        screen.command(&" ".repeat(13), Tone::Dim, &step.command())?;
    }
    screen.line("\n  One alone: cargo xtask ci NAME")
}

/// The names of the steps.
pub fn names() -> impl Iterator<Item = &'static str> {
    STEPS.iter().map(|step| step.name)
}

/// Runs every step, or the one of this name, until one fails.
pub fn run(name: Option<&str>, screen: &Screen) -> Result<(), Failure> {
    let ladder = Ladder::load()?;
    let steps: Vec<&Step> =
        STEPS.iter().filter(|step| name.is_none_or(|name| name == step.name)).collect();
    if steps.is_empty() {
        let names: Vec<&str> = names().collect();
        return Err(Failure::Usage(format!(
            "there is no such step; there are {}",
            names.join(", ")
        )));
    }
    let mut times = Vec::new();
    for step in &steps {
        screen
            .line(&screen.paint(Tone::Bold, &format!("==> {}: {}", step.name, step.command())))?;
        let started = Instant::now();
        let passed = step.run(&ladder, screen).map_err(|failure| match failure {
            Failure::Message(message) => Failure::new(format!(
                "{message}\nhint: this step alone: cargo xtask ci {}",
                step.name
            )),
            other => other,
        })?;
        let took = started.elapsed();
        let told = match passed {
            Passed::Yes => {
                screen.paint(Tone::Good, &format!("    {} passed in {}", step.name, seconds(took)))
            }
            Passed::Skipped(why) => {
                screen.paint(Tone::Warning, &format!("    {} SKIPPED: {why}", step.name))
            }
        };
        screen.line(&told)?;
        times.push(took);
    }
    if steps.len() > 1 {
        screen.line(&format!(
            "All {} steps done in {}.",
            steps.len(),
            seconds(times.iter().sum())
        ))?;
    }
    Ok(())
}

enum Passed {
    Yes,
    Skipped(String),
}

impl Step {
    /// What a person types to run it without us.
    fn command(&self) -> String {
        let line = |program: &str, args: &[&str]| {
            command_line(program, &args.iter().map(|arg| arg.to_string()).collect::<Vec<_>>())
        };
        match &self.check {
            Check::Cargo(args) => line("cargo", args),
            Check::CargoWith(name, value, args) => {
                format!("{name}='{value}' {}", line("cargo", args))
            }
            Check::Xtask(args) => line("cargo xtask", args),
            Check::IfInstalled(tool, args) => line(&format!("cargo {tool}"), args),
            Check::Rules | Check::Copies => line("cargo xtask ci", &[self.name]),
        }
    }

    fn run(&self, ladder: &Ladder, screen: &Screen) -> Result<Passed, Failure> {
        match &self.check {
            Check::Cargo(args) => self.succeed(cargo().args(*args), ladder),
            Check::CargoWith(name, value, args) => {
                self.succeed(cargo().env(name, value).args(*args), ladder)
            }
            Check::Xtask(args) => self.succeed(Command::new(this_program()?).args(*args), ladder),
            Check::IfInstalled(tool, args) => {
                let installed =
                    cargo().args([tool, "--version"]).output().is_ok_and(|it| it.status.success());
                match installed {
                    true => self.succeed(cargo().arg(tool).args(*args), ladder),
                    false => Ok(Passed::Skipped(format!(
                        "cargo-{tool} is not installed; cargo install --locked cargo-{tool} brings it"
                    ))),
                }
            }
            Check::Copies => new::check::run(ladder, screen).map(|()| Passed::Yes),
            Check::Rules => self.obey(&rules::check(ladder)?, screen),
        }
    }

    fn obey(&self, complaints: &[String], screen: &Screen) -> Result<Passed, Failure> {
        for complaint in complaints {
            screen.line(&format!("    {complaint}"))?;
        }
        match complaints.is_empty() {
            true => Ok(Passed::Yes),
            false => Err(Failure::new(format!("{} failed: see above", self.name))),
        }
    }

    fn succeed(&self, command: &mut Command, ladder: &Ladder) -> Result<Passed, Failure> {
        let process = Process::start(command.current_dir(&ladder.root).stdin(Stdio::null()))?;
        match process.wait_for_end(GENEROUS)?.success() {
            true => Ok(Passed::Yes),
            false => Err(Failure::new(format!("{} failed: {}", self.name, self.command()))),
        }
    }
}

/// Not `cargo xtask` once more: on Windows a program that runs cannot be built anew.
fn this_program() -> Result<PathBuf, Failure> {
    env::current_exe().map_err(|error| Failure::new(format!("cannot find this program: {error}")))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_shown_as_a_person_types_it() {
        let commands: Vec<String> = STEPS.iter().map(Step::command).collect();
        assert!(commands.contains(&"cargo test --workspace --locked".into()));
        assert!(commands.contains(
            &"RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked".into()
        ));
        assert!(commands.contains(&"cargo xtask ci rules".into()));
    }

    #[test]
    fn a_step_that_does_not_exist_is_wrong_usage() {
        let failure = run(Some("tests"), &Screen::of_width(100)).unwrap_err();
        assert!(
            matches!(&failure, Failure::Usage(message) if message.contains("fmt, rules, clippy"))
        );
    }
}

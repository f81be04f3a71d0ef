//! Runs the ladder. See `cargo xtask --help`.
#![forbid(unsafe_code)]

mod attempt;
mod book;
mod ci;
mod completions;
mod demo;
mod diagram;
mod diff;
mod docs;
mod exercise;
mod faults;
mod items;
mod list;
mod map;
mod new;
mod nodes;
mod package;
mod pattern;
mod picture;
mod releases;
mod room;
mod rules;
mod scene;
mod together;

use std::process::{ExitCode, Stdio};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use ladder::{Failure, Ladder, Rung, Screen, Tone, process};
use netfault::Speaks;
use netfault::proxy::pause;
use trial::Faults;

/// Runs the ladder: its servers and clients, its checks
#[derive(Parser)]
#[command(bin_name = "cargo xtask", after_help = "Example:\n  cargo xtask demo udp")]
struct Xtask {
    /// Without one: the ladder, and what to try first
    #[command(subcommand)]
    task: Option<Task>,
}

#[derive(Subcommand)]
enum Task {
    /// Show every rung with one line
    List,
    /// Play a rung: its real server and clients, why it exists, what is still wrong
    /// with it
    #[command(after_help = "Example:\n  cargo xtask demo oneshot")]
    Demo {
        /// The name or short name of a rung; without one, the whole ladder; or `scale`,
        /// for several servers behind HAProxy; or `pitfalls`, for what goes
        /// wrong in samples, broken and mended
        #[arg(value_name = "RUNG|all|scale|pitfalls")]
        name: Option<String>,
        /// No colours
        #[arg(long)]
        plain: bool,
        /// From one line to the next, as in 500ms [default: 200ms on a terminal, else 0s]
        #[arg(long, value_name = "DURATION", value_parser = pause)]
        pace: Option<Duration>,
        /// What `omni` keeps its drafts on: three servers of NATS, one of which is killed
        #[arg(long, value_name = "ENGINE", value_parser = ["nats"])]
        engine: Option<String>,
        #[command(flatten)]
        options: Box<scene::Options>,
    },
    /// Try a rung by hand: its server runs, and you are at its client's prompt
    #[command(after_help = "Example:\n  cargo xtask try udp")]
    Try {
        /// The name or short name of a rung; without one, those that there are
        rung: Option<String>,
    },
    /// Watch a rung on a page: its real server and clients, what passes between them, and
    /// buttons that do it harm
    #[command(after_help = "Example:\n  cargo xtask watch threaded --open")]
    Watch(package::stage::Options),
    /// Show the step from one rung to the next: the difference is the lesson
    #[command(
        override_usage = "cargo xtask diff [OPTIONS] [[FROM] RUNG]",
        after_help = "Example:\n  cargo xtask diff timeout\n  cargo xtask diff -y threaded async"
    )]
    Diff(diff::Options),
    /// Type what a rung is about: a stub to fill in, looked at whenever you save it
    #[command(after_help = "Example:\n  cargo xtask exercise oneshot")]
    Exercise(exercise::Options),
    /// Take a rung out: a project of its own, with all that it needs inside
    #[command(after_help = "Example:\n  cargo xtask new udp-echo ../my-service")]
    New(new::Options),
    /// Let every fault loose on every rung, and compare with what the manifests promise
    #[command(after_help = "Example:\n  cargo xtask faults timeout drip")]
    Faults(faults::Options),
    /// Fill the generated blocks of the pages from sources and real runs
    Docs {
        /// Change nothing; fail where a page is out of date, a link leads nowhere or a
        /// rule is broken
        #[arg(long)]
        check: bool,
    },
    /// Write completions for a shell
    #[command(
        after_help = "Example:\n  source <(cargo xtask completions bash)\n  cargo xtask completions fish | source"
    )]
    Completions {
        /// The shell that is to read them
        shell: completions::Shell,
    },
    /// Build the book, serve it, and build it anew when a page changes
    #[command(after_help = "Example:\n  cargo xtask book --open")]
    Book(book::Options),
    /// Measure the rungs beside what else is installed
    #[command(after_help = "Example:\n  cargo xtask bench poll async echo-64")]
    Bench(package::bench::Options),
    /// Check everything that is checked before a change lands
    #[command(after_help = "Example:\n  cargo xtask ci clippy")]
    Ci {
        /// Only this step
        step: Option<String>,
        /// Show the steps
        #[arg(long)]
        list: bool,
        /// Instead: build and test for other systems, as far as this machine can; see
        /// xtask/platforms.sh --help
        #[arg(long, value_name = "PART,...", num_args = 0..=1, default_missing_value = "all")]
        platforms: Option<String>,
    },
}

/// What `cargo xtask` does.
pub fn run() -> ExitCode {
    let screen = &Screen::new();
    let task = match Xtask::try_parse() {
        Ok(xtask) => xtask.task.unwrap_or(Task::List),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            return Failure::exit_code(help(&error.to_string(), screen));
        }
        Err(error) => error.exit(),
    };
    let done = process::end_all_on_signals().and_then(|()| match task {
        // As it was typed: it is understood here, and there once more.
        task if !netfault::TLS && task.needs_tls()? => package::run_as_typed("whole", 1),
        Task::List => list::run(screen),
        Task::Demo { name, plain, engine: Some(_), .. } => demo::of_engine(name.as_deref(), plain),
        Task::Demo { name, plain, pace, options, .. } => {
            let screen = if plain { screen.plain() } else { *screen };
            demo::run(name.as_deref(), &options, pace, &screen)
        }
        Task::Try { rung: None } => list::run(screen),
        Task::Try { rung: Some(rung) } => attempt::run(&rung, Stdio::inherit(), screen),
        Task::Completions { shell } => Ladder::load()
            .and_then(|ladder| screen.line(&completions::script(shell, Xtask::command(), &ladder))),
        Task::Diff(options) => diff::run(&options, screen),
        Task::Exercise(options) => exercise::run(&options, screen),
        Task::New(options) => new::run(&options, screen),
        Task::Faults(options) => faults::run(&options, screen),
        Task::Docs { check } => docs::run(check, screen),
        Task::Book(options) => book::run(&options, screen),
        Task::Watch(options) => {
            list::check(options.rung.as_deref()).and_then(|()| package::run_as_typed("stage", 2))
        }
        Task::Bench(_) => package::run_as_typed("bench", 2),
        Task::Ci { list: true, .. } => ci::list(screen),
        Task::Ci { platforms: Some(parts), .. } => ci::platforms(&parts),
        Task::Ci { step, .. } => ci::run(step.as_deref(), screen),
    });
    Failure::exit_code(done)
}

impl Task {
    /// Whether it plays a rung that speaks TLS: nobody's first demo waits for that to be built.
    fn needs_tls(&self) -> Result<bool, Failure> {
        let name = match self {
            Task::Demo { name, engine: None, .. } => name.as_deref(),
            Task::Faults(options) if !options.soak => options.rung.as_deref(),
            Task::Docs { .. } => None,
            _ => return Ok(false),
        };
        let ladder = Ladder::load()?;
        let speaks_tls = |rung: &Rung| matches!(rung.speaks(), Speaks::Tls | Speaks::Login);
        Ok(match name {
            None | Some("all") => ladder.rungs.iter().any(speaks_tls),
            Some(name) => ladder.find(name).is_some_and(speaks_tls),
        })
    }
}

/// clap cuts no line to the terminal without more crates, which everybody's first build
/// would wait for. A line goes on below where its last column began.
fn help(text: &str, screen: &Screen) -> Result<(), Failure> {
    for line in text.lines() {
        let words = line.trim_start();
        let start = line.len() - words.len();
        let column = words.find("  ").map_or(start, |end| {
            start + end + words[end..].len() - words[end..].trim_start().len()
        });
        screen.hang(&line[..column], Tone::Plain, &line[column..])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demo_may_be_as_fast_as_it_was() {
        assert!(Xtask::try_parse_from(["xtask", "demo", "oneshot", "--pace", "0s"]).is_ok());
    }
}

//! Runs the ladder. See `cargo xtask --help`.
#![forbid(unsafe_code)]

mod attempt;
mod bench;
mod book;
mod ci;
mod completions;
mod demo;
mod diagram;
mod diff;
mod docs;
mod example;
mod faults;
mod ladder;
mod list;
mod log_line;
mod manifests;
mod map;
mod new;
mod pitfalls;
mod process;
mod programs;
mod rename;
mod scale;
mod scene;
mod screen;
mod soak;
mod stage;
mod step;
mod timeline;
mod treatment;
mod trial;

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

use clap::{CommandFactory, Parser, Subcommand};

use ladder::Ladder;
use screen::Screen;

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
        #[command(flatten)]
        options: Box<scene::Options>,
    },
    /// Plays a part in `demo pitfalls`
    #[command(hide = true)]
    Pitfall { child: pitfalls::Child },
    /// Try a rung by hand: its server runs, and you are at its client's prompt
    #[command(after_help = "Example:\n  cargo xtask try udp")]
    Try {
        /// The name or short name of a rung
        rung: String,
    },
    /// Show the step from one rung to the next: the difference is the lesson
    #[command(
        after_help = "Example:\n  cargo xtask diff timeout\n  cargo xtask diff -y threaded async"
    )]
    Diff(diff::Options),
    /// Take a rung out: a project of its own, with all that it needs inside
    #[command(after_help = "Example:\n  cargo xtask new udp-echo ../my-service")]
    New {
        /// The name or short name of a rung
        rung: String,
        /// A folder that is empty or does not exist yet
        dest: PathBuf,
        /// What it is called from now on [default: the name of the folder]
        #[arg(long)]
        name: Option<String>,
    },
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
    Bench(bench::Options),
    /// Check everything that is checked before a change lands
    #[command(after_help = "Example:\n  cargo xtask ci clippy")]
    Ci {
        /// Only this step
        step: Option<String>,
        /// Show the steps
        #[arg(long)]
        list: bool,
    },
}

/// What ends a task before its time.
#[derive(Debug)]
enum Failure {
    /// Exit code 1.
    Message(String),
    /// It was called wrongly: exit code 2.
    Usage(String),
    /// Something that it needs is not installed: exit code 77, as test harnesses have
    /// it for "skipped".
    Skipped(String),
    /// Whoever read our output has seen enough, as in `cargo xtask demo | head`.
    /// Nothing is wrong.
    ReaderGone,
}

impl Failure {
    fn new(message: impl Into<String>) -> Failure {
        Failure::Message(message.into())
    }

    /// Standard output could not be written.
    fn output(error: io::Error) -> Failure {
        match error.kind() {
            ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::new(format!("cannot write to standard output: {error}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Message(message) | Failure::Usage(message) | Failure::Skipped(message) => {
                f.write_str(message)
            }
            Failure::ReaderGone => f.write_str("nobody reads standard output"),
        }
    }
}

fn main() -> ExitCode {
    let task = Xtask::parse().task.unwrap_or(Task::List);
    // A child of the pitfalls has signals of its own to miss.
    let prepared = match task {
        Task::Pitfall { .. } => Ok(()),
        _ => process::end_all_on_signals(),
    };
    let done = prepared.and_then(|()| match task {
        Task::List => list::run(&Screen::new()),
        Task::Demo { name, plain, options } => {
            let screen = if plain { Screen::plain() } else { Screen::new() };
            demo::run(name.as_deref(), &options, &screen)
        }
        Task::Try { rung } => attempt::run(&rung, Stdio::inherit(), &Screen::new()),
        Task::Completions { shell } => Ladder::load().and_then(|ladder| {
            Screen::new().line(&completions::script(shell, &Xtask::command(), &ladder))
        }),
        Task::Diff(options) => diff::run(&options, &Screen::new()),
        Task::New { rung, dest, name } => new::run(&rung, &dest, name.as_deref(), &Screen::new()),
        Task::Pitfall { child } => pitfalls::run_child(child),
        Task::Faults(options) => faults::run(&options, &Screen::new()),
        Task::Docs { check: true } => docs::check(&Screen::new()),
        Task::Docs { check: false } => docs::write(&Screen::new()),
        Task::Book(options) => book::run(&options, &Screen::new()),
        Task::Bench(options) => bench::run(&options, &Screen::new()),
        Task::Ci { list: true, .. } => ci::list(&Screen::new()),
        Task::Ci { step, .. } => ci::run(step.as_deref(), &Screen::new()),
    });
    match done {
        Ok(()) | Err(Failure::ReaderGone) => ExitCode::SUCCESS,
        Err(Failure::Skipped(why)) => {
            eprintln!("skipped: {why}");
            ExitCode::from(77)
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(if let Failure::Usage(_) = failure { 2 } else { 1 })
        }
    }
}

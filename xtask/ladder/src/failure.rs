//! What ends a tool before its time, and with which exit code.

use std::fmt;
use std::io::{self, ErrorKind};
use std::process::{ExitCode, ExitStatus};

/// Exit code of what was called wrongly, as clap has it.
const USAGE: u8 = 2;

/// Exit code of what is skipped, as test harnesses have it.
const SKIPPED: u8 = 77;

/// As shells have it for a program that a signal has ended.
const ENDED: u8 = 130;

#[derive(Debug)]
pub enum Failure {
    /// Exit code 1.
    Message(String),
    /// It was called wrongly: exit code 2.
    Usage(String),
    /// Something that it needs is not installed: exit code 77.
    Skipped(String),
    /// Another tool that did the work has ended with this code and has said why.
    Told(u8),
    /// Whoever read our output has seen enough, as in `cargo xtask demo | head`.
    /// Nothing is wrong.
    ReaderGone,
}

/// Exit code 1 and these words, as `format!` takes them.
#[macro_export]
macro_rules! failure {
    ($($words:tt)*) => {
        $crate::Failure::new(format!($($words)*))
    };
}

impl Failure {
    /// Exit code 1 and these words.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure::Message(message.into())
    }

    /// Exit code 1 and all these words, a line each; nothing where there are none.
    pub fn of_all(complaints: Vec<String>) -> Result<(), Failure> {
        match complaints.is_empty() {
            true => Ok(()),
            false => Err(Failure::new(complaints.join("\nerror: "))),
        }
    }

    /// As another tool has ended, which has said why.
    pub fn of_tool(status: ExitStatus) -> Result<(), Failure> {
        match status.code() {
            Some(0) => Ok(()),
            code => Err(Failure::Told(code.and_then(|it| it.try_into().ok()).unwrap_or(ENDED))),
        }
    }

    /// Standard output could not be written.
    pub fn output(error: io::Error) -> Failure {
        match error.kind() {
            ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => failure!("cannot write to standard output: {error}"),
        }
    }

    /// Tells on standard error how a tool has ended, and returns its exit code.
    pub fn exit_code(done: Result<(), Failure>) -> ExitCode {
        match done {
            Ok(()) | Err(Failure::ReaderGone) => ExitCode::SUCCESS,
            Err(Failure::Told(code)) => ExitCode::from(code),
            Err(Failure::Skipped(why)) => {
                eprintln!("skipped: {why}");
                ExitCode::from(SKIPPED)
            }
            Err(failure) => {
                eprintln!("error: {failure}");
                ExitCode::from(if let Failure::Usage(_) = failure { USAGE } else { 1 })
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Message(message) | Failure::Usage(message) | Failure::Skipped(message) => {
                f.write_str(message)
            }
            Failure::Told(code) => write!(f, "ended with exit code {code}"),
            Failure::ReaderGone => f.write_str("nobody reads standard output"),
        }
    }
}

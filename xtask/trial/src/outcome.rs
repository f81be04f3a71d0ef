//! What is tried, and what came of it.

use std::path::Path;
use std::time::Duration;

use ladder::Rung;
use ladder::screen::NO_BREAK;

/// What is called "at once".
pub(crate) const AT_ONCE: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Survives,
    /// The server does not, or not for this client.
    Fails,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    pub survived: bool,
    /// Whether an ordinary client was served when the fault was over; `None` for a
    /// server that serves one client and ends, and for what is over before there is
    /// a server.
    pub recovered: Option<bool>,
    /// What was seen, in a sentence without a full stop.
    pub story: String,
}

impl Outcome {
    /// It survived. Before anybody has looked at what comes after, as the others here.
    pub fn survived(story: impl Into<String>) -> Outcome {
        Outcome::of(true, story.into())
    }

    pub fn failed(story: impl Into<String>) -> Outcome {
        Outcome::of(false, story.into())
    }

    pub fn of(survived: bool, story: String) -> Outcome {
        Outcome { survived, recovered: None, story }
    }
}

/// What is played: a rung's program, and the arguments of its server.
#[derive(Clone, Copy)]
pub struct Cast<'a> {
    pub rung: &'a Rung,
    pub program: &'a Path,
    pub args: &'a [String],
}

pub(crate) fn after(took: Duration) -> String {
    if took <= AT_ONCE { "at once".into() } else { format!("after {}", seconds(took)) }
}

pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1}{NO_BREAK}s", time.as_secs_f64())
}

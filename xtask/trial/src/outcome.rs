//! What is tried, and what came of it: of the server, and of a client that does nothing
//! wrong, which is the first run of the demo.

use std::time::{Duration, Instant};

use ladder::manifests::ClientRun;
use ladder::screen::NO_BREAK;
use ladder::{Address, Failure, Rung, failure};
use netfault::{Fault, Speaks};

use crate::faults::Faults;
use crate::stage::{Cast, Stage, Visit};

/// What is called "at once".
pub(crate) const AT_ONCE: Duration = Duration::from_millis(100);

/// What a room tells a client whose name is there already.
const NAME_TAKEN: &str = "somebody else has this name";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Survives,
    /// The server does not, or not for this client.
    Fails,
}

impl Expected {
    /// What the manifest has of `rung` and this fault.
    pub fn of(rung: &Rung, fault: &Fault) -> Expected {
        match rung.limit(fault.name) {
            Some(_) => Expected::Fails,
            None => Expected::Survives,
        }
    }
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

/// Why a trial has not gone well.
#[derive(Debug)]
pub enum Ended {
    /// The server has not survived, or not for this client: what was seen.
    Badly(String),
    /// It could not be played.
    Unplayed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Ended {
        Ended::Unplayed(failure)
    }
}

/// It has not survived.
pub fn badly<T>(story: impl Into<String>) -> Result<T, Ended> {
    Err(Ended::Badly(story.into()))
}

impl Outcome {
    /// Before anybody has looked at what comes after. Where all went well, there is a story
    /// of that.
    pub fn of(played: Result<String, Ended>) -> Result<Outcome, Failure> {
        let (survived, story) = match played {
            Ok(story) => (true, story),
            Err(Ended::Badly(story)) => (false, story),
            Err(Ended::Unplayed(failure)) => return Err(failure),
        };
        Ok(Outcome { survived, recovered: None, story })
    }
}

pub(crate) fn after(took: Duration) -> String {
    if took <= AT_ONCE { "at once".into() } else { format!("after {}", seconds(took)) }
}

pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1}{NO_BREAK}s", time.as_secs_f64())
}

/// How long an ordinary client is given where it is expected to be served: enough for
/// any limit that a demo sets, on any machine. What it really took is told.
pub const GENEROUS: Duration = Duration::from_secs(20);

/// An ordinary client goes to `address`, and is served or not. It took so long.
pub fn ordinary_client(
    stage: &mut Stage,
    cast: Cast,
    address: &Address,
) -> Result<Duration, Ended> {
    let run = usual_run(cast.rung)?;
    let client = Cast { args: &run.args, ..cast };
    let began = Instant::now();
    let mut visit = stage.run_client(client, address, GENEROUS)?;
    // Whoever waited in vain before has its name until the room has seen that it is gone.
    while visit.complaint.as_ref().is_some_and(|it| it.contains(NAME_TAKEN))
        && began.elapsed() < GENEROUS
    {
        visit = stage.run_client(client, address, GENEROUS)?;
    }
    // What was served before may be counted in a reply, so that only its number of lines is
    // known.
    let printed = match cast.rung.speaks() {
        Speaks::Lines => own(&visit.printed, &run.args).len(),
        _ => visit.printed.len(),
    };
    let served = visit.code == Some(0) && printed == run.expect.len();
    if served { Ok(visit.took) } else { badly(not_served(&visit)) }
}

pub(crate) fn usual_run(rung: &Rung) -> Result<&ClientRun, Failure> {
    let none = || failure!("{} has no demo, so no ordinary client", rung.name);
    rung.demo.first().ok_or_else(none)
}

/// Of what a member of a room has heard, what is about itself: its name is its first
/// argument.
pub(crate) fn own(printed: &[String], args: &[String]) -> Vec<String> {
    let name = args.first().map_or("", String::as_str);
    let is_own = |line: &&String| {
        line.starts_with(&format!("{name}: ")) || line.starts_with(&format!("* {name} "))
    };
    printed.iter().filter(is_own).cloned().collect()
}

pub(crate) fn not_served(visit: &Visit) -> String {
    match (&visit.complaint, visit.waiting) {
        (_, true) => {
            format!("an ordinary client waited {} and was not served", seconds(visit.took))
        }
        (Some(complaint), false) => {
            let complaint = complaint.strip_prefix("error: ").unwrap_or(complaint);
            format!("an ordinary client was not served: {complaint}")
        }
        (None, false) => format!("an ordinary client got the wrong reply: {:?}", visit.printed),
    }
}

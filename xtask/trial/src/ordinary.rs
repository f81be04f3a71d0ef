//! An ordinary client: the first run of the demo.

use std::time::Duration;

use ladder::manifests::ClientRun;
use ladder::{Address, Failure, Rung, failure};
use netfault::Speaks;

use crate::faults::Faults;
use crate::outcome::{Cast, seconds};
use crate::stage::{Stage, Visit};

/// How long an ordinary client is given where it is expected to be served: enough for
/// any limit that a demo sets, on any machine. What it really took is told.
pub const GENEROUS: Duration = Duration::from_secs(20);

/// An ordinary client goes to `address`. Err: what became of it.
pub fn ordinary_client(
    stage: &mut Stage,
    cast: Cast,
    address: &Address,
    patience: Duration,
) -> Result<Result<Duration, String>, Failure> {
    let run = usual_run(cast.rung)?;
    let visit =
        stage.run_client(Cast { args: &run.args, ..cast }, address, Vec::new(), patience)?;
    // What was served before may be counted in a reply, so that only its number of lines is
    // known.
    let printed = match cast.rung.speaks() {
        Speaks::Lines => own(&visit.printed, &run.args).len(),
        _ => visit.printed.len(),
    };
    let served = visit.code == Some(0) && printed == run.expect.len();
    Ok(if served { Ok(visit.took) } else { Err(not_served(&visit)) })
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

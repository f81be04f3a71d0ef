//! One run of netload.

use std::ops::ControlFlow;
use std::process::{Command, Stdio};
use std::time::Duration;

use ladder::{Failure, Process, failure};
use serde_json::Value;

/// No run of netload lasts so long.
const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);

const COURTESY: Duration = Duration::from_secs(10);

/// Runs netload: its report. When the idle crowd stands, `standing` is told how many there
/// are; `None` where that has ended it. The error says why there is no report.
pub fn run(
    command: &mut Command,
    mut standing: impl FnMut(f64) -> ControlFlow<()>,
) -> Result<Option<Value>, Failure> {
    let process =
        Process::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let line = |wanted: fn(&Value) -> bool| {
        let read = |line: &str| serde_json::from_str(line).ok().filter(wanted);
        process.stdout().wait_for_line(LONGEST, read)
    };
    // A crowd is told in a line of its own before the report.
    if let Ok(crowd) = line(|_| true)
        && let Some(connections) = crowd["connections"].as_f64().filter(|_| !is_report(&crowd))
        && standing(connections).is_break()
    {
        return Ok(None);
    }
    line(is_report).map(Some).map_err(|why| {
        let said = process.stderr().text_at_end(COURTESY).unwrap_or_default();
        match said.lines().next() {
            Some(first) => Failure::new(first),
            None => failure!("netload has no report: {why}"),
        }
    })
}

fn is_report(line: &Value) -> bool {
    line["faults"].is_object()
}

//! One run of netload.

use std::ops::ControlFlow;
use std::process::{Command, Stdio};
use std::time::Duration;

use ladder::{Failure, Process, failure};
use serde::Deserialize;

/// No run of netload lasts so long.
const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);

const COURTESY: Duration = Duration::from_secs(10);

/// What bench reads of netload's report.
#[derive(Debug, Deserialize)]
pub struct Report {
    pub size: usize,
    pub seconds: f64,
    /// Replies, all of them right.
    pub replies: u64,
    pub replies_per_second: f64,
    pub bytes: u64,
    pub bytes_per_second: f64,
    /// How long replies took, in microseconds.
    pub latency: Option<Latency>,
    pub crowd: Option<Crowd>,
    pub lost: Option<u64>,
    pub deaf: Option<Deafness>,
    pub faults: Faults,
}

/// Microseconds.
#[derive(Debug, Clone, Deserialize)]
pub struct Latency {
    /// Half of the replies took at most this long.
    pub p50: f64,
    /// All but one in a hundred.
    pub p99: f64,
    /// All but one in a thousand.
    pub p999: f64,
}

#[derive(Debug, Deserialize)]
pub struct Crowd {
    pub connections: usize,
    /// Seconds until each had been answered once.
    pub answered_seconds: f64,
}

#[derive(Debug, Deserialize)]
pub struct Deafness {
    /// The p99 of the others with one who does not listen, beside that without.
    pub ratio: f64,
}

#[derive(Debug, Deserialize)]
pub struct Faults {
    pub first: Option<String>,
}

/// A line of netload's output: the crowd when it stands, or the report.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Report(Box<Report>),
    Crowd(Crowd),
}

/// Runs netload; calls `standing` when the idle crowd stands. `None` where that has
/// ended it; the error says why there is no report.
pub fn run(
    command: &mut Command,
    mut standing: impl FnMut(&Crowd) -> ControlFlow<()>,
) -> Result<Option<Report>, Failure> {
    let process =
        Process::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let line = || process.stdout().wait_for_line(LONGEST, |line| serde_json::from_str(line).ok());
    match line() {
        Ok(Line::Crowd(crowd)) if standing(&crowd).is_break() => return Ok(None),
        _ => {}
    }
    let report = process.stdout().wait_for_line(LONGEST, |line| {
        serde_json::from_str(line).ok().and_then(|line| match line {
            Line::Report(report) => Some(*report),
            Line::Crowd(_) => None,
        })
    });
    let said = process.stderr().wait_for_end(COURTESY).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    report.map(Some).map_err(|why| match said.lines().next() {
        Some(first) => Failure::new(first),
        None => failure!("netload has no report: {why}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_told_from_a_crowd() {
        let crowd = r#"{"connections":5000,"connected_seconds":0.1,"answered_seconds":0.2}"#;
        assert!(matches!(
            serde_json::from_str(crowd).unwrap(),
            Line::Crowd(Crowd { connections: 5000, .. })
        ));
        let report = r#"{"scenario":"tcp-echo","connections":1,"size":64,"seconds":1.0,"replies":9,
            "replies_per_second":9.0,"bytes":576,"bytes_per_second":576.0,"latency":null,"crowd":null,"deaf":null,"lost":null,
            "faults":{"wrong":0,"first":null}}"#;
        assert!(
            matches!(serde_json::from_str(report).unwrap(), Line::Report(report) if report.replies == 9)
        );
    }
}

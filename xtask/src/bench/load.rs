//! One run of netload.

use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::Failure;
use crate::process::Process;

/// How long netload may take to end after its report.
const COURTESY: Duration = Duration::from_secs(10);

/// What bench reads of netload's report.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// Bytes of a reply.
    pub size: usize,
    /// Seconds from the first request to the last reply.
    pub seconds: f64,
    /// Replies, all of them right.
    pub replies: u64,
    /// Replies in a second.
    pub replies_per_second: f64,
    /// Bytes that came back.
    pub bytes: u64,
    /// Bytes in a second.
    pub bytes_per_second: f64,
    /// How long replies took, in microseconds.
    pub latency: Option<Latency>,
    /// The idle crowd.
    pub crowd: Option<Crowd>,
    /// Datagrams without a reply.
    pub lost: Option<u64>,
    /// What went wrong.
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

/// An idle crowd that stands.
#[derive(Debug, Deserialize)]
pub struct Crowd {
    /// How many.
    pub connections: usize,
    /// Seconds until each had been answered once.
    pub answered_seconds: f64,
}

/// What went wrong.
#[derive(Debug, Deserialize)]
pub struct Faults {
    /// The first, in words.
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
    let (stdout, stderr) = {
        let mut child = process.child();
        (child.stdout.take(), child.stderr.take())
    };
    let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
        return Err(Failure::new("netload has no output"));
    };
    let mut report = None;
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        match serde_json::from_str(&line) {
            Ok(Line::Crowd(crowd)) => {
                if standing(&crowd).is_break() {
                    return Ok(None);
                }
            }
            Ok(Line::Report(whole)) => report = Some(*whole),
            Err(error) => return Err(Failure::new(format!("netload printed {line:?}: {error}"))),
        }
    }
    // A line at most: it fits into the pipe, so that netload never waits for a reader.
    let said: Vec<String> = BufReader::new(stderr).lines().map_while(Result::ok).collect();
    let _ = process.wait(COURTESY);
    let why = || said.first().cloned().unwrap_or_else(|| "netload has no report".into());
    report.map(Some).ok_or_else(|| Failure::new(why()))
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
            "replies_per_second":9.0,"bytes":576,"bytes_per_second":576.0,"latency":null,"crowd":null,"lost":null,
            "faults":{"wrong":0,"first":null}}"#;
        assert!(
            matches!(serde_json::from_str(report).unwrap(), Line::Report(report) if report.replies == 9)
        );
    }
}

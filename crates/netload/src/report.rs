//! The report of a run, for people or as one line of JSON.

use std::fmt;

use netcore::Error;
use netcore::log::harmless_json;
use serde::Serialize;

use crate::deafness::Deafness;
use crate::meter::{Latency, Meter};

/// What a run found. Keys in JSON are those of the fields; what a scenario does not
/// have is `null`.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The name of the scenario, as on the command line.
    pub scenario: &'static str,
    /// Where the load went.
    pub target: String,
    /// Connections at a time.
    pub connections: usize,
    /// Requests in flight on each.
    pub in_flight: usize,
    /// Bytes of a message, or of the body of a reply.
    pub size: usize,
    /// From the first request to the last reply.
    pub seconds: f64,
    /// Replies that were whole and right.
    pub replies: u64,
    /// Replies in a second.
    pub replies_per_second: f64,
    /// Bytes that came back, all of them right.
    pub bytes: u64,
    /// Bytes in a second.
    pub bytes_per_second: f64,
    /// How long replies took, in microseconds.
    pub latency: Option<Latency>,
    /// Connections that were opened in the run.
    pub opened: u64,
    /// The time that opening the crowd took: until it was connected, and until each of
    /// it had been answered.
    pub crowd: Option<Crowd>,
    /// What one who does not listen has cost the others.
    pub deaf: Option<Deafness>,
    /// Datagrams without a reply.
    pub lost: Option<u64>,
    /// Datagrams that came too late or twice.
    pub stray: Option<u64>,
    /// Whether the run was ended before its time.
    pub interrupted: bool,
    /// What went wrong.
    pub faults: crate::faults::Faults,
}

/// An idle crowd of connections.
#[derive(Debug, Clone, Serialize)]
pub struct Crowd {
    /// How many.
    pub connections: usize,
    /// Until all were connected, in seconds.
    pub connected_seconds: f64,
    /// Until each had one message answered, in seconds.
    pub answered_seconds: f64,
}

impl Report {
    /// The figures of `meter`; what only some scenarios have is left out.
    pub fn new(scenario: &'static str, target: impl fmt::Display, meter: Meter) -> Report {
        let seconds = meter.elapsed().as_secs_f64();
        // A run without replies took no time.
        let per_second = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        Report {
            scenario,
            target: target.to_string(),
            connections: 1,
            in_flight: 1,
            size: 0,
            seconds,
            replies: meter.replies(),
            replies_per_second: per_second(meter.replies()),
            bytes: meter.bytes,
            bytes_per_second: per_second(meter.bytes),
            latency: meter.latency(),
            opened: meter.opened,
            crowd: None,
            deaf: None,
            lost: None,
            stray: None,
            interrupted: false,
            faults: meter.faults,
        }
    }

    /// One line of JSON.
    ///
    /// # Errors
    /// None in practice: every field can be written.
    pub fn json(&self) -> Result<String, Error> {
        json(self)
    }

    /// Whether all went well, as the error of the run.
    ///
    /// # Errors
    /// What went wrong, where something did.
    pub fn verdict(&self) -> Result<(), Error> {
        let Some(first) = &self.faults.first else { return Ok(()) };
        let failed = std::io::Error::other(format!("{}; the first was {first}", self.faults));
        Err(Error::failed("get every reply right")(failed))
    }
}

impl Crowd {
    /// One line of JSON.
    ///
    /// # Errors
    /// As [`Report::json`].
    pub fn json(&self) -> Result<String, Error> {
        json(self)
    }
}

fn json(value: &impl Serialize) -> Result<String, Error> {
    let json = serde_json::to_string(value).map(harmless_json);
    json.map_err(|error| Error::failed("write the report")(error.into()))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { scenario, target, connections, in_flight, size, .. } = self;
        writeln!(
            f,
            "{scenario} {target}, {connections} connections, {in_flight} in flight, {size} bytes"
        )?;
        if let Some(crowd) = &self.crowd {
            writeln!(f, "  {crowd}")?;
        }
        if let Some(latency) = &self.latency {
            let (replies, rate) =
                (thousands(self.replies), thousands(self.replies_per_second as u64));
            writeln!(f, "  {replies} replies in {:.2} s: {rate} a second", self.seconds)?;
            writeln!(f, "  {latency}")?;
        }
        if let Some(deaf) = &self.deaf {
            writeln!(f, "  {deaf}")?;
        }
        let bytes = thousands(self.bytes);
        writeln!(f, "  {bytes} bytes back: {:.1} MB a second", self.bytes_per_second / 1e6)?;
        if let (Some(lost), Some(stray)) = (self.lost, self.stray) {
            writeln!(f, "  {} lost, {} late or twice", thousands(lost), thousands(stray))?;
        }
        if self.interrupted {
            writeln!(f, "  interrupted before its end")?;
        }
        write!(f, "  faults: {}", self.faults)
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Latency { p50, p90, p99, p999, max } = self;
        write!(
            f,
            "latency in µs: p50 {p50:.0}, p90 {p90:.0}, p99 {p99:.0}, p99.9 {p999:.0}, max {max:.0}"
        )
    }
}

impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Crowd { connections, connected_seconds, answered_seconds } = self;
        write!(f, "holding {connections} connections: connected in {connected_seconds:.3} s, ")?;
        write!(f, "each answered once after {answered_seconds:.3} s")
    }
}

/// `1234567` as `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        let numbers = [0, 999, 1_000, 12_345, 1_234_567].map(thousands);
        assert_eq!(numbers, ["0", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn a_run_without_faults_passes_and_one_with_faults_tells_the_first() {
        let mut report = Report::new("tcp-echo", "127.0.0.1:9", Meter::new().unwrap());
        assert!(report.verdict().is_ok());
        assert_eq!(report.replies_per_second, 0.0);
        report.target = "\u{9b}2J\u{202e}".into();
        assert!(report.json().unwrap().contains(r#""target":"\u009b2J\u202e""#));
        report.faults.count(2, &crate::faults::Fault::Closed);
        let error = report.verdict().unwrap_err().to_string();
        assert_eq!(
            error,
            "cannot get every reply right: 1 closed too early; the first was connection 2: \
             the server closed the connection too early"
        );
    }
}

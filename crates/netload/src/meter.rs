//! Counts of a run: replies, bytes, latencies, faults.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use netcore::Error;
use serde::Serialize;

use crate::faults::Faults;

/// Latencies are told apart to this many significant digits: 1,234 µs from 1,235 µs.
const DIGITS: u8 = 3;

/// Longer latencies count as this one. The limit on a reply is far below it.
const LONGEST: Duration = Duration::from_secs(600);

/// What has been seen so far.
#[derive(Debug, Clone)]
pub struct Meter {
    latencies: Histogram<u64>,
    /// Bytes that came back and were right.
    pub bytes: u64,
    /// Connections that were opened.
    pub opened: u64,
    /// What went wrong.
    pub faults: Faults,
    started: Instant,
    last: Instant,
}

impl Meter {
    /// An empty one.
    ///
    /// # Errors
    /// None in practice: the bounds of the histogram are constants.
    pub fn new() -> Result<Meter, Error> {
        let latencies = Histogram::new_with_bounds(1, LONGEST.as_nanos() as u64, DIGITS)
            .map_err(|error| Error::failed("count latencies")(std::io::Error::other(error)))?;
        let now = Instant::now();
        Ok(Meter {
            latencies,
            bytes: 0,
            opened: 0,
            faults: Faults::default(),
            started: now,
            last: now,
        })
    }

    /// The time that rates are counted from.
    pub fn start(&mut self, now: Instant) {
        self.started = now;
        self.last = now;
    }

    /// Counts a reply that was asked for at `since` and is whole `now`.
    pub fn reply(&mut self, since: Instant, now: Instant) {
        self.latencies.saturating_record(now.saturating_duration_since(since).as_nanos() as u64);
        self.last = now;
    }

    /// Counts bytes that came back.
    pub fn bytes(&mut self, n: usize, now: Instant) {
        self.bytes += n as u64;
        self.last = now;
    }

    /// Counts what another one has counted, and its time: what was in between is left out.
    pub fn take_in(&mut self, other: &Meter) {
        let so_far = if self.replies() == 0 { Duration::ZERO } else { self.elapsed() };
        // Both have the same bounds.
        let _ = self.latencies.add(&other.latencies);
        self.bytes += other.bytes;
        self.last = other.last;
        let time = so_far + other.elapsed();
        self.started = self.last.checked_sub(time).unwrap_or(self.started);
    }

    /// Replies so far.
    pub fn replies(&self) -> u64 {
        self.latencies.len()
    }

    /// From the start to the last thing that was counted.
    pub fn elapsed(&self) -> Duration {
        self.last.saturating_duration_since(self.started)
    }

    /// The latencies, where there were any.
    pub fn latency(&self) -> Option<Latency> {
        if self.latencies.is_empty() {
            return None;
        }
        let microseconds = |nanoseconds: u64| nanoseconds as f64 / 1_000.0;
        let quantile = |q| microseconds(self.latencies.value_at_quantile(q));
        Some(Latency {
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: microseconds(self.latencies.max()),
        })
    }
}

/// How long replies took, in microseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Latency {
    /// Half of the replies took at most this long.
    pub p50: f64,
    /// Nine in ten.
    pub p90: f64,
    /// All but one in a hundred.
    pub p99: f64,
    /// All but one in a thousand.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_known_row_are_known() {
        let mut meter = Meter::new().unwrap();
        let since = Instant::now();
        for milliseconds in 1..=1000 {
            meter.reply(since, since + Duration::from_millis(milliseconds));
        }
        let latency = meter.latency().unwrap();
        let near = |got: f64, milliseconds: f64| {
            let off = (got / (milliseconds * 1_000.0) - 1.0).abs();
            assert!(off < 0.001, "{got} µs for {milliseconds} ms");
        };
        near(latency.p50, 500.0);
        near(latency.p90, 900.0);
        near(latency.p99, 990.0);
        near(latency.p999, 999.0);
        near(latency.max, 1000.0);
    }

    #[test]
    fn what_is_taken_in_brings_its_time_and_no_other() {
        let (mut whole, mut part) = (Meter::new().unwrap(), Meter::new().unwrap());
        let second = Duration::from_secs(1);
        for minute in [1, 9] {
            let start = Instant::now() + 60 * minute * second;
            part.start(start);
            part.reply(start, start + second);
            whole.take_in(&part);
            part = Meter::new().unwrap();
        }
        assert_eq!((whole.replies(), whole.elapsed()), (2, 2 * second));
    }

    #[test]
    fn without_replies_there_are_no_latencies() {
        assert!(Meter::new().unwrap().latency().is_none());
    }
}

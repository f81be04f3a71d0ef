//! A line on a terminal that shows how a long run goes.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::meter::Meter;
use crate::report::thousands;

/// How often the line changes. A run that is over before shows none.
const INTERVAL: Duration = Duration::from_secs(1);

/// Back to the start of the line, and clear it.
const CLEAR: &str = "\r\x1b[K";

/// Writes to standard error where that is a terminal, and nothing elsewhere.
#[derive(Debug)]
pub struct Progress {
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// Begins now.
    pub fn start(now: Instant) -> Progress {
        let next = io::stderr().is_terminal().then(|| now + INTERVAL);
        Progress { next, shown: false }
    }

    /// Shows the line where it is time to.
    pub fn show(&mut self, meter: &Meter, now: Instant) {
        let Some(next) = self.next.filter(|next| now >= *next) else { return };
        self.next = Some(next + INTERVAL);
        self.shown = true;
        let seconds = meter.elapsed().as_secs_f64();
        let rate = if seconds > 0.0 { meter.replies() as f64 / seconds } else { 0.0 };
        let megabytes = meter.bytes / 1_000_000;
        // Where it cannot be written, nobody misses it: a terminal can be closed meanwhile.
        let mut stderr = io::stderr();
        let _ = write!(
            stderr,
            "{CLEAR}{seconds:.0} s: {} replies, {} a second, {} MB, faults: {}",
            thousands(meter.replies()),
            thousands(rate as u64),
            thousands(megabytes),
            meter.faults
        );
        // A line without an end may stay in a buffer.
        let _ = stderr.flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "{CLEAR}");
        }
    }
}

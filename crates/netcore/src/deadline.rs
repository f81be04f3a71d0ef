//! A point in time, not a duration per call: a peer that drips one byte at a time
//! cannot stretch it.
//!
//! `set_read_timeout` bounds one call. A loop of such calls is bounded by nothing,
//! since each byte starts the time anew; this is the mistake of nearly every sample
//! that sets a timeout. Here the time that remains until one fixed point is computed
//! before each wait.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

/// As good as no limit. More than this from now, as [`Duration::MAX`] is, may be a
/// point that no clock can hold: then `Instant + Duration` panics. For servers that
/// keep their own points in time; [`Deadline`] knows.
pub const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A point in time by which something has to be done, or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Waits for as long as it takes.
    pub const NEVER: Deadline = Deadline(None);

    /// The point `limit` from now. A limit beyond what the clock can hold is
    /// [`Deadline::NEVER`].
    pub fn after(limit: Duration) -> Deadline {
        Deadline::at(Instant::now(), limit)
    }

    /// The point `limit` from `start`, as [`after`](Deadline::after).
    pub fn at(start: Instant, limit: Duration) -> Deadline {
        Deadline(start.checked_add(limit))
    }

    /// The one that comes first.
    pub fn or_sooner(self, other: Deadline) -> Deadline {
        match (self.0, other.0) {
            (Some(a), Some(b)) => Deadline(Some(a.min(b))),
            (a, b) => Deadline(a.or(b)),
        }
    }

    /// The point itself; `None` where there is no limit.
    pub fn instant(self) -> Option<Instant> {
        self.0
    }

    /// Whether the point has come.
    pub fn has_passed(self) -> bool {
        self.has_passed_at(Instant::now())
    }

    /// Whether the point has come by `now`, a moment of before.
    pub fn has_passed_at(self, now: Instant) -> bool {
        self.0.is_some_and(|at| at <= now)
    }

    /// The time that is left, never zero; `None` where there is no limit.
    ///
    /// # Errors
    /// `TimedOut` once the point has come. So a zero is never handed to
    /// `set_read_timeout`, which refuses it.
    pub fn remaining(self) -> io::Result<Option<Duration>> {
        let Some(at) = self.0 else { return Ok(None) };
        match at.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(Some(left)),
            _ => Err(ErrorKind::TimedOut.into()),
        }
    }

    /// The time that is left, for a wait that looks at least once: zero where the point has
    /// come, `None` where there is no limit.
    pub fn patience(self) -> Option<Duration> {
        self.0.map(|at| at.saturating_duration_since(Instant::now()))
    }
}

impl From<Instant> for Deadline {
    fn from(at: Instant) -> Deadline {
        Deadline(Some(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_secs(1);
    const LONG: Duration = Duration::from_secs(100);

    #[test]
    fn never_comes_after_every_other_deadline() {
        let soon = Deadline::after(SHORT);
        assert_eq!(Deadline::NEVER.or_sooner(soon), soon);
        assert_eq!(soon.or_sooner(Deadline::NEVER), soon);
        assert_eq!(soon.or_sooner(Deadline::after(LONG)), soon);
        assert_eq!(Deadline::after(Duration::MAX), Deadline::NEVER);
        assert!(!Deadline::NEVER.has_passed());
    }

    #[test]
    fn a_deadline_that_has_passed_leaves_no_time_and_is_an_error() {
        let passed = Deadline::after(Duration::ZERO);
        assert!(passed.has_passed());
        assert_eq!(passed.remaining().unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(Deadline::after(LONG).remaining().unwrap().unwrap() > SHORT);
        assert_eq!(Deadline::NEVER.remaining().unwrap(), None);
    }
}

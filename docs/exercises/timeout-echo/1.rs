//! A deadline, not a timeout
//!
//! A client may be silent for `idle` at most, and stay for `total` at most.
//! How long may the next read wait, when the client has been here for `stayed`?
//! Return `None` when it is over.
//!
//! Hint: The sooner of two limits counts: `idle`, and what is left of `total`.
//!
//! Hint: `checked_sub` says `None` where nothing is left, and a wait of zero is over as well.

use std::time::Duration;

/// How long the next read may wait.
pub fn patience(idle: Duration, total: Duration, stayed: Duration) -> Option<Duration> {
    // Solution:
    let left = total.checked_sub(stayed).filter(|left| !left.is_zero())?;
    Some(left.min(idle))
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_new_client_has_the_whole_idle_limit() {
        assert_eq!(patience(s(5), s(60), s(0)), Some(s(5)));
    }

    #[test]
    fn one_that_has_dripped_for_long_has_what_is_left_of_the_total() {
        assert_eq!(patience(s(5), s(60), s(58)), Some(s(2)), "the total limit comes sooner");
    }

    #[test]
    fn after_the_total_limit_there_is_no_wait_and_no_overflow() {
        assert_eq!(patience(s(5), s(60), s(60)), None);
        assert_eq!(patience(s(5), s(60), s(70)), None);
    }
}

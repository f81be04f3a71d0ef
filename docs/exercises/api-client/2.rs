//! Come back at different moments
//!
//! A thousand clients were cut off at one moment and must not come back at one moment.
//! The wait before repeat number `repeat` (from 0) is any part of `FIRST_WAIT`, doubled
//! `repeat` times and never more than `LONGEST_WAIT`; `chance`, from 0 to 1, is the part.
//!
//! Hint: `FIRST_WAIT.saturating_mul(1 << repeat)` doubles, and too large a `repeat` would
//! overflow the shift: `repeat.min(16)`.
//!
//! Hint: First `min(LONGEST_WAIT)`, and then `mul_f64(chance)`.

use std::time::Duration;

use api_client::policy::{FIRST_WAIT, LONGEST_WAIT};

/// How long to wait.
pub fn wait(repeat: u32, chance: f64) -> Duration {
    // Solution:
    FIRST_WAIT.saturating_mul(1 << repeat.min(16)).min(LONGEST_WAIT).mul_f64(chance)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wait_doubles() {
        assert_eq!(wait(0, 1.0), FIRST_WAIT);
        assert_eq!(wait(3, 1.0), FIRST_WAIT * 8);
    }

    #[test]
    fn chance_is_a_part_of_it() {
        assert_eq!(wait(1, 0.5), FIRST_WAIT);
        assert_eq!(wait(5, 0.0), Duration::ZERO);
    }

    #[test]
    fn it_is_bounded_also_after_many_repeats() {
        for repeat in [10, 40, u32::MAX] {
            assert_eq!(wait(repeat, 1.0), LONGEST_WAIT, "repeat {repeat}");
        }
    }
}

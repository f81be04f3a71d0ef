//! A wait with a margin
//!
//! Whoever waits for the mean asks again for half of all replies.
//! Wait for the mean and four times what replies differ from it by, but for no less than
//! `SHORTEST` and no more than `LONGEST`.
//!
//! Hint: `mean + deviation * 4`.
//!
//! Hint: `wait.clamp(SHORTEST, LONGEST)` bounds it on both sides.

use std::time::Duration;

use udp_reliable::timer::{LONGEST, SHORTEST};

/// How long to wait for the next reply.
pub fn wait(mean: Duration, deviation: Duration) -> Duration {
    // Solution:
    (mean + deviation * 4).clamp(SHORTEST, LONGEST)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_margin_is_four_times_the_deviation() {
        assert_eq!(wait(ms(400), ms(50)), ms(600));
    }

    #[test]
    fn no_wait_is_too_short_or_too_long() {
        assert_eq!(wait(ms(1), ms(0)), SHORTEST);
        assert_eq!(wait(ms(60_000), ms(1)), LONGEST);
    }
}

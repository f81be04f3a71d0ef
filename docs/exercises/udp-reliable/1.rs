//! As long as the network takes
//!
//! `mean` is how long replies took until now, and `sample` is how long the last one took.
//! One slow reply is no slow network: the new mean is seven parts of the old one and one part
//! of the sample.
//! The first sample is the first mean.
//!
//! Hint: `(mean * 7 + sample) / 8`; a `Duration` can be multiplied and divided by a number.
//!
//! Hint: `mean.map_or(sample, |mean| ...)` is the first case and the other one.

use std::time::Duration;

/// The mean with this sample in it.
pub fn learn(mean: Option<Duration>, sample: Duration) -> Duration {
    // Solution:
    mean.map_or(sample, |mean| (mean * 7 + sample) / 8)
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
    fn the_first_reply_is_believed() {
        assert_eq!(learn(None, ms(80)), ms(80));
    }

    #[test]
    fn a_slow_reply_counts_an_eighth() {
        assert_eq!(learn(Some(ms(80)), ms(880)), ms(180));
    }

    #[test]
    fn after_many_replies_the_mean_is_what_they_take_now() {
        let mean = (0..60).fold(ms(80), |mean, _| learn(Some(mean), ms(400)));
        assert!(mean > ms(395) && mean <= ms(400), "{mean:?}");
    }
}

//! When to ask again: no clock and no socket here, so a test does not wait.

use std::time::Duration;

use crate::Patience;

/// The tries of one request: the number of each, from 1, and how long to wait for its
/// reply.
pub fn tries(patience: &Patience) -> impl Iterator<Item = (u8, Duration)> {
    // What was lost may have been lost to a crowd, which asking at the same pace would
    // feed.
    let waits = std::iter::successors(Some(patience.timeout), |wait| Some(wait.saturating_mul(2)));
    (1..=patience.tries.get()).zip(waits)
}

//! When to send again: the retransmission timer of [RFC 6298](https://www.rfc-editor.org/rfc/rfc6298).
//!
//! Time and chance are handed in, so a test needs neither to wait nor to be lucky.

use std::time::{Duration, Instant};

use crate::Patience;

/// The shortest wait that measuring leads to. The RFC has a second, since TCP may delay
/// an acknowledgement by half of one. Our server answers at once; this covers a moment
/// in which its machine is busy.
pub const SHORTEST: Duration = Duration::from_millis(200);

/// The longest wait that doubling leads to. The RFC allows a limit of 60 s or more: a
/// connection can wait for minutes. Someone who waits for one reply is better served by
/// a few more tries, or by an error.
pub const LONGEST: Duration = Duration::from_secs(8);

/// How late a wait may end, the RFC's clock granularity: a tick of the system's timer,
/// 1 to 16 ms. Round trips that never vary would otherwise leave no margin at all.
pub const GRANULARITY: Duration = Duration::from_millis(16);

/// A wait is longer by up to this part of itself, by chance: clients that lost their
/// requests in the same moment must not all send again in the same moment.
const JITTER: f64 = 0.25;

/// How long replies take, as far as is known, and when the request in hand was sent.
///
/// [Karn's rule](https://www.rfc-editor.org/rfc/rfc6298#section-3) is to measure nothing by a request that was sent
/// twice, since its reply may be to either. Ours names the try that it answers, so each
/// one counts, and a timeout that is too short corrects itself.
#[derive(Debug, Clone)]
pub struct Timer {
    /// How often to send, and how long to wait for a reply now, but for chance: RTO.
    patience: Patience,
    /// SRTT and RTTVAR: the mean of the round trips, the last ones counting most, and how
    /// far they are from it.
    measured: Option<(Duration, Duration)>,
    /// When each try of the request in hand was sent: cleared for the next request.
    pub sent: Vec<Instant>,
}

impl Timer {
    /// Nothing is known yet.
    pub fn new(patience: Patience) -> Timer {
        Timer { patience, measured: None, sent: Vec::new() }
    }

    /// What to do at the beginning, and again whenever a wait has ended without a
    /// reply: send try number `.0` and wait for `.1`. `None` is to give up.
    pub fn next(&mut self, now: Instant, random: u64) -> Option<(u8, Duration)> {
        let Patience { timeout, tries } = &mut self.patience;
        if !self.sent.is_empty() {
            // What was lost may have been lost to a crowd, which asking at the same pace would
            // feed. The limit does not shorten a first wait that is longer.
            *timeout = timeout.saturating_mul(2).min(LONGEST.max(*timeout));
        }
        if self.sent.len() >= tries.get().into() {
            return None;
        }
        self.sent.push(now);
        let wait =
            timeout.saturating_add(timeout.mul_f64(JITTER * random as f64 / u64::MAX as f64));
        Some((self.sent.len() as u8, wait))
    }

    /// The reply to try `number` has come.
    pub fn answered(&mut self, number: u8, now: Instant) {
        // The number comes from outside. One that was never sent tells nothing.
        let at = usize::from(number).checked_sub(1).and_then(|at| self.sent.get(at));
        let Some(sample) = at.map(|at| now.saturating_duration_since(*at)) else { return };
        let (mean, deviation) = self.measured.map_or((sample, sample / 2), |(mean, deviation)| {
            // From the mean before this sample.
            let deviation = deviation.saturating_mul(3).saturating_add(mean.abs_diff(sample)) / 4;
            (mean.saturating_mul(7).saturating_add(sample) / 8, deviation)
        });
        self.measured = Some((mean, deviation));
        let margin = deviation.saturating_mul(4).max(GRANULARITY);
        self.patience.timeout = mean.saturating_add(margin).clamp(SHORTEST, LONGEST);
    }
}

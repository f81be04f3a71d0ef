//! When to send again: the retransmission timer of [RFC 6298](https://www.rfc-editor.org/rfc/rfc6298).
//!
//! Time and chance are handed in, so a test needs neither to wait nor to be lucky.

use std::num::NonZeroU8;
use std::time::{Duration, Instant};

/// The shortest wait that measuring leads to. The RFC has a second, since TCP may delay
/// an acknowledgement by half of one. Our server answers at once; this covers a moment
/// in which its machine is busy.
const SHORTEST: Duration = Duration::from_millis(200);

/// The longest wait that doubling leads to. The RFC allows a limit of 60 s or more: a
/// connection can wait for minutes. Someone who waits for one reply is better served by
/// a few more tries, or by an error.
const LONGEST: Duration = Duration::from_secs(8);

/// How late a wait may end, the RFC's clock granularity: a tick of the system's timer,
/// 1 to 16 ms. Round trips that never vary would otherwise leave no margin at all.
const GRANULARITY: Duration = Duration::from_millis(16);

/// A wait is longer by up to this part of itself, by chance: clients that lost their
/// requests in the same moment must not all send again in the same moment.
const JITTER: f64 = 0.25;

/// How long a reply takes, as far as is known, and how long to wait for one.
#[derive(Debug, Clone)]
pub struct Rtt {
    measured: Option<Measured>,
    timeout: Duration,
}

/// SRTT and RTTVAR: the mean of the round trips, the last ones counting most, and how
/// far they are from it.
#[derive(Debug, Clone, Copy)]
struct Measured {
    mean: Duration,
    deviation: Duration,
}

impl Rtt {
    /// Nothing is known yet: wait for `timeout`.
    pub fn new(timeout: Duration) -> Rtt {
        Rtt { measured: None, timeout }
    }

    /// How long to wait for a reply now: RTO.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// A reply came after `sample`.
    pub fn measure(&mut self, sample: Duration) {
        let Measured { mean, deviation } = match self.measured {
            None => Measured { mean: sample, deviation: sample / 2 },
            Some(Measured { mean, deviation }) => Measured {
                mean: mean.saturating_mul(7).saturating_add(sample) / 8,
                // From the mean before this sample.
                deviation: deviation.saturating_mul(3).saturating_add(mean.abs_diff(sample)) / 4,
            },
        };
        self.measured = Some(Measured { mean, deviation });
        let margin = deviation.saturating_mul(4).max(GRANULARITY);
        self.timeout = mean.saturating_add(margin).clamp(SHORTEST, LONGEST);
    }

    /// No reply came in time. What was lost may have been lost to a crowd, which asking
    /// at the same pace would feed.
    pub fn back_off(&mut self) {
        let doubled = self.timeout.saturating_mul(2).min(LONGEST);
        // The limit does not shorten a first wait that is longer.
        self.timeout = self.timeout.max(doubled);
    }
}

/// The tries of one request: when each was sent.
///
/// [Karn's rule](https://www.rfc-editor.org/rfc/rfc6298#section-3) is to measure nothing by a request that was sent
/// twice, since its reply may be to either. Ours names the try that it answers, so each
/// one counts, and a timeout that is too short corrects itself.
#[derive(Debug)]
pub struct Tries {
    limit: NonZeroU8,
    sent: Vec<Instant>,
}

/// Send now, and wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Try {
    /// From 1.
    pub number: u8,
    /// How long to wait for a reply.
    pub wait: Duration,
}

impl Tries {
    /// A request that may be sent `limit` times.
    pub fn new(limit: NonZeroU8) -> Tries {
        Tries { limit, sent: Vec::new() }
    }

    /// What to do at the beginning, and again whenever a wait has ended without a
    /// reply. `None` is to give up.
    pub fn next(&mut self, rtt: &mut Rtt, now: Instant, random: u64) -> Option<Try> {
        if !self.sent.is_empty() {
            rtt.back_off();
        }
        if self.sent.len() >= self.limit.get().into() {
            return None;
        }
        self.sent.push(now);
        let chance = random as f64 / u64::MAX as f64;
        let wait = rtt.timeout().saturating_add(rtt.timeout().mul_f64(JITTER * chance));
        Some(Try { number: self.sent(), wait })
    }

    /// How often the request has been sent.
    pub fn sent(&self) -> u8 {
        self.sent.len() as u8
    }

    /// The reply to try `number` has come.
    pub fn answered(&self, number: u8, rtt: &mut Rtt, now: Instant) {
        // The number comes from outside. One that was never sent tells nothing.
        let sent = usize::from(number).checked_sub(1).and_then(|index| self.sent.get(index));
        if let Some(sent) = sent {
            rtt.measure(now.saturating_duration_since(*sent));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn tries(limit: u8) -> Tries {
        Tries::new(NonZeroU8::new(limit).unwrap())
    }

    #[test]
    fn the_first_round_trip_sets_the_timeout_to_three_times_itself() {
        let mut rtt = Rtt::new(ms(1000));
        assert_eq!(rtt.timeout(), ms(1000));
        // RTO = R + 4 * R / 2.
        rtt.measure(ms(400));
        assert_eq!(rtt.timeout(), ms(1200));
    }

    #[test]
    fn further_round_trips_count_as_the_rfc_has_it() {
        let mut rtt = Rtt::new(ms(1000));
        rtt.measure(ms(400));
        // SRTT 7/8 * 400 + 1/8 * 800 = 450; RTTVAR 3/4 * 200 + 1/4 * |400 - 800| = 250; RTO 450
        // + 4 * 250.
        rtt.measure(ms(800));
        assert_eq!(rtt.timeout(), ms(1450));
        // SRTT 7/8 * 450 + 1/8 * 450 = 450; RTTVAR 3/4 * 250 + 0 = 187.5.
        rtt.measure(ms(450));
        assert_eq!(rtt.timeout(), ms(1200));
    }

    #[test]
    fn round_trips_that_never_vary_leave_the_margin_of_a_tick() {
        let mut rtt = Rtt::new(ms(1000));
        for _ in 0..100 {
            rtt.measure(ms(400));
        }
        assert_eq!(rtt.timeout(), ms(400) + GRANULARITY);
    }

    #[test]
    fn the_timeout_is_neither_too_short_nor_too_long() {
        let mut rtt = Rtt::new(ms(1000));
        rtt.measure(Duration::ZERO);
        assert_eq!(rtt.timeout(), SHORTEST);
        rtt.measure(Duration::MAX);
        assert_eq!(rtt.timeout(), LONGEST);
    }

    #[test]
    fn each_wait_in_vain_doubles_the_next_up_to_the_limit() {
        let mut rtt = Rtt::new(ms(1000));
        let mut tries = tries(6);
        let now = Instant::now();
        let waits =
            std::iter::from_fn(|| tries.next(&mut rtt, now, 0)).map(|next| next.wait.as_secs());
        assert_eq!(waits.collect::<Vec<_>>(), [1, 2, 4, 8, 8, 8]);
        assert_eq!(tries.next(&mut rtt, now, 0), None);
    }

    #[test]
    fn a_first_wait_beyond_the_limit_stays_as_it_is() {
        let mut rtt = Rtt::new(Duration::MAX);
        let mut tries = tries(2);
        for number in [1, 2] {
            let next = tries.next(&mut rtt, Instant::now(), u64::MAX);
            assert_eq!(next, Some(Try { number, wait: Duration::MAX }));
        }
    }

    #[test]
    fn chance_makes_a_wait_longer_by_a_quarter_at_most_and_never_shorter() {
        let wait =
            |random| tries(1).next(&mut Rtt::new(ms(1000)), Instant::now(), random).unwrap().wait;
        assert_eq!(wait(0), ms(1000));
        assert_eq!(wait(u64::MAX / 2 + 1), ms(1125));
        assert_eq!(wait(u64::MAX), ms(1250));
    }

    #[test]
    fn a_reply_is_measured_from_the_try_that_it_answers() {
        let start = Instant::now();
        for (number, expected) in
            [(1, ms(3 * 1400)), (2, ms(3 * 400)), (0, ms(2000)), (3, ms(2000))]
        {
            let mut rtt = Rtt::new(ms(1000));
            let mut tries = tries(2);
            tries.next(&mut rtt, start, 0).unwrap();
            tries.next(&mut rtt, start + ms(1000), 0).unwrap();
            tries.answered(number, &mut rtt, start + ms(1400));
            assert_eq!(rtt.timeout(), expected, "try {number}");
        }
    }
}

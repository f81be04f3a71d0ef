//! The timer of RFC 6298, with a clock of its own.

use std::time::{Duration, Instant};

use udp_reliable::Patience;
use udp_reliable::timer::{GRANULARITY, LONGEST, SHORTEST, Timer};

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn timer(timeout: Duration, tries: u8) -> Timer {
    Timer::new(Patience { timeout, tries: tries.try_into().unwrap() })
}

/// How long the next request waits, when the ones before it took so long.
fn wait_after(round_trips: &[Duration]) -> Duration {
    let (mut timer, start) = (timer(ms(1000), 9), Instant::now());
    for round_trip in round_trips {
        timer.sent.clear();
        timer.next(start, 0).unwrap();
        timer.answered(1, start + *round_trip);
    }
    timer.sent.clear();
    timer.next(start, 0).unwrap().1
}

#[test]
fn the_first_round_trip_sets_the_timeout_to_three_times_itself() {
    assert_eq!(wait_after(&[]), ms(1000));
    // RTO = R + 4 * R / 2.
    assert_eq!(wait_after(&[ms(400)]), ms(1200));
}

#[test]
fn further_round_trips_count_as_the_rfc_has_it() {
    // SRTT 7/8 * 400 + 1/8 * 800 = 450; RTTVAR 3/4 * 200 + 1/4 * |400 - 800| = 250; RTO 450
    // + 4 * 250.
    assert_eq!(wait_after(&[ms(400), ms(800)]), ms(1450));
    // SRTT 7/8 * 450 + 1/8 * 450 = 450; RTTVAR 3/4 * 250 + 0 = 187.5.
    assert_eq!(wait_after(&[ms(400), ms(800), ms(450)]), ms(1200));
}

#[test]
fn round_trips_that_never_vary_leave_the_margin_of_a_tick() {
    assert_eq!(wait_after(&[ms(400); 100]), ms(400) + GRANULARITY);
}

#[test]
fn the_timeout_is_neither_too_short_nor_too_long() {
    assert_eq!(wait_after(&[Duration::ZERO]), SHORTEST);
    assert_eq!(wait_after(&[ms(1_000_000)]), LONGEST);
}

#[test]
fn each_wait_in_vain_doubles_the_next_up_to_the_limit() {
    let (mut timer, now) = (timer(ms(1000), 6), Instant::now());
    let waits: Vec<_> = std::iter::from_fn(|| timer.next(now, 0)).map(|(_, wait)| wait).collect();
    assert_eq!(waits, [1, 2, 4, 8, 8, 8].map(Duration::from_secs));
    assert_eq!(timer.next(now, 0), None);
}

#[test]
fn a_first_wait_beyond_the_limit_stays_as_it_is() {
    let mut timer = timer(Duration::MAX, 2);
    for number in [1, 2] {
        assert_eq!(timer.next(Instant::now(), u64::MAX), Some((number, Duration::MAX)));
    }
}

#[test]
fn chance_makes_a_wait_longer_by_a_quarter_at_most_and_never_shorter() {
    let wait = |random| timer(ms(1000), 1).next(Instant::now(), random).unwrap().1;
    assert_eq!(wait(0), ms(1000));
    assert_eq!(wait(u64::MAX / 2 + 1), ms(1125));
    assert_eq!(wait(u64::MAX), ms(1250));
}

#[test]
fn a_reply_is_measured_from_the_try_that_it_answers() {
    let start = Instant::now();
    // Try 0 and try 3 were never sent.
    for (number, expected) in [(1, 3 * 1400), (2, 3 * 400), (0, 2000), (3, 2000)] {
        let mut timer = timer(ms(1000), 2);
        timer.next(start, 0).unwrap();
        timer.next(start + ms(1000), 0).unwrap();
        timer.answered(number, start + ms(1400));
        timer.sent.clear();
        assert_eq!(timer.next(start, 0).unwrap().1, ms(expected), "try {number}");
    }
}

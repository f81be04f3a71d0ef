use std::time::SystemTime;

use httpdate::fmt_http_date;

use super::*;

const DEADLINE: Duration = Duration::from_secs(30);

/// A status whose answer may be another one later.
const PASSING: [u16; 4] = [429, 502, 503, 504];

fn next(trouble: Trouble, safe: bool) -> Next {
    Tries::new(safe, DEADLINE).next(trouble, Duration::ZERO, 0.5, &mut Budget::default())
}

#[test]
fn what_may_be_different_later_is_asked_again_and_nothing_else() {
    for status in 300..600 {
        let again = matches!(next(Trouble::Status(status, None), true), Next::AskAgain(_));
        assert_eq!(again, PASSING.contains(&status), "{status}");
    }
    assert!(matches!(next(Trouble::Lost, true), Next::AskAgain(_)));
    assert_eq!(next(Trouble::Nonsense, true), Next::Refused);
}

#[test]
fn without_a_key_nothing_that_was_sent_is_sent_again() {
    let passing = PASSING.map(|status| Trouble::Status(status, None));
    for trouble in passing.into_iter().chain([Trouble::Lost]) {
        assert_eq!(next(trouble, false), Next::GiveUp(Why::NotSafe), "{trouble:?}");
    }
    assert!(matches!(next(Trouble::NotSent, false), Next::AskAgain(_)));
}

#[test]
fn the_other_side_says_when_and_beyond_the_deadline_is_given_up_at_once() {
    let asks_for = |seconds| {
        let after = Some(Duration::from_secs(seconds));
        next(Trouble::Status(503, after), true)
    };
    let Next::AskAgain(wait) = asks_for(20) else { panic!("there is time") };
    assert!(wait >= Duration::from_secs(20) && wait < DEADLINE);
    let told = Some(DEADLINE);
    assert_eq!(asks_for(DEADLINE.as_secs()), Next::GiveUp(Why::NoTimeLeft(told)));
    let told = Some(Duration::from_secs(u64::MAX));
    assert_eq!(asks_for(u64::MAX), Next::GiveUp(Why::NoTimeLeft(told)));
}

#[test]
fn each_wait_may_be_twice_as_long_up_to_a_bound_and_is_spread_over_all_of_it() {
    for chance in [0.0, 0.3, 1.0] {
        let mut tries = Tries::new(true, Duration::MAX);
        let mut budget = Budget::default();
        let mut most = FIRST_WAIT;
        for _ in 0..RESERVE {
            let next = tries.next(Trouble::Lost, Duration::ZERO, chance, &mut budget);
            assert_eq!(next, Next::AskAgain(most.mul_f64(chance)));
            most = (most * 2).min(LONGEST_WAIT);
        }
    }
}

#[test]
fn of_many_requests_a_tenth_is_repeated_and_a_minute_later_it_begins_anew() {
    let mut budget = Budget::default();
    let repeats = |budget: &mut Budget, now: Duration| {
        let mut again = || {
            let next = Tries::new(true, Duration::MAX).next(Trouble::Lost, now, 0.0, budget);
            next != Next::GiveUp(Why::TooManyRepeats)
        };
        (0..1000).filter(|_| again()).count()
    };
    for second in 0..50 {
        for _ in 0..20 {
            budget.count_request(Duration::from_secs(second));
        }
    }
    assert_eq!(repeats(&mut budget, Duration::from_secs(50)), 100);
    assert_eq!(repeats(&mut budget, Duration::from_secs(51)), 0);
    // The requests are forgotten by then, and the repeats as well.
    assert_eq!(repeats(&mut budget, Duration::from_secs(111)), RESERVE as usize);
}

/// A virtual clock and a number generator with a seed, for a hundred programs that were cut
/// off at the same moment.
#[test]
fn a_hundred_clients_come_back_one_by_one_after_an_outage() {
    const CLIENTS: usize = 100;
    let outage = Duration::from_secs(10);
    let mut seed = 1_u64;
    let mut chance = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as f64 / (1_u64 << 31) as f64
    };
    let mut back: Vec<Duration> = Vec::new();
    let mut sent = 0;
    for _ in 0..CLIENTS {
        let (mut tries, mut budget) = (Tries::new(true, DEADLINE), Budget::default());
        let mut now = Duration::ZERO;
        budget.count_request(now);
        while now < outage {
            sent += 1;
            match tries.next(Trouble::Status(503, None), now, chance(), &mut budget) {
                Next::AskAgain(wait) => now += wait,
                other => panic!("{other:?} at {now:?}"),
            }
        }
        back.push(now);
    }
    assert!(sent <= CLIENTS * (1 + RESERVE as usize), "{sent} requests");
    back.sort();
    // No tenth of a second has more than a tenth of them.
    for (first, at) in back.iter().enumerate() {
        let within = back[first..].iter().filter(|then| **then < *at + Duration::from_millis(100));
        assert!(within.count() <= CLIENTS / 10, "a crowd at {at:?}");
    }
    let last = back[CLIENTS - 1];
    assert!(last < outage + LONGEST_WAIT, "the last is back at {last:?}");
}

#[test]
fn our_own_rate_is_kept_over_every_second() {
    let mut pace = Pace::new(10);
    let mut now = Duration::ZERO;
    let mut turns = Vec::new();
    for request in 0..100 {
        // One that comes late does not let the next come early.
        now += if request % 7 == 0 { Duration::from_millis(250) } else { Duration::ZERO };
        now += pace.wait(now, DEADLINE * 10).unwrap();
        turns.push(now);
    }
    for (first, at) in turns.iter().enumerate() {
        let within = turns[first..].iter().filter(|then| **then < *at + Duration::from_secs(1));
        assert!(within.count() <= 10, "at {at:?}");
    }
}

/// Otherwise each request that comes too soon would put off all that come behind it.
#[test]
fn a_turn_that_nobody_waits_for_is_left_to_the_next() {
    let mut pace = Pace::new(1);
    let at = Duration::from_millis;
    assert_eq!(pace.wait(at(0), at(300)), Some(Duration::ZERO));
    for now in (100..700).step_by(100) {
        assert_eq!(pace.wait(at(now), at(now + 300)), None);
    }
    assert_eq!(pace.wait(at(800), at(1100)), Some(at(200)));
}

#[test]
fn retry_after_is_seconds_or_a_date_and_nothing_else() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let date = |seconds: i64| {
        fmt_http_date(
            now + Duration::from_secs(3600) - Duration::from_secs((3600 - seconds) as u64),
        )
    };
    let read = |value: &str| retry_after(value, now);
    assert_eq!(read("0"), Some(Duration::ZERO));
    assert_eq!(read(" 120 "), Some(Duration::from_secs(120)));
    assert_eq!(read("99999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
    assert_eq!(read(&date(90)), Some(Duration::from_secs(90)));
    assert_eq!(read(&date(-90)), Some(Duration::ZERO));
    for garbage in ["", "-5", "+5", "1.5", "soon", "5 s", "0x10", "Sun, 06 Nov"] {
        assert_eq!(read(garbage), None, "{garbage}");
    }
}

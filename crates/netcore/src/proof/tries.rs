//! Who has been wrong too often has to wait, and nobody else: sans-IO, with the time as an
//! argument.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::login::Verdict;

/// Wrong tries that cost nothing: people mistype.
const FREE: u32 = 10;

/// What the first one costs that does; each further one twice as much.
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// The longest wait: whoever has the right secret gets in although somebody else guesses at
/// it, and ten thousand guesses take more than half a day.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// After so long without a wrong one, all is forgotten.
const FORGET: Duration = Duration::from_secs(10 * 60);

/// Names and addresses that are remembered; the older half makes room. An address that
/// fills this has to wait after ten itself.
const REMEMBERED: usize = 10_000;

/// Wrong tries by name and by address. Names that nobody has are counted as well, or the
/// wait would tell which are which.
#[derive(Debug, Default)]
pub struct Tries(Mutex<HashMap<Who, (u32, Instant)>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Who {
    Name(String),
    Address(IpAddr),
}

impl Tries {
    /// Counts a try, and says how long it has to wait for its verdict. It is counted before
    /// anybody knows whether it is right: a thousand at once are not free either.
    pub fn begin(&self, name: &str, address: IpAddr, now: Instant) -> Duration {
        let mut tries = self.tries();
        let counts = [Who::Name(name.into()), Who::Address(network(address))].map(|who| {
            make_room(&mut tries, &who, now);
            let (count, last) = tries.entry(who).or_insert((0, now));
            if now.saturating_duration_since(*last) > FORGET {
                (*count, *last) = (0, now);
            }
            *count = count.saturating_add(1);
            *count
        });
        wait(counts.into_iter().max().unwrap_or(0))
    }

    /// What has come of it. Who has the secret does not guess, whatever it asks for.
    pub fn end(&self, name: &str, address: IpAddr, verdict: &Verdict, now: Instant) {
        match verdict.is_proven() {
            true => self.was_right(name, address),
            false => self.was_wrong(name, address, now),
        }
    }

    /// It was right, and does not count any more.
    fn was_right(&self, name: &str, address: IpAddr) {
        self.of_both(name, address, |(count, _)| *count = count.saturating_sub(1));
    }

    /// It was wrong: the time to forget begins anew. A right one does not begin it, or who
    /// comes often would wait for ever because of somebody else's guesses.
    fn was_wrong(&self, name: &str, address: IpAddr, now: Instant) {
        self.of_both(name, address, |(_, last)| *last = now);
    }

    fn of_both(&self, name: &str, address: IpAddr, change: impl Fn(&mut (u32, Instant))) {
        let mut tries = self.tries();
        for who in [Who::Name(name.into()), Who::Address(network(address))] {
            tries.get_mut(&who).iter_mut().for_each(|them| change(them));
        }
    }

    fn tries(&self) -> MutexGuard<'_, HashMap<Who, (u32, Instant)>> {
        // A count is whole even if a thread panicked while it held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait(count: u32) -> Duration {
    match count.checked_sub(FREE + 1) {
        None => Duration::ZERO,
        Some(doublings) => FIRST_WAIT.saturating_mul(1 << doublings.min(16)).min(LONGEST_WAIT),
    }
}

/// Makes room for many at once, so that it costs little each time.
fn make_room(tries: &mut HashMap<Who, (u32, Instant)>, who: &Who, now: Instant) {
    if tries.len() < REMEMBERED || tries.contains_key(who) {
        return;
    }
    tries.retain(|_, (_, last)| now.saturating_duration_since(*last) <= FORGET);
    if tries.len() > REMEMBERED / 2 {
        let mut times: Vec<Instant> = tries.values().map(|(_, last)| *last).collect();
        let (_, middle, _) = times.select_nth_unstable(REMEMBERED / 2);
        let middle = *middle;
        tries.retain(|_, (_, last)| *last > middle);
    }
}

/// Whoever has an IPv6 address has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> IpAddr {
        [127, 0, 0, 1].into()
    }

    fn there() -> IpAddr {
        [192, 0, 2, 1].into()
    }

    #[test]
    fn ten_wrong_tries_slow_that_name_and_that_address_and_nobody_else() {
        let (tries, now) = (Tries::default(), Instant::now());
        for _ in 0..10 {
            assert_eq!(tries.begin("ann", here(), now), Duration::ZERO);
        }
        assert_eq!(tries.begin("ann", there(), now), FIRST_WAIT);
        assert_eq!(tries.begin("bob", here(), now), FIRST_WAIT);
        assert_eq!(tries.begin("bob", there(), now), Duration::ZERO);
    }

    #[test]
    fn the_wait_grows_to_a_bound_and_is_forgotten_in_time() {
        let (tries, now) = (Tries::default(), Instant::now());
        let waits: Vec<Duration> = (0..40).map(|_| tries.begin("ann", here(), now)).collect();
        assert!(waits[10..].is_sorted() && waits[10] == FIRST_WAIT);
        assert_eq!(waits[39], LONGEST_WAIT);
        let later = now + FORGET + FORGET;
        assert_eq!(tries.begin("ann", here(), later), Duration::ZERO);
    }

    #[test]
    fn who_is_right_is_not_counted() {
        let (tries, now) = (Tries::default(), Instant::now());
        for _ in 0..100 {
            assert_eq!(tries.begin("ann", here(), now), Duration::ZERO);
            tries.was_right("ann", here());
        }
    }

    #[test]
    fn who_is_right_does_not_keep_the_wrong_ones_of_somebody_else_from_being_forgotten() {
        let (tries, mut now) = (Tries::default(), Instant::now());
        for _ in 0..20 {
            tries.begin("ann", there(), now);
            tries.was_wrong("ann", there(), now);
        }
        assert_eq!(tries.begin("ann", here(), now), LONGEST_WAIT);
        tries.was_right("ann", here());
        // As often as a program that looks for news.
        for _ in 0..11 {
            now += FORGET / 10;
            tries.begin("ann", here(), now);
            tries.was_right("ann", here());
        }
        assert_eq!(tries.begin("ann", here(), now), Duration::ZERO);
    }

    #[test]
    fn a_thousand_tries_at_once_are_not_free() {
        let (tries, now) = (Tries::default(), Instant::now());
        let free = (0..1000).filter(|_| tries.begin("ann", here(), now).is_zero()).count();
        assert_eq!(free, FREE as usize);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_an_ipv6_network_is_one_address() {
        let (tries, now) = (Tries::default(), Instant::now());
        for n in 0..2 * REMEMBERED as u128 {
            let at = now + Duration::from_micros(n as u64);
            tries.begin(&n.to_string(), Ipv6Addr::from_bits(n).into(), at);
        }
        let remembered = tries.tries();
        assert!(remembered.len() <= REMEMBERED, "{}", remembered.len());
        let networks = remembered.keys().filter(|who| matches!(who, Who::Address(_)));
        assert_eq!(networks.count(), 1, "of all that came last");
    }
}

//! A bounded memory in which each address has a share of its own: what belongs to one,
//! no other can take.
//!
//! One bound for everybody is taken by whoever asks most. Here an address that asks for
//! more than its share loses what it had longest, and nobody else loses anything.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use clap::Args;

use crate::cli::{count, duration};

/// Entries of one address. A further one takes the place of the one of this address
/// that was put in longest ago.
pub const ENTRIES: usize = 100;

/// Bytes of all entries of one address, as their values count them: one of the largest
/// datagrams, or many small ones.
pub const BYTES: usize = 64 << 10;

/// How many shares there are, each of [`ENTRIES`] and [`BYTES`].
#[derive(Debug, Clone, Args)]
pub struct Bounds {
    /// Forget an address that has been silent for this long, where another needs its
    /// place; longer than any client keeps asking
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "2m")]
    pub remember: Duration,
    /// Serve clients at so many addresses, and remember 64 KiB for each at most
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 1_000)]
    pub max_addresses: usize,
}

impl Default for Bounds {
    /// What they are when nothing is said.
    fn default() -> Bounds {
        Bounds { remember: Duration::from_secs(120), max_addresses: 1_000 }
    }
}

/// The shares of all addresses.
#[derive(Debug)]
pub struct Shares<K, V> {
    bounds: Bounds,
    shares: HashMap<IpAddr, Share<K, V>>,
}

/// What one address has.
#[derive(Debug)]
pub struct Share<K, V> {
    heard: Instant,
    /// What was put in longest ago is in front, each with its bytes.
    entries: VecDeque<(K, V, usize)>,
}

impl<K: PartialEq, V> Shares<K, V> {
    /// Nothing is remembered yet. There is room for one address at least, or nobody would be
    /// served.
    pub fn new(bounds: Bounds) -> Shares<K, V> {
        let bounds = Bounds { max_addresses: bounds.max_addresses.max(1), ..bounds };
        Shares { bounds, shares: HashMap::new() }
    }

    /// The share of the address of `peer`, who was heard of `now`. `None` where there is
    /// no place for another address.
    ///
    /// To forget one that is not silent would make room as well, but who forges addresses
    /// could then have everything forgotten.
    pub fn of(&mut self, peer: SocketAddr, now: Instant) -> Option<&mut Share<K, V>> {
        let Bounds { remember, max_addresses } = self.bounds;
        let address = owner(peer);
        if !self.shares.contains_key(&address) && self.shares.len() >= max_addresses {
            self.shares.retain(|_, share| now.saturating_duration_since(share.heard) < remember);
            if self.shares.len() >= max_addresses {
                return None;
            }
        }
        let new = || Share { heard: now, entries: VecDeque::new() };
        let share = self.shares.entry(address).or_insert_with(new);
        share.heard = now;
        Some(share)
    }

    /// Bytes of all entries.
    pub fn bytes(&self) -> usize {
        self.shares.values().map(Share::bytes).sum()
    }
}

impl<K: PartialEq, V> Share<K, V> {
    /// What is remembered under `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.iter().find(|(known, _, _)| known == key).map(|(_, value, _)| value)
    }

    /// Remembers `value`, which has so many bytes, in place of what was under `key`.
    pub fn put(&mut self, key: K, value: V, bytes: usize) {
        self.entries.retain(|(known, _, _)| *known != key);
        self.entries.push_back((key, value, bytes));
        while self.entries.len() > ENTRIES || self.bytes() > BYTES {
            self.entries.pop_front();
        }
    }

    fn bytes(&self) -> usize {
        self.entries.iter().map(|(_, _, bytes)| bytes).sum()
    }
}

/// Whose share it is. Over IPv6, whoever has one address has 2^64 of them: the first
/// half says whose network it is.
fn owner(peer: SocketAddr) -> IpAddr {
    match peer.ip().to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REMEMBER: Duration = Duration::from_secs(60);

    fn shares(max_addresses: usize) -> Shares<usize, usize> {
        Shares::new(Bounds { remember: REMEMBER, max_addresses })
    }

    fn peer(address: &str) -> SocketAddr {
        SocketAddr::new(address.parse().unwrap(), 9)
    }

    #[test]
    fn an_address_that_asks_for_more_than_its_share_loses_its_own_oldest_and_nobody_elses() {
        let (mut shares, now) = (shares(2), Instant::now());
        shares.of(peer("10.0.0.1"), now).unwrap().put(7, 7, 10);
        let greedy = shares.of(peer("10.0.0.2"), now).unwrap();
        for key in 0..2 * ENTRIES {
            greedy.put(key, key, 10);
        }
        assert_eq!((greedy.get(&(ENTRIES - 1)), greedy.get(&ENTRIES)), (None, Some(&ENTRIES)));
        for key in 0..10 {
            greedy.put(key, key, BYTES / 2);
        }
        assert_eq!((greedy.get(&7), greedy.get(&8), greedy.get(&9)), (None, Some(&8), Some(&9)));
        assert_eq!(shares.of(peer("10.0.0.1"), now).unwrap().get(&7), Some(&7));
        assert_eq!(shares.bytes(), 10 + BYTES);
    }

    #[test]
    fn an_entry_takes_the_place_of_the_one_before_it_under_its_key() {
        let (mut shares, now) = (shares(1), Instant::now());
        for value in 0..3 {
            shares.of(peer("10.0.0.1"), now).unwrap().put(1, value, BYTES);
        }
        assert_eq!(shares.of(peer("10.0.0.1"), now).unwrap().get(&1), Some(&2));
        assert_eq!(shares.bytes(), BYTES);
    }

    #[test]
    fn a_further_address_has_no_place_until_another_has_been_silent() {
        let (mut shares, start) = (shares(2), Instant::now());
        shares.of(peer("10.0.0.1"), start).unwrap().put(1, 1, 1);
        shares.of(peer("10.0.0.2"), start + REMEMBER / 2).unwrap().put(2, 2, 1);
        assert!(shares.of(peer("10.0.0.3"), start + REMEMBER / 2).is_none());
        assert!(shares.of(peer("10.0.0.3"), start + REMEMBER).is_some());
        // Nobody is forgotten who is not silent, or whose place nobody needs.
        assert!(shares.of(peer("10.0.0.1"), start + REMEMBER).is_none());
        let much_later = start + REMEMBER * 9;
        assert_eq!(shares.of(peer("10.0.0.2"), much_later).unwrap().get(&2), Some(&2));
    }

    #[test]
    fn there_is_room_for_one_address_at_least() {
        let (mut shares, now) = (shares(0), Instant::now());
        assert!(shares.of(peer("10.0.0.1"), now).is_some());
        assert!(shares.of(peer("10.0.0.2"), now).is_none());
    }

    #[test]
    fn an_address_is_one_however_it_is_written_and_an_ipv6_network_is_one() {
        let (mut shares, now) = (shares(3), Instant::now());
        for (one, same) in
            [("127.0.0.1", "::ffff:127.0.0.1"), ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9")]
        {
            shares.of(peer(one), now).unwrap().put(1, 1, 1);
            assert_eq!(shares.of(peer(same), now).unwrap().get(&1), Some(&1), "{same}");
        }
        assert_eq!(shares.of(peer("2001:db8:1:3::1"), now).unwrap().get(&1), None);
    }
}

//! What the server remembers, so that a request which comes again does not run again.
//!
//! One reply for each client: a client that sends its next request has no use for the
//! last reply any more. An older request that comes now was delayed on its way, and
//! nobody waits for it.

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use crate::{MAX_REPLY, Options};

/// A client: its address, and its session.
pub type Client = (SocketAddr, u64);

/// The latest requests and their replies, bounded in number, bytes and time.
///
/// At a bound, requests that are not known do not run. To forget a reply instead would
/// make room, but what it answered would run twice if it came again.
#[derive(Debug)]
pub struct Memory {
    bounds: Options,
    latest: HashMap<Client, Latest>,
    /// Bytes of all replies.
    bytes: usize,
    /// Each client once, and a time at which it was heard of: those at the front are
    /// looked at first.
    heard: VecDeque<(Instant, Client)>,
}

#[derive(Debug)]
struct Latest {
    id: u64,
    reply: Vec<u8>,
    heard: Instant,
}

/// What is known of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Known<'a> {
    /// It is new. Run it and [`remember`](Memory::remember) its reply.
    New,
    /// It has run, and this was the reply.
    Answered(&'a [u8]),
    /// Its client has gone on to a later one.
    Outdated,
    /// It may be new, but there is no room for its reply.
    NoRoom,
}

impl Memory {
    /// Knows nothing yet.
    pub fn new(bounds: Options) -> Memory {
        Memory { bounds, latest: HashMap::new(), bytes: 0, heard: VecDeque::new() }
    }

    /// What is known of request `id` of `client`, who was heard of `now`.
    pub fn look_up(&mut self, client: Client, id: u64, now: Instant) -> Known<'_> {
        self.forget_silent(now);
        let room = match self.bytes + MAX_REPLY <= self.bounds.max_memory {
            true => Known::New,
            false => Known::NoRoom,
        };
        let full = self.latest.len() >= self.bounds.max_clients.max(1);
        let Some(latest) = self.latest.get_mut(&client) else {
            return if full { Known::NoRoom } else { room };
        };
        latest.heard = now;
        match id.cmp(&latest.id) {
            Ordering::Less => Known::Outdated,
            Ordering::Equal => Known::Answered(&latest.reply),
            Ordering::Greater => room,
        }
    }

    /// Request `id` of `client` has run, with this reply.
    pub fn remember(&mut self, client: Client, id: u64, reply: Vec<u8>, now: Instant) {
        self.bytes += reply.len();
        match self.latest.insert(client, Latest { id, reply, heard: now }) {
            Some(before) => self.bytes -= before.reply.len(),
            None => self.heard.push_back((now, client)),
        }
    }

    /// Forgets clients that have been silent for too long. Each is looked at once in
    /// that time, so one may be remembered for up to twice as long.
    fn forget_silent(&mut self, now: Instant) {
        let remember = self.bounds.remember;
        let silent = |since: Instant| now.saturating_duration_since(since) >= remember;
        while let Some(&(since, client)) = self.heard.front() {
            if !silent(since) {
                return;
            }
            self.heard.pop_front();
            let Some(latest) = self.latest.get(&client) else { continue };
            if silent(latest.heard) {
                self.bytes -= latest.reply.len();
                self.latest.remove(&client);
            } else {
                self.heard.push_back((latest.heard, client));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    const BOUNDS: Options =
        Options { remember: Duration::from_secs(60), max_clients: 2, max_memory: 1 << 20 };

    fn client(port: u16, session: u64) -> Client {
        (SocketAddr::from((Ipv4Addr::LOCALHOST, port)), session)
    }

    /// Runs a request that must be new.
    #[track_caller]
    fn run(memory: &mut Memory, client: Client, id: u64, reply: &[u8], now: Instant) {
        assert_eq!(memory.look_up(client, id, now), Known::New);
        memory.remember(client, id, reply.to_vec(), now);
    }

    #[test]
    fn a_request_that_comes_again_gets_the_same_reply() {
        let (mut memory, now) = (Memory::new(BOUNDS), Instant::now());
        run(&mut memory, client(1, 7), 1, b"one", now);
        for _ in 0..3 {
            assert_eq!(memory.look_up(client(1, 7), 1, now), Known::Answered(b"one"));
        }
    }

    #[test]
    fn the_next_request_is_new_and_an_earlier_one_never_again() {
        let (mut memory, now) = (Memory::new(BOUNDS), Instant::now());
        run(&mut memory, client(1, 7), 1, b"one", now);
        // A client may have given up on some of its requests before they came here.
        run(&mut memory, client(1, 7), 5, b"five", now);
        assert_eq!(memory.look_up(client(1, 7), 5, now), Known::Answered(b"five"));
        for id in 0..5 {
            assert_eq!(memory.look_up(client(1, 7), id, now), Known::Outdated);
        }
    }

    #[test]
    fn a_client_that_is_started_again_on_its_port_is_not_taken_for_its_predecessor() {
        let (mut memory, now) = (Memory::new(BOUNDS), Instant::now());
        run(&mut memory, client(1, 7), 1, b"one", now);
        run(&mut memory, client(1, 8), 1, b"another", now);
    }

    #[test]
    fn the_same_session_from_another_address_is_another_client() {
        let (mut memory, now) = (Memory::new(BOUNDS), Instant::now());
        run(&mut memory, client(1, 7), 1, b"one", now);
        run(&mut memory, client(2, 7), 1, b"another", now);
    }

    #[test]
    fn at_the_bound_of_clients_new_ones_do_not_run_and_known_ones_go_on() {
        let (mut memory, now) = (Memory::new(BOUNDS), Instant::now());
        run(&mut memory, client(1, 7), 1, b"one", now);
        run(&mut memory, client(2, 7), 1, b"two", now);
        assert_eq!(memory.look_up(client(3, 7), 1, now), Known::NoRoom);
        assert_eq!(memory.look_up(client(1, 7), 1, now), Known::Answered(b"one"));
        run(&mut memory, client(1, 7), 2, b"three", now);
    }

    #[test]
    fn at_the_bound_of_bytes_nothing_new_runs_unless_the_largest_reply_has_room() {
        let bounds = Options { max_memory: MAX_REPLY + 3, ..BOUNDS };
        let (mut memory, now) = (Memory::new(bounds), Instant::now());
        run(&mut memory, client(1, 7), 1, b"one", now);
        run(&mut memory, client(1, 7), 2, b"four", now);
        assert_eq!(memory.look_up(client(1, 7), 3, now), Known::NoRoom);
        assert_eq!(memory.look_up(client(2, 7), 1, now), Known::NoRoom);
        assert_eq!(memory.look_up(client(1, 7), 2, now), Known::Answered(b"four"));
        // The bytes are free again when the reply is forgotten.
        run(&mut memory, client(2, 7), 1, b"one", now + BOUNDS.remember);
        assert_eq!(memory.bytes, 3);
    }

    #[test]
    fn a_silent_client_is_forgotten_and_one_that_asks_is_not() {
        let (mut memory, start) = (Memory::new(BOUNDS), Instant::now());
        let later = |seconds| start + Duration::from_secs(seconds);
        run(&mut memory, client(1, 7), 1, b"silent", start);
        run(&mut memory, client(2, 7), 1, b"asks", start);
        assert_eq!(memory.look_up(client(2, 7), 1, later(59)), Known::Answered(b"asks"));
        assert_eq!(memory.look_up(client(2, 7), 1, later(60)), Known::Answered(b"asks"));
        assert_eq!((memory.latest.len(), memory.heard.len(), memory.bytes), (1, 1, 4));
        assert_eq!(memory.look_up(client(2, 7), 1, later(118)), Known::Answered(b"asks"));
        // Silent for 60 s now, and looked at no later than after twice that.
        run(&mut memory, client(3, 7), 1, b"", later(118 + 120));
        assert_eq!((memory.latest.len(), memory.heard.len(), memory.bytes), (1, 1, 0));
    }
}

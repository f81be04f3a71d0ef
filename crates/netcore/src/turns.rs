//! Who has a turn: many conversations, each with its deadline, and those that were
//! promised a turn, in order.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::time::Instant;

use rustix::fd::AsFd;
use slab::Slab;

use crate::conversation::{Conversation, Turn};
use crate::deadline::Deadline;
use crate::timers::Timers;

/// All conversations of a server, by the number that its events name them with.
#[derive(Debug)]
pub struct Turns<S> {
    clients: Slab<Client<S>>,
    timers: Timers,
    /// Each at most once.
    promised: VecDeque<usize>,
}

#[derive(Debug)]
struct Client<S> {
    conversation: Conversation<S>,
    is_promised: bool,
}

impl<S> Default for Turns<S> {
    fn default() -> Turns<S> {
        Turns { clients: Slab::new(), timers: Timers::default(), promised: VecDeque::new() }
    }
}

impl<S: Read + AsFd> Turns<S> {
    /// How many conversations there are.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// When the next turn is due, whatever events come: at once where one is promised.
    pub fn deadline(&self) -> Deadline {
        match self.promised.is_empty() {
            true => self.timers.next(),
            false => Instant::now().into(),
        }
    }

    /// Adds a conversation, once `register` has asked for events with its number. An error
    /// of that ends it.
    pub fn begin(
        &mut self,
        mut conversation: Conversation<S>,
        register: impl FnOnce(&mut S, usize) -> io::Result<()>,
    ) {
        let slot = self.clients.vacant_entry();
        let id = slot.key();
        match register(&mut conversation.stream, id) {
            Ok(()) => {
                self.timers.set(id, conversation.deadline());
                slot.insert(Client { conversation, is_promised: false });
            }
            Err(error) => conversation.end(Err(error)),
        }
    }

    /// Conversation `id` has a turn in this round, if `is_told` says that the event which
    /// has come is about what it waits for.
    pub fn promise(&mut self, id: usize, is_told: impl FnOnce(&mut Conversation<S>) -> bool) {
        if let Some(client) = self.clients.get_mut(id)
            && is_told(&mut client.conversation)
            && !std::mem::replace(&mut client.is_promised, true)
        {
            self.promised.push_back(id);
        }
    }

    /// Everyone has a turn in this round, as when a stop has begun.
    pub fn promise_all(&mut self) {
        let ids: Vec<usize> = self.clients.iter().map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| self.promise(id, |_| true));
    }

    /// Gives the promised turns with `talk`, and one to each whose deadline had come by
    /// `now`, a moment before the wait. Who has more to do has the next turn when the
    /// others have had theirs.
    pub fn give(
        &mut self,
        now: Instant,
        mut talk: impl FnMut(&mut Conversation<S>) -> io::Result<Turn>,
    ) {
        while let Some(id) = self.timers.expired(now) {
            self.promise(id, |_| true);
        }
        for _ in 0..self.promised.len() {
            let Some(id) = self.promised.pop_front() else { return };
            let Some(client) = self.clients.get_mut(id) else { continue };
            client.is_promised = false;
            let more = client.conversation.turn(now, &mut talk);
            if client.conversation.has_gone() {
                self.timers.remove(id);
                self.clients.remove(id);
                continue;
            }
            self.timers.set(id, client.conversation.deadline());
            if more {
                self.promise(id, |_| true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::*;
    use crate::cli::Limits;
    use crate::shutdown::Shutdown;

    /// Ends a test that would otherwise hang; no correct run comes near it.
    const GENEROUS: Duration = Duration::from_secs(30);

    /// So many conversations, with clients that say nothing.
    fn turns(count: usize, total: Duration) -> (Turns<TcpStream>, Vec<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shutdown = Shutdown::new(GENEROUS).unwrap();
        let limits = Limits { idle: GENEROUS, total, drain: GENEROUS };
        let (mut turns, mut clients) = (Turns::default(), Vec::new());
        for expected in 0..count {
            clients.push(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
            let (stream, peer) = listener.accept().unwrap();
            stream.set_nonblocking(true).unwrap();
            turns.begin(Conversation::new(stream, peer, &limits, &shutdown), |_, id| {
                assert_eq!(id, expected);
                Ok(())
            });
        }
        (turns, clients)
    }

    /// Who had a turn in this round, by the place of the client. Each says `turn` of
    /// itself.
    fn round(
        turns: &mut Turns<TcpStream>,
        clients: &[TcpStream],
        turn: impl Fn(usize) -> Turn,
    ) -> Vec<usize> {
        let given = RefCell::new(Vec::new());
        turns.give(Instant::now(), |conversation| {
            let is_its = |client: &TcpStream| client.local_addr().unwrap() == conversation.peer;
            let place = clients.iter().position(is_its).unwrap();
            given.borrow_mut().push(place);
            Ok(turn(place))
        });
        given.into_inner()
    }

    #[test]
    fn who_has_more_to_do_has_the_next_turn_when_the_others_have_had_theirs() {
        let (mut turns, clients) = turns(3, GENEROUS);
        for id in [2, 0, 2, 9] {
            turns.promise(id, |_| true);
        }
        turns.promise(1, |_| false);
        let greedy = |place| if place == 2 { Turn::Unfinished } else { Turn::Waiting };
        assert_eq!(round(&mut turns, &clients, greedy), [2, 0]);
        assert!(turns.deadline().has_passed(), "nobody waits while somebody has more to do");
        turns.promise(1, |_| true);
        assert_eq!(round(&mut turns, &clients, greedy), [2, 1]);
        assert_eq!(round(&mut turns, &clients, |_| Turn::Waiting), [2]);
        assert!(round(&mut turns, &clients, greedy).is_empty());
        assert!(!turns.deadline().has_passed());
        turns.promise_all();
        assert_eq!(round(&mut turns, &clients, |_| Turn::Waiting), [0, 1, 2]);
    }

    #[test]
    fn who_is_gone_is_forgotten_and_its_number_is_free() {
        let (mut turns, clients) = turns(2, GENEROUS);
        turns.promise_all();
        let one_ends = |place| if place == 0 { Turn::Over } else { Turn::Waiting };
        round(&mut turns, &clients, one_ends);
        assert_eq!((turns.len(), turns.is_empty()), (1, false));
        turns.promise(0, |_| unreachable!("it is gone"));
        assert!(round(&mut turns, &clients, one_ends).is_empty());
    }

    #[test]
    fn who_is_late_has_a_turn_that_no_event_has_promised() {
        let (mut turns, clients) = turns(1, Duration::ZERO);
        assert!(turns.deadline().has_passed());
        assert_eq!(round(&mut turns, &clients, |_| Turn::Waiting), [0]);
        drop(clients);
        let deadline = Instant::now() + GENEROUS;
        while !turns.is_empty() {
            turns.promise_all();
            turns.give(Instant::now(), |_| unreachable!("its limit has ended it"));
            assert!(Instant::now() < deadline);
        }
    }

    #[test]
    fn who_cannot_be_registered_is_not_kept() {
        let (mut turns, _clients) = turns(0, GENEROUS);
        let (mut others, _others) = self::turns(1, GENEROUS);
        let slot = others.clients.remove(0);
        turns.begin(slot.conversation, |_, _| Err(ErrorKind::OutOfMemory.into()));
        assert!(turns.is_empty());
    }
}

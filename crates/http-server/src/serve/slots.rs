//! The connections that are open, and which of them wait: when every slot is taken, the
//! one that has waited longest makes room.

use std::collections::HashMap;
use std::net::{Shutdown as Side, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A request is being read or answered.
const BUSY: u64 = 0;

/// The connection has been closed under its worker, between two requests.
const LEFT: u64 = u64::MAX;

/// How long a new connection waits for a slot. A worker that has sent its response may
/// be anywhere before its next wait, so that of many quick connections none may be
/// waiting for a moment.
const PATIENCE: Duration = Duration::from_millis(50);

/// How long a connection without a first request is left alone before it may be closed
/// for a new one. What a client has sent with its connection is there already, and its
/// worker is about to read it.
const YOUNG: Duration = Duration::from_millis(20);

/// What ends the read that a worker waits in, and lets the worker say goodbye, which
/// TLS wants. On Windows it ends no read that has begun: there the client has to be
/// told, so that it closes.
const ENDS_WAITING: Side = if cfg!(windows) { Side::Both } else { Side::Read };

/// All connections of a server: one slot each.
#[derive(Debug)]
pub struct Slots {
    limit: usize,
    born: Instant,
    stopping: AtomicBool,
    next_id: AtomicU64,
    taken: Mutex<HashMap<u64, Arc<Occupant>>>,
    emptied: Condvar,
    /// How many wait in [`Slots::take`], and are to be told of a connection that ends
    /// or begins to wait.
    wanted: AtomicUsize,
    vacated: Condvar,
}

#[derive(Debug)]
struct Occupant {
    socket: Arc<TcpStream>,
    /// [`BUSY`], [`LEFT`], or since when it waits, in nanoseconds of the life of the slots.
    waiting_since: AtomicU64,
    /// Whether a request of it has ever begun.
    has_begun: AtomicBool,
}

impl Slots {
    /// Slots for `limit` connections.
    pub fn new(limit: usize) -> Slots {
        Slots {
            limit,
            born: Instant::now(),
            stopping: AtomicBool::new(false),
            next_id: AtomicU64::new(0),
            taken: Mutex::default(),
            emptied: Condvar::new(),
            wanted: AtomicUsize::new(0),
            vacated: Condvar::new(),
        }
    }

    /// A slot for a new connection, which waits at first. When none is free, the
    /// connection that has waited longest is closed for it; `None` when none waits,
    /// and none ends or begins to within `PATIENCE`.
    pub fn take(&self, socket: Arc<TcpStream>) -> Option<Slot<'_>> {
        let mut taken = self.taken();
        if taken.len() >= self.limit {
            self.wanted.fetch_add(1, Ordering::SeqCst);
            let full = |taken: &mut HashMap<_, _>| {
                taken.len() >= self.limit && !make_room(taken, self.now())
            };
            let waited = self.vacated.wait_timeout_while(taken, PATIENCE, full);
            self.wanted.fetch_sub(1, Ordering::SeqCst);
            let (still, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                return None;
            }
            taken = still;
        }
        let occupant = Arc::new(Occupant {
            socket,
            waiting_since: AtomicU64::new(self.now()),
            has_begun: AtomicBool::new(false),
        });
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        taken.insert(id, occupant.clone());
        Some(Slot { slots: self, occupant, id })
    }

    /// From here on, connections end after the response in hand; those that wait are
    /// closed now.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        for occupant in self.taken().values() {
            occupant.close_if_waiting();
        }
    }

    /// Whether the server is stopping.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Waits until every connection has ended, and closes those that have not after
    /// `limit`.
    pub fn drain(&self, limit: Duration) {
        let taken = self.taken();
        let (taken, waited) = self
            .emptied
            .wait_timeout_while(taken, limit, |taken| !taken.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            log::warn!("closing {} connections that did not end in {limit:?}", taken.len());
        }
        for occupant in taken.values() {
            shut(&occupant.socket, Side::Both);
        }
    }

    fn now(&self) -> u64 {
        // Never BUSY, and LEFT only after 584 years.
        u64::try_from(self.born.elapsed().as_nanos()).unwrap_or(LEFT - 1).max(BUSY + 1)
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<u64, Arc<Occupant>>> {
        // The map is whole even if a thread that held it panicked: each change is one call.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the connection that has waited longest. One that was chosen may become busy
/// before it can be closed; then the next is chosen.
fn make_room(taken: &mut HashMap<u64, Arc<Occupant>>, now: u64) -> bool {
    loop {
        let waiting = |occupant: &Arc<Occupant>| match occupant.waiting_since.load(Ordering::SeqCst)
        {
            BUSY | LEFT => None,
            since => {
                let is_young = u128::from(now.saturating_sub(since)) < YOUNG.as_nanos();
                (!is_young || occupant.has_begun.load(Ordering::SeqCst)).then_some(since)
            }
        };
        let oldest =
            taken.iter().filter_map(|(id, occupant)| Some((waiting(occupant)?, *id))).min();
        let Some((_, id)) = oldest else { return false };
        if taken.get(&id).is_some_and(|occupant| occupant.close_if_waiting()) {
            taken.remove(&id);
            return true;
        }
    }
}

impl Occupant {
    fn close_if_waiting(&self) -> bool {
        let since = self.waiting_since.load(Ordering::SeqCst);
        if matches!(since, BUSY | LEFT) {
            return false;
        }
        let changed = self.change(since, LEFT);
        if changed {
            shut(&self.socket, ENDS_WAITING);
        }
        changed
    }

    /// Whether it was still as it was. Only its worker changes what has not become
    /// [`LEFT`].
    fn change(&self, from: u64, to: u64) -> bool {
        self.waiting_since.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

fn shut(socket: &TcpStream, side: Side) {
    // Fails only where the peer has closed already, which is as good.
    let _ = socket.shutdown(side);
}

/// One connection's slot; it is free again when this is dropped.
#[derive(Debug)]
pub struct Slot<'a> {
    slots: &'a Slots,
    occupant: Arc<Occupant>,
    id: u64,
}

/// Whether the connection is still ours to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Go on.
    Ours,
    /// It has been closed to make room, or the server is stopping.
    Lost,
}

impl Slot<'_> {
    /// The connection waits for a request from now on, and may be closed at any moment.
    pub fn wait(&self) -> Claim {
        let since = self.occupant.waiting_since.load(Ordering::SeqCst);
        if since == LEFT || !self.occupant.change(since, self.slots.now()) {
            return Claim::Lost;
        }
        if self.slots.wanted.load(Ordering::SeqCst) > 0 {
            // Under the lock, so that whoever wants it either sees this one waiting or is waiting
            // to be told.
            let _taken = self.slots.taken();
            self.slots.vacated.notify_all();
        }
        // In this order: a stop that begins after this look finds the connection waiting.
        if self.slots.is_stopping() { Claim::Lost } else { Claim::Ours }
    }

    /// Whether the response in hand is the last one.
    pub fn is_ending(&self) -> bool {
        self.slots.is_stopping()
    }

    /// A request has begun to arrive, and the connection is not closed before it has
    /// been answered.
    pub fn begin(&self) -> Claim {
        let since = self.occupant.waiting_since.load(Ordering::SeqCst);
        if since == LEFT || !self.occupant.change(since, BUSY) {
            return Claim::Lost;
        }
        self.occupant.has_begun.store(true, Ordering::SeqCst);
        Claim::Ours
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        taken.remove(&self.id);
        // Telling nobody would cost a system call all the same.
        if self.slots.wanted.load(Ordering::SeqCst) > 0 {
            self.slots.vacated.notify_all();
        }
        if taken.is_empty() && self.slots.is_stopping() {
            self.slots.emptied.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn socket() -> Arc<TcpStream> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap())
    }

    #[test]
    fn the_connection_that_has_waited_longest_makes_room() {
        let slots = Slots::new(2);
        let first = slots.take(socket()).unwrap();
        let second = slots.take(socket()).unwrap();
        // The first has been served last: now the second has waited longer.
        for served in [&second, &first] {
            assert_eq!(served.begin(), Claim::Ours);
            assert_eq!(served.wait(), Claim::Ours);
        }
        let third = slots.take(socket()).unwrap();
        assert_eq!(second.begin(), Claim::Lost);
        assert_eq!(first.begin(), Claim::Ours);
        assert_eq!(third.begin(), Claim::Ours);
    }

    #[test]
    fn a_connection_that_has_just_come_is_left_alone() {
        let slots = Slots::new(1);
        let first = slots.take(socket()).unwrap();
        let since = first.occupant.waiting_since.load(Ordering::SeqCst);
        let young = YOUNG.as_nanos() as u64;
        assert!(!make_room(&mut slots.taken(), since + young - 1));
        assert!(make_room(&mut slots.taken(), since + young));
        assert_eq!(first.begin(), Claim::Lost);
        assert_eq!(first.wait(), Claim::Lost);
    }

    #[test]
    fn a_connection_that_has_been_served_makes_room_at_once() {
        let slots = Slots::new(1);
        let first = slots.take(socket()).unwrap();
        first.begin();
        first.wait();
        let since = first.occupant.waiting_since.load(Ordering::SeqCst);
        assert!(make_room(&mut slots.taken(), since));
    }

    #[test]
    fn slots_with_busy_connections_are_full() {
        let slots = Slots::new(1);
        let first = slots.take(socket()).unwrap();
        first.begin();
        assert!(slots.take(socket()).is_none());
        drop(first);
        assert!(slots.take(socket()).is_some());
    }

    #[test]
    fn a_stop_closes_those_that_wait_and_lets_the_others_end() {
        let slots = Slots::new(9);
        let waiting = slots.take(socket()).unwrap();
        let busy = slots.take(socket()).unwrap();
        busy.begin();
        slots.stop();
        assert_eq!(waiting.begin(), Claim::Lost);
        assert_eq!(busy.wait(), Claim::Lost);
        drop((waiting, busy));
        slots.drain(Duration::from_secs(20));
    }
}

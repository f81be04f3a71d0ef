//! Who has a turn: all visits with their deadlines, and those that an event has promised.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use netcore::deadline::Deadline;
use netcore::shutdown::Shutdown;
use netcore::timers::Timers;
use slab::Slab;

use crate::visit::Visit;
use crate::{BUFFER, Echo};

/// All visits of a server, by the number that is their token.
pub struct Visits<'a> {
    service: &'a Echo,
    shutdown: &'a Shutdown,
    visits: Slab<Visit>,
    timers: Timers,
    /// Those that had more to read when their turn was over.
    unfinished: BTreeSet<usize>,
    /// One buffer for all: a visit that waits holds none.
    buf: Vec<u8>,
}

impl<'a> Visits<'a> {
    /// None so far.
    pub fn new(service: &'a Echo, shutdown: &'a Shutdown) -> Visits<'a> {
        let (visits, timers, unfinished) = (Slab::new(), Timers::default(), BTreeSet::new());
        Visits { service, shutdown, visits, timers, unfinished, buf: vec![0; BUFFER] }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.visits.len()
    }

    /// How long the server may wait for events.
    pub fn deadline(&self) -> Deadline {
        match self.unfinished.is_empty() {
            true => self.timers.next(),
            false => Instant::now().into(),
        }
    }

    /// Registers a client's socket, and begins its visit.
    ///
    /// # Errors
    /// What the system says of the socket, or of one socket more to be told of.
    pub fn welcome(
        &mut self,
        mut stream: TcpStream,
        peer: SocketAddr,
        registry: &Registry,
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let slot = self.visits.vacant_entry();
        let id = slot.key();
        // Asked for both once: writability is reported when a full buffer has room again,
        // and not before.
        registry.register(&mut stream, Token(id), Interest::READABLE | Interest::WRITABLE)?;
        let visit = slot.insert(Visit::new(stream, peer, self.service, self.shutdown));
        self.timers.set(id, visit.deadline());
        Ok(())
    }

    /// Gives a turn to those that had more to read.
    pub fn go_on(&mut self) {
        for id in std::mem::take(&mut self.unfinished) {
            self.turn(id);
        }
    }

    /// Gives visit `id` a turn, if the event is about what it waits for.
    pub fn tell(&mut self, id: usize, event: &Event) {
        if self.visits.get_mut(id).is_some_and(|visit| visit.is_told(event)) {
            self.turn(id);
        }
    }

    /// Gives everyone a turn after a stop has begun.
    pub fn stop(&mut self) {
        let ids: Vec<usize> = self.visits.iter().map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| self.turn(id));
    }

    /// Ends those whose deadline had come by `now`.
    pub fn expire(&mut self, now: Instant) {
        while let Some(id) = self.timers.expired(now) {
            self.visits[id].expire();
            // What it has sent while it was not read: the event of that is long gone.
            self.unfinished.insert(id);
            self.settle(id);
        }
    }

    fn turn(&mut self, id: usize) {
        let Some(visit) = self.visits.get_mut(id) else { return };
        // Before the turn: what has arrived before the stop is read in it.
        let stopping = self.shutdown.is_stopping();
        if visit.turn(&mut self.buf, self.service) {
            self.unfinished.insert(id);
        } else if stopping {
            visit.stop();
        }
        self.settle(id);
    }

    /// Files a visit under its new deadline, or forgets it if it has gone.
    fn settle(&mut self, id: usize) {
        if self.visits[id].has_gone() {
            self.timers.remove(id);
            self.unfinished.remove(&id);
            self.visits.remove(id);
        } else {
            self.timers.set(id, self.visits[id].deadline());
        }
    }
}

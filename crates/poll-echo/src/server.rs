//! The server: one thread that asks which sockets are ready, and gives each ready one a
//! turn.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};
use netcore::accept::{Affects, SHORTAGE_PAUSE, affects};
use netcore::deadline::LONGEST;
use netcore::error::reason;
use netcore::shutdown::Shutdown;
use slab::Slab;

use crate::visit::{Turn, Visit};
use crate::{BUFFER, Options};

/// Events that one call of the system reports at most; the others come with the next.
const EVENTS: usize = 1024;

/// The token of the listener. Those of the visits are their places in the slab, which
/// start at 0.
const LISTENER: Token = Token(usize::MAX);

/// The token of the waker that a stop uses.
const STOP: Token = Token(usize::MAX - 1);

/// Serves clients, all in this thread, until `shutdown` is told to stop. Returns when
/// the last client has gone, which a stop brings about within `options.drain`.
///
/// # Errors
/// What accept or the wait say when no further client could be served. A client's error
/// is logged and ends that client only.
pub fn serve(listener: TcpListener, options: &Options, shutdown: &Shutdown) -> io::Result<()> {
    let mut server = Server::new(listener, options)?;
    // Held here as well as by the stop: a waker that is dropped takes its event with it.
    let waker = Arc::new(Waker::new(server.poll.registry(), STOP)?);
    let at_stop = waker.clone();
    shutdown.on_stop(move || {
        if let Err(error) = at_stop.wake() {
            log::error!("cannot wake the server: {error}");
        }
    });
    let mut events = Events::with_capacity(EVENTS);
    while server.listener.is_some() || !server.visits.is_empty() {
        server.round(&mut events)?;
    }
    Ok(())
}

struct Server<'a> {
    options: &'a Options,
    poll: Poll,
    /// `None` once a stop has begun.
    listener: Option<mio::net::TcpListener>,
    /// Events tell of a change: until accept has said WouldBlock, there may be more
    /// clients.
    clients_wait: bool,
    /// When descriptors or memory run out, accept is left alone until then.
    accept_from: Instant,
    visits: Slab<Visit>,
    /// Visits that had more to read when their turn was over.
    unfinished: BTreeSet<usize>,
    /// One entry a visit, at its deadline or before: a deadline that has moved is filed
    /// again when its entry is due.
    deadlines: BTreeSet<(Instant, usize)>,
    /// One buffer for all: a visit that waits holds none.
    buf: Vec<u8>,
}

impl Server<'_> {
    fn new(listener: TcpListener, options: &Options) -> io::Result<Server<'_>> {
        listener.set_nonblocking(true)?;
        let mut listener = mio::net::TcpListener::from_std(listener);
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Server {
            options,
            poll,
            listener: Some(listener),
            clients_wait: false,
            accept_from: Instant::now(),
            visits: Slab::new(),
            unfinished: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            buf: vec![0; BUFFER],
        })
    }

    /// Waits for events, and gives each visit that they are about a turn.
    fn round(&mut self, events: &mut Events) -> io::Result<()> {
        match self.poll.poll(events, self.patience()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            waited => waited?,
        }
        let now = Instant::now();
        for id in std::mem::take(&mut self.unfinished) {
            self.turn(id, now);
        }
        for event in events.iter() {
            match event.token() {
                LISTENER => self.clients_wait = true,
                STOP => self.stop(now),
                Token(id) => {
                    let Some(visit) = self.visits.get_mut(id) else { continue };
                    visit.peer_closed |= event.is_read_closed();
                    // Where nothing is left to write, room to write is no news. On Windows, a read
                    // in answer to it would have mio report the same room
                    // again, for ever.
                    let awaited =
                        if visit.has_unsent() { event.is_writable() } else { event.is_readable() };
                    if awaited || event.is_error() {
                        self.turn(id, now);
                    }
                }
            }
        }
        self.expire(now);
        self.accept(now)
    }

    /// How long the wait for events may last.
    fn patience(&self) -> Option<Duration> {
        if !self.unfinished.is_empty() {
            return Some(Duration::ZERO);
        }
        let (first, _) = self.deadlines.first()?;
        Some(first.saturating_duration_since(Instant::now()))
    }

    fn accept(&mut self, now: Instant) -> io::Result<()> {
        // At the bound we do not accept: the next clients wait in the backlog, as they would
        // for a slow server.
        while self.clients_wait
            && self.visits.len() < self.options.max_clients.max(1)
            && self.accept_from <= now
        {
            let Some(listener) = &self.listener else { return Ok(()) };
            match listener.accept() {
                Ok((stream, peer)) => self.welcome(stream, peer, now),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.clients_wait = false,
                Err(error) => match affects(&error) {
                    Affects::NoConnection => {}
                    Affects::OneConnection => {
                        log::warn!("a client left before it was accepted: {error}")
                    }
                    Affects::AllForNow => {
                        log::warn!("cannot accept for now: {error}");
                        self.accept_from = now + SHORTAGE_PAUSE;
                        self.deadlines.insert((self.accept_from, LISTENER.0));
                    }
                    Affects::All => return Err(error),
                },
            }
        }
        Ok(())
    }

    fn welcome(&mut self, mut stream: mio::net::TcpStream, peer: SocketAddr, now: Instant) {
        let place = self.visits.vacant_entry();
        // Asked for both once: writability is reported when a full buffer has room again, and
        // not before.
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = stream.set_nodelay(true).and_then(|()| {
            self.poll.registry().register(&mut stream, Token(place.key()), interest)
        });
        if let Err(error) = registered {
            log::warn!("{peer} dropped: {}", reason(&error));
            return;
        }
        log::info!("{peer} connected");
        let visit = Visit::new(stream, peer, self.options, now);
        self.deadlines.insert((visit.filed, place.key()));
        place.insert(visit);
    }

    fn turn(&mut self, id: usize, now: Instant) {
        let Some(visit) = self.visits.get_mut(id) else { return };
        match visit.turn(&mut self.buf, self.options, now) {
            Ok(Turn::Unfinished) => {
                self.unfinished.insert(id);
            }
            // After a stop, a visit ends once everything that has arrived is answered.
            Ok(Turn::Waiting) if self.listener.is_some() || visit.has_unsent() => {}
            ended => self.end(id, ended.map(drop)),
        }
    }

    fn end(&mut self, id: usize, how: io::Result<()>) {
        let visit = self.visits.remove(id);
        self.deadlines.remove(&(visit.filed, id));
        match how {
            Ok(()) => log::info!("{} closed", visit.peer),
            Err(error) => log::warn!("{} dropped: {}", visit.peer, reason(&error)),
        }
    }

    fn expire(&mut self, now: Instant) {
        while self.deadlines.first().is_some_and(|(due, _)| *due <= now) {
            let Some((_, id)) = self.deadlines.pop_first() else { return };
            match self.visits.get(id) {
                Some(visit) if visit.deadline > now => self.file(id),
                Some(_) => self.end(id, Err(ErrorKind::TimedOut.into())),
                // The listener's, at the end of a shortage: accept comes next.
                None => {}
            }
        }
    }

    fn file(&mut self, id: usize) {
        let visit = &mut self.visits[id];
        visit.filed = visit.deadline;
        self.deadlines.insert((visit.filed, id));
    }

    fn stop(&mut self, now: Instant) {
        // Closed here: from now on, new clients are refused instead of left waiting.
        self.listener = None;
        self.deadlines.clear();
        let ids: Vec<usize> = self.visits.iter().map(|(id, _)| id).collect();
        for id in ids {
            self.visits[id].end_by(now + self.options.drain.min(LONGEST));
            self.file(id);
            self.turn(id, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpStream};

    use super::*;

    const GENEROUS: Duration = Duration::from_secs(20);
    const OPTIONS: Options =
        Options { upper: false, idle: GENEROUS, total: GENEROUS, max_clients: 1, drain: GENEROUS };

    #[test]
    fn a_visit_with_more_to_read_has_its_next_turn_without_an_event() {
        /// More than one turn reads.
        const SENT: usize = 100;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(GENEROUS)).unwrap();
        // All at once: one event tells of everything.
        client.write_all(&[b'x'; SENT]).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut server = Server::new(listener, &OPTIONS).unwrap();
        // A buffer that each byte fills, so that each is a read.
        server.buf = vec![0; 1];
        let mut events = Events::with_capacity(EVENTS);
        while server.visits.is_empty() {
            server.round(&mut events).unwrap();
        }
        while !server.visits.is_empty() {
            server.round(&mut events).unwrap();
        }
        let mut replies = Vec::new();
        client.read_to_end(&mut replies).unwrap();
        assert_eq!(replies, [b'x'; SENT]);
    }
}

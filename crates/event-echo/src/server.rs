//! The server: one thread that is told which sockets have become ready, and gives each of
//! those a turn.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};
use netcore::accept::{SHORTAGE_PAUSE, log_accept_error};
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::reach::Reach;
use netcore::shutdown::Shutdown;
use netcore::timers::Timers;
use slab::Slab;

use crate::visit::Visit;
use crate::{BUFFER, Echo};

/// Events that one call of the system reports at most; the others come with the next.
const EVENTS: usize = 1024;

/// The token of the listener. Those of the visits are their slots in the slab, from 0 on.
const LISTENER: Token = Token(usize::MAX);

/// The token of the waker that a stop uses.
const STOP: Token = Token(usize::MAX - 1);

/// Serves clients, all in this thread, until `shutdown` is told to stop. Returns when the
/// last client has gone, which a stop brings about within `service.limits.drain`.
///
/// # Errors
/// What accept or the wait say when no further client could be served. A client's error
/// is logged and ends that client only.
pub fn serve(listener: TcpListener, service: &Echo, shutdown: &Shutdown) -> io::Result<()> {
    let mut server = Server::new(listener, service)?;
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
        server.round(&mut events, shutdown)?;
    }
    Ok(())
}

struct Server<'a> {
    service: &'a Echo,
    poll: Poll,
    /// `None` once a stop has begun.
    listener: Option<mio::net::TcpListener>,
    /// Events tell of a change: until accept has said WouldBlock, there may be more.
    clients_wait: bool,
    /// When descriptors or memory run out, accept is left alone until then.
    accept_from: Instant,
    visits: Slab<Visit>,
    timers: Timers,
    /// Visits that had more to read when their turn was over.
    unfinished: BTreeSet<usize>,
    /// One buffer for all: a visit that waits holds none.
    buf: Vec<u8>,
}

impl Server<'_> {
    fn new(listener: TcpListener, service: &Echo) -> io::Result<Server<'_>> {
        listener.set_nonblocking(true)?;
        let mut listener = mio::net::TcpListener::from_std(listener);
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Server {
            service,
            poll,
            listener: Some(listener),
            clients_wait: false,
            accept_from: Instant::now(),
            visits: Slab::new(),
            timers: Timers::default(),
            unfinished: BTreeSet::new(),
            buf: vec![0; BUFFER],
        })
    }

    /// Waits for events, and gives each visit that they are about a turn.
    fn round(&mut self, events: &mut Events, shutdown: &Shutdown) -> io::Result<()> {
        match self.poll.poll(events, self.patience()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            waited => waited?,
        }
        // Before the work: what our own replies take is not the silence of the others.
        let now = Instant::now();
        for id in std::mem::take(&mut self.unfinished) {
            self.turn(id);
        }
        for event in events.iter() {
            match event.token() {
                LISTENER => self.clients_wait = true,
                STOP => self.stop(shutdown.drain_deadline()),
                Token(id) => {
                    if self.visits.get_mut(id).is_some_and(|visit| visit.is_told(event)) {
                        self.turn(id);
                    }
                }
            }
        }
        while let Some(id) = self.timers.expired(now) {
            self.visits[id].expire();
            self.settle(id);
        }
        self.accept(now)
    }

    /// How long the wait for events may last.
    fn patience(&self) -> Option<Duration> {
        if !self.unfinished.is_empty() {
            return Some(Duration::ZERO);
        }
        let mut next = self.timers.next();
        if self.clients_wait && self.accept_from > Instant::now() {
            next = next.or_sooner(self.accept_from.into());
        }
        next.remaining().unwrap_or(Some(Duration::ZERO))
    }

    fn accept(&mut self, now: Instant) -> io::Result<()> {
        // At the bound we do not accept: the next clients wait in the backlog, as they
        // would for a slow server.
        while self.clients_wait
            && self.visits.len() < self.service.max_clients.max(1)
            && self.accept_from <= now
        {
            let Some(listener) = &self.listener else { return Ok(()) };
            match listener.accept() {
                Ok((stream, peer)) => self.welcome(stream, peer),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.clients_wait = false,
                Err(error) => {
                    if log_accept_error(error)? == Reach::AllForNow {
                        self.accept_from = now + SHORTAGE_PAUSE;
                    }
                }
            }
        }
        Ok(())
    }

    fn welcome(&mut self, mut stream: mio::net::TcpStream, peer: SocketAddr) {
        let slot = self.visits.vacant_entry();
        let id = slot.key();
        // Asked for both once: writability is reported when a full buffer has room again,
        // and not before.
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = stream
            .set_nodelay(true)
            .and_then(|()| self.poll.registry().register(&mut stream, Token(id), interest));
        if let Err(error) = registered {
            log::warn!("{peer} dropped: {}", reason(&error));
            return;
        }
        let visit = slot.insert(Visit::new(stream, peer, self.service));
        self.timers.set(id, visit.deadline());
    }

    fn turn(&mut self, id: usize) {
        let Some(visit) = self.visits.get_mut(id) else { return };
        if visit.turn(&mut self.buf, self.service) {
            self.unfinished.insert(id);
        } else if self.listener.is_none() {
            visit.stop();
        }
        self.settle(id);
    }

    /// Files a visit under its new deadline, or forgets it if it has gone.
    fn settle(&mut self, id: usize) {
        match self.visits[id].has_gone() {
            true => {
                self.timers.remove(id);
                self.visits.remove(id);
            }
            false => self.timers.set(id, self.visits[id].deadline()),
        }
    }

    fn stop(&mut self, drained: Deadline) {
        // Closed here: from now on, new clients are refused instead of left waiting.
        self.listener = None;
        let ids: Vec<usize> = self.visits.iter().map(|(id, _)| id).collect();
        for id in ids {
            self.visits[id].end_by(drained);
            self.turn(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown as Side, TcpStream};

    use netcore::cli::Limits;

    use super::*;

    const GENEROUS: Duration = Duration::from_secs(20);

    #[test]
    fn a_visit_with_more_to_read_has_its_next_turn_without_an_event() {
        /// More than one turn reads.
        const SENT: usize = 100;
        let limits = Limits { idle: GENEROUS, total: GENEROUS, drain: GENEROUS };
        let service = Echo { upper: false, limits, max_clients: 1 };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(GENEROUS)).unwrap();
        // All at once: one event tells of everything.
        client.write_all(&[b'x'; SENT]).unwrap();
        client.shutdown(Side::Write).unwrap();
        let shutdown = Shutdown::new(GENEROUS).unwrap();
        let mut server = Server::new(listener, &service).unwrap();
        // A buffer that each byte fills, so that each is a read.
        server.buf = vec![0; 1];
        let mut events = Events::with_capacity(EVENTS);
        while server.visits.is_empty() {
            server.round(&mut events, &shutdown).unwrap();
        }
        while !server.visits.is_empty() {
            server.round(&mut events, &shutdown).unwrap();
        }
        let mut replies = Vec::new();
        client.read_to_end(&mut replies).unwrap();
        assert_eq!(replies, [b'x'; SENT]);
    }
}

//! The server: one thread that is told which sockets have become ready, and gives each of
//! those a turn.

use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, Waker};
use netcore::accept::{affordable, again_at};
use netcore::error::reason;
use netcore::shutdown::Shutdown;

use crate::Echo;
use crate::visits::Visits;

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
    listener.set_nonblocking(true)?;
    let mut listener = mio::net::TcpListener::from_std(listener);
    let poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    // Held here as well as by the stop: a waker that is dropped takes its event with it.
    let waker = Arc::new(Waker::new(poll.registry(), STOP)?);
    let at_stop = waker.clone();
    shutdown.on_stop(move || drop(at_stop.wake()));
    let mut server = Server {
        poll,
        max_clients: service.max_clients.max(1),
        listener: Some(listener),
        clients_wait: false,
        accept_from: Instant::now(),
        visits: Visits::new(service, shutdown),
    };
    let mut events = Events::with_capacity(EVENTS);
    while server.listener.is_some() || server.visits.count() > 0 {
        server.round(&mut events)?;
    }
    Ok(())
}

struct Server<'a> {
    poll: Poll,
    max_clients: usize,
    /// `None` once a stop has begun.
    listener: Option<mio::net::TcpListener>,
    /// Events tell of a change: until accept has said WouldBlock, there may be more.
    clients_wait: bool,
    /// When descriptors or memory run out, the listener is left alone until then.
    accept_from: Instant,
    visits: Visits<'a>,
}

impl Server<'_> {
    /// Waits for events, and gives each visit that they are about a turn.
    fn round(&mut self, events: &mut Events) -> io::Result<()> {
        // Before the wait, which tells what has come until then; and before the work: what our
        // own replies take is not the silence of the others.
        let now = Instant::now();
        match self.poll.poll(events, self.patience()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            waited => waited?,
        }
        self.visits.go_on();
        for event in events.iter() {
            match event.token() {
                LISTENER => self.clients_wait = true,
                STOP => {
                    // Closed here: from now on, new clients are refused instead of left
                    // waiting.
                    self.listener = None;
                    self.visits.stop();
                }
                Token(id) => self.visits.tell(id, event),
            }
        }
        self.visits.expire(now);
        self.accept(now)
    }

    /// How long the wait for events may last.
    fn patience(&self) -> Option<Duration> {
        let mut until = self.visits.deadline();
        if self.may_accept() {
            until = until.or_sooner(self.accept_from.into());
        }
        until.remaining().unwrap_or(Some(Duration::ZERO))
    }

    /// At the bound we do not accept: the next clients wait in the backlog, as they would
    /// for a slow server.
    fn may_accept(&self) -> bool {
        self.clients_wait && self.listener.is_some() && self.visits.count() < self.max_clients
    }

    fn accept(&mut self, now: Instant) -> io::Result<()> {
        while self.may_accept() && self.accept_from <= now {
            let Some(listener) = &self.listener else { return Ok(()) };
            match affordable(listener.accept()) {
                Ok((stream, peer)) => {
                    if let Err(error) = self.visits.welcome(stream, peer, self.poll.registry()) {
                        log::warn!("{peer} dropped: {}", reason(&error));
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.clients_wait = false,
                Err(error) => self.accept_from = again_at(error)?,
            }
        }
        Ok(())
    }
}

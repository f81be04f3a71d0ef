//! The clients that arrive, for a server with one wait for everything, which waits in no
//! accept.

use std::io::{self, ErrorKind, Read};
use std::net::SocketAddr;
use std::time::Instant;

use rustix::fd::AsFd;
use socket2::SockRef;

use crate::accept::{SHORTAGE_PAUSE, log_accept_error, without_delay};
use crate::cli::Limits;
use crate::conversation::Conversation;
use crate::deadline::Deadline;
use crate::error::reason;
use crate::reach::Reach;
use crate::shutdown::Shutdown;

/// A listener together with what keeps it from accepting.
#[derive(Debug)]
pub struct Arrivals<L> {
    /// `None` once a stop has begun.
    listener: Option<L>,
    most: usize,
    /// When descriptors or memory run out, the listener is left alone until then.
    paused: Option<Instant>,
    limits: Limits,
    shutdown: Shutdown,
}

impl<L: AsFd> Arrivals<L> {
    /// Takes over a bound listener, for `most` clients at once and at least one.
    ///
    /// # Errors
    /// When the listener cannot be made non-blocking.
    pub fn new(
        listener: L,
        limits: &Limits,
        most: usize,
        shutdown: &Shutdown,
    ) -> io::Result<Arrivals<L>> {
        never_blocks(&listener)?;
        let (listener, most, paused) = (Some(listener), most.max(1), None);
        let (limits, shutdown) = (limits.clone(), shutdown.clone());
        Ok(Arrivals { listener, most, paused, limits, shutdown })
    }

    /// Whether clients may still come, asked before each wait. Once a stop has begun, the
    /// listener is closed here: new clients are refused instead of left waiting.
    pub fn are_open(&mut self) -> bool {
        self.paused = self.paused.filter(|until| *until > Instant::now());
        if self.shutdown.is_stopping() {
            self.listener = None;
        }
        self.listener.is_some()
    }

    /// The listener, if the next client may be accepted now. At the bound nobody is
    /// accepted: the next clients wait in the backlog, as they would for a slow server. For
    /// a moment nobody is accepted when descriptors or memory have run out.
    pub fn listener(&self, clients: usize) -> Option<&L> {
        // A stop comes first, however many clients wait.
        let stopping = self.shutdown.is_stopping();
        let may = clients < self.most && self.paused.is_none() && !stopping;
        self.listener.as_ref().filter(|_| may)
    }

    /// Whether somebody may wait who is left alone for a moment, as descriptors or memory
    /// have run out.
    pub fn are_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// When to ask for the [listener](Arrivals::listener) again, although no client has left.
    pub fn deadline(&self) -> Deadline {
        let paused = self.paused.filter(|_| self.listener.is_some());
        paused.map_or(Deadline::NEVER, Deadline::from)
    }

    /// What ends a wait for clients: a stop, but for one that has been
    /// [seen](Arrivals::are_open).
    pub fn shutdown(&self) -> Option<&Shutdown> {
        self.listener.as_ref().map(|_| &self.shutdown)
    }

    /// The next client by `accept`, or `None` when nobody waits, or nobody may be accepted
    /// for now.
    ///
    /// # Errors
    /// Those that every further accept would meet as well.
    pub fn accept<S: Read + AsFd>(
        &mut self,
        accept: impl Fn(&L) -> io::Result<(S, SocketAddr)>,
    ) -> io::Result<Option<Conversation<S>>> {
        let Some(listener) = &self.listener else { return Ok(None) };
        loop {
            match accept(listener) {
                Ok((stream, peer)) => {
                    match never_blocks(&stream).and_then(|()| without_delay(&stream)) {
                        Ok(()) => {
                            let (limits, shutdown) = (&self.limits, &self.shutdown);
                            return Ok(Some(Conversation::new(stream, peer, limits, shutdown)));
                        }
                        // macOS answers EINVAL once the peer has reset.
                        Err(error) => log::warn!("{peer} dropped: {}", reason(&error)),
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => {
                    if log_accept_error(error)? == Reach::AllForNow {
                        self.paused = Some(Instant::now() + SHORTAGE_PAUSE);
                        return Ok(None);
                    }
                }
            }
        }
    }
}

fn never_blocks(socket: &impl AsFd) -> io::Result<()> {
    // By way of `as_fd`, which is a socket on Windows too.
    SockRef::from(&socket.as_fd()).set_nonblocking(true)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::time::Duration;

    use super::*;
    use crate::wait::{self, Interest, Waited};

    /// Ends a test that would otherwise hang; no correct run comes near it.
    const GENEROUS: Duration = Duration::from_secs(30);

    fn arrivals(most: usize) -> (Arrivals<TcpListener>, SocketAddr, Shutdown) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new(GENEROUS).unwrap();
        let limits = Limits { idle: GENEROUS, total: GENEROUS, drain: GENEROUS };
        (Arrivals::new(listener, &limits, most, &shutdown).unwrap(), address, shutdown)
    }

    #[test]
    fn nobody_is_waited_for_and_at_the_bound_nobody_is_accepted() {
        let (mut arrivals, address, _shutdown) = arrivals(1);
        assert!(arrivals.accept(TcpListener::accept).unwrap().is_none());
        let client = TcpStream::connect(address).unwrap();
        let listener = arrivals.listener(0).unwrap();
        let deadline = Deadline::after(GENEROUS);
        let waited = wait::ready(listener, Interest::Reading, None, deadline).unwrap();
        assert_eq!(waited, Waited::Ready);
        let accepted = arrivals.accept(TcpListener::accept).unwrap().unwrap();
        assert_eq!(accepted.peer, client.local_addr().unwrap());
        assert!(accepted.stream.nodelay().unwrap());
        assert_eq!((&accepted.stream).read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        assert!(arrivals.listener(1).is_none());
    }

    #[test]
    fn an_error_that_is_one_clients_lets_the_next_in_at_once_and_a_shortage_later() {
        let (mut arrivals, address, _shutdown) = arrivals(1);
        let errors = std::cell::RefCell::new(vec![ErrorKind::OutOfMemory]);
        let accept = |listener: &TcpListener| match errors.borrow_mut().pop() {
            Some(kind) => Err(kind.into()),
            None => listener.accept(),
        };
        let before = Instant::now();
        assert!(arrivals.accept(accept).unwrap().is_none());
        assert!(arrivals.are_paused() && arrivals.listener(0).is_none());
        let again = arrivals.deadline();
        assert!(!again.has_passed_at(before + SHORTAGE_PAUSE - Duration::from_millis(1)));
        wait::until_stop(&arrivals.shutdown, again).unwrap();
        assert!(arrivals.are_open() && arrivals.listener(0).is_some());
        assert_eq!(arrivals.deadline(), Deadline::NEVER);

        let _client = TcpStream::connect(address).unwrap();
        errors.borrow_mut().push(ErrorKind::ConnectionAborted);
        arrivals.listener(0).unwrap().set_nonblocking(false).unwrap();
        assert!(arrivals.accept(accept).unwrap().is_some());
        assert!(!arrivals.are_paused());

        let broken = |_: &TcpListener| -> io::Result<(TcpStream, SocketAddr)> {
            Err(rustix::io::Errno::BADF.into())
        };
        assert!(arrivals.accept(broken).is_err());
    }

    #[test]
    fn after_a_stop_new_clients_are_refused() {
        let (mut arrivals, address, shutdown) = arrivals(1);
        assert!(arrivals.are_open() && arrivals.shutdown().is_some());
        shutdown.stop();
        // Not seen yet: it ends the wait.
        assert!(arrivals.listener(0).is_none() && arrivals.shutdown().is_some());
        assert!(!arrivals.are_open() && arrivals.shutdown().is_none());
        TcpStream::connect(address).unwrap_err();
    }
}

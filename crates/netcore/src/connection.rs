//! A connection whose waits end: at a deadline, at a stop, and in stages when it is
//! closed.
//!
//! What waits for longer than a moment is poll(2), which a stop ends as well. So one type
//! serves every stream socket of the system, and every limit is a point in time.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::deadline::Deadline;
pub use crate::linger::LINGER;
use crate::linger::linger;
use crate::permits::Permit;
use crate::shutdown::Shutdown;
pub use crate::socket::{Socket, has_taken_all};
use crate::socket::{block_for_a_moment, is_nothing_yet};
use crate::wait::{self, Interest, Waited};

/// A stream socket with a deadline. It reads and writes as the socket in it does, but
/// for these: a call that would wait longer fails with `TimedOut`, and a read that a
/// stop finds waiting ends as a stream does.
#[derive(Debug)]
pub struct Connection<S: Socket = TcpStream> {
    socket: S,
    deadline: Deadline,
    /// For one wait.
    patience: Duration,
    shutdown: Option<Shutdown>,
    ended: bool,
    /// The peer has sent something since a read last waited in vain: more may be on its
    /// way.
    talking: bool,
    /// Nothing is waited for at the end: nobody has begun to serve it, the peer has ended
    /// its side, or it has failed.
    over: bool,
    /// Given back when the connection is closed.
    _permit: Option<Permit>,
}

impl<S: Socket> Connection<S> {
    /// A server's connection, without a deadline so far: `shutdown` ends its reads once
    /// everything that has arrived is read, and its writes at the drain limit.
    ///
    /// # Errors
    /// When the socket does not take how long its calls may wait.
    pub fn new(socket: S, shutdown: &Shutdown) -> io::Result<Connection<S>> {
        block_for_a_moment(&socket)?;
        Ok(Connection::with(socket, Some(shutdown.clone())))
    }

    /// A client's connection: no stop ends it, and it is closed without delay.
    ///
    /// # Errors
    /// When the socket cannot be made non-blocking.
    pub fn of_client(socket: S) -> io::Result<Connection<S>> {
        socket.set_nonblocking(true)?;
        Ok(Connection::with(socket, None))
    }

    fn with(socket: S, shutdown: Option<Shutdown>) -> Connection<S> {
        let (deadline, patience, _permit) = (Deadline::NEVER, Duration::MAX, None);
        let (ended, talking, over) = (false, false, true);
        Connection { socket, deadline, patience, shutdown, ended, talking, over, _permit }
    }

    /// Keeps a permit for as long as the connection is open.
    pub(crate) fn keep(&mut self, permit: Option<Permit>) {
        self._permit = permit;
    }

    /// From here on, every call fails with `TimedOut` when `deadline` has passed.
    pub fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
        self.over = false;
    }

    /// As [`set_deadline`](Connection::set_deadline), and a call that waits for `patience` at
    /// one time fails so as well: a long reply has many waits in it.
    pub fn set_limits(&mut self, deadline: Deadline, patience: Duration) {
        self.set_deadline(deadline);
        self.patience = patience;
    }

    /// Whether a stop has ended the reading, and not the peer.
    pub fn ended_by_stop(&self) -> bool {
        self.ended
    }

    /// The socket itself. That of a client never blocks; a call of a server's may wait for
    /// some milliseconds before it says `WouldBlock`, until it is made non-blocking.
    pub fn get_ref(&self) -> &S {
        &self.socket
    }

    /// Waits until the socket is ready. A server's is told of a stop, but while it waits
    /// for room: what it has to send may be sent until the drain limit.
    ///
    /// # Errors
    /// `TimedOut` when the deadline passes first; what the system says of the wait.
    pub fn wait(&mut self, interest: Interest) -> io::Result<Waited> {
        self.over = false;
        let patience = Deadline::after(self.patience);
        loop {
            // A stop that begins meanwhile sets an earlier limit.
            let limit = self.limit().or_sooner(patience);
            let shutdown = match &self.shutdown {
                // The waker stays readable, so it would end this wait at once.
                Some(shutdown) if interest == Interest::Writing && shutdown.is_stopping() => None,
                shutdown => shutdown.as_ref(),
            };
            let waited = wait::ready(&self.socket, interest, shutdown, limit)?;
            self.talking &= waited == Waited::Ready || interest == Interest::Writing;
            match waited {
                Waited::Ready => return Ok(Waited::Ready),
                Waited::TimedOut => return Err(ErrorKind::TimedOut.into()),
                Waited::Stopping if interest == Interest::Writing => {}
                Waited::Stopping => {
                    self.ended = true;
                    return Ok(Waited::Stopping);
                }
            }
        }
    }

    /// For a server that asks the socket itself: a client that always has something is
    /// never waited for, and meets no deadline there.
    ///
    /// # Errors
    /// `TimedOut` when the deadline has passed, or the drain limit after a stop.
    pub fn check_deadline(&self) -> io::Result<()> {
        self.limit().remaining().map(drop)
    }

    fn limit(&self) -> Deadline {
        let drained = self.shutdown.as_ref().map_or(Deadline::NEVER, Shutdown::drain_deadline);
        self.deadline.or_sooner(drained)
    }

    /// Closes in stages, as dropping it does: ends the sending; where the peer has not
    /// taken everything, still sends or may have more on its way, reads and drops what
    /// comes until the peer ends too or [`LINGER`] is over; and closes.
    pub fn close(self) {}
}

impl<S: Socket> Read for Connection<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // A client that always has something would keep a server from stopping: after a stop,
        // poll(2) is asked first.
        let mut at_once = self.shutdown.as_ref().is_some_and(|it| !it.is_stopping());
        if at_once {
            self.check_deadline()?;
        }
        loop {
            if !at_once && self.wait(Interest::Reading)? == Waited::Stopping {
                return Ok(0);
            }
            match self.socket.read(buf) {
                // While the process was halted, something may have come and the deadline passed.
                Err(error) if is_nothing_yet(&error) => {
                    at_once = at_once && wait::is_ready(&self.socket, Interest::Reading)?;
                }
                done => {
                    self.over = !matches!(done, Ok(n) if n > 0 || buf.is_empty());
                    self.talking |= matches!(done, Ok(n) if n > 0);
                    return done;
                }
            }
        }
    }
}

impl<S: Socket> Write for Connection<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        // A peer that always has room is never waited for.
        self.check_deadline()?;
        loop {
            match self.socket.write_vectored(bufs) {
                // The buffers of both ends are full: the peer has to read first.
                Err(error) if is_nothing_yet(&error) => {
                    self.wait(Interest::Writing)?;
                }
                done => {
                    self.over = done.is_err();
                    return done;
                }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<S: Socket> Drop for Connection<S> {
    fn drop(&mut self) {
        if let Some(shutdown) = self.shutdown.as_ref().filter(|_| !self.over) {
            linger(&self.socket, self.talking, shutdown);
        }
    }
}

//! An accept that a stop or a deadline ends at once, and that one client's error does
//! not end.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::reason;
use crate::shutdown::{Connection, Shutdown};
use crate::wait::{self, Waited};

/// How long to leave the listener alone when descriptors or memory run out. The
/// connections wait in the backlog meanwhile; trying again at once would turn the
/// shortage into a busy loop.
pub const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);

/// What came of waiting for a client.
#[derive(Debug)]
pub enum Accepted {
    /// A client, with its address. The stream blocks, has TCP_NODELAY set and is woken
    /// by a stop.
    Client(Connection, SocketAddr),
    /// The process has been told to stop.
    Stopping,
    /// Nobody came before the deadline.
    TimedOut,
}

/// A listener together with what ends its waiting. Several threads may accept from one.
#[derive(Debug)]
pub struct Acceptor {
    listener: TcpListener,
    shutdown: Shutdown,
    turn: Mutex<()>,
}

impl Acceptor {
    /// Takes over a bound listener.
    ///
    /// # Errors
    /// When the listener cannot be made non-blocking.
    pub fn new(listener: TcpListener, shutdown: &Shutdown) -> io::Result<Acceptor> {
        // A client that poll(2) has announced can be gone, or taken by another process, before
        // accept is called.
        listener.set_nonblocking(true)?;
        Ok(Acceptor { listener, shutdown: shutdown.clone(), turn: Mutex::new(()) })
    }

    /// The next client, or `None` when the process has been told to stop.
    ///
    /// # Errors
    /// As [`accept_before`](Acceptor::accept_before).
    pub fn accept(&self) -> io::Result<Option<(Connection, SocketAddr)>> {
        match self.accept_before(Deadline::NEVER)? {
            Accepted::Client(stream, peer) => Ok(Some((stream, peer))),
            Accepted::Stopping | Accepted::TimedOut => Ok(None),
        }
    }

    /// The next client before `deadline`: [accept(2)](https://man7.org/linux/man-pages/man2/accept.2.html).
    ///
    /// Errors that belong to one connection are logged and passed over; a shortage of
    /// descriptors or memory is waited out.
    ///
    /// Threads that accept from one listener wait for their turn before anything else:
    /// then `deadline` bounds the wait of the one whose turn it is, and no other.
    ///
    /// # Errors
    /// Those that every further accept would meet as well, such as a listener that is
    /// not one.
    pub fn accept_before(&self, deadline: Deadline) -> io::Result<Accepted> {
        // poll(2) wakes every thread that waits in it, for one client. So one waits there, and
        // the others here.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match wait::readable(&self.listener, &self.shutdown, deadline)? {
                Waited::Ready => {}
                Waited::Stopping => return Ok(Accepted::Stopping),
                Waited::TimedOut => return Ok(Accepted::TimedOut),
            }
            match self.listener.accept() {
                Ok((stream, peer)) => match prepare(&stream) {
                    Ok(()) => return Ok(Accepted::Client(self.shutdown.watch(stream), peer)),
                    // macOS answers EINVAL once the peer has reset.
                    Err(error) => log::warn!("{peer} dropped: {}", reason(&error)),
                },
                Err(error) => pass_over(error, &self.shutdown)?,
            }
        }
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    // On BSD, macOS and Windows the stream inherits the listener's mode.
    stream.set_nonblocking(false)?;
    // Without this, a small reply can wait 40 ms for the acknowledgement of the one before
    // it.
    stream.set_nodelay(true)
}

/// Logs an error of accept that belongs to one connection and waits out a shortage, so
/// that the caller may go on.
///
/// # Errors
/// The error itself, where every further accept would meet it as well.
pub fn pass_over(error: io::Error, shutdown: &Shutdown) -> io::Result<()> {
    match affects(&error) {
        Affects::NoConnection => Ok(()),
        Affects::OneConnection => {
            log::warn!("a client left before it was accepted: {error}");
            Ok(())
        }
        Affects::AllForNow => {
            log::warn!("cannot accept for now: {error}");
            wait::pause(SHORTAGE_PAUSE, shutdown)
        }
        Affects::All => Err(error),
    }
}

/// How far an error of accept reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Affects {
    /// There was no client after all.
    NoConnection,
    /// One client is lost, and the next can be accepted at once.
    OneConnection,
    /// Descriptors or memory have run out, or accepting is forbidden: accept again
    /// after [`SHORTAGE_PAUSE`].
    AllForNow,
    /// The listener is of no use any more.
    All,
}

/// Tells how far an error of accept(2) reaches, for servers with an accept of their
/// own.
pub fn affects(error: &io::Error) -> Affects {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::Interrupted => return Affects::NoConnection,
        // Linux hands out errors that are already pending on the new connection.
        ErrorKind::ConnectionAborted
        | ErrorKind::ConnectionReset
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkDown
        | ErrorKind::NetworkUnreachable
        | ErrorKind::TimedOut => return Affects::OneConnection,
        // Whoever forbids it, such as SELinux, may do so before the client is taken off the queue:
        // then the same one would be announced again at once.
        ErrorKind::OutOfMemory | ErrorKind::PermissionDenied => return Affects::AllForNow,
        _ => {}
    }
    match rustix::io::Errno::from_io_error(error) {
        Some(errno) => errno_affects(errno),
        // Not the system's: std says so of a client that macOS hands out without an address, as it
        // had reset before.
        None => Affects::OneConnection,
    }
}

#[cfg(unix)]
fn errno_affects(errno: rustix::io::Errno) -> Affects {
    use rustix::io::Errno;
    match errno {
        Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM => Affects::AllForNow,
        Errno::PROTO | Errno::NOPROTOOPT | Errno::HOSTDOWN | Errno::OPNOTSUPP => {
            Affects::OneConnection
        }
        #[cfg(target_os = "linux")]
        Errno::NONET => Affects::OneConnection,
        _ => Affects::All,
    }
}

#[cfg(windows)]
fn errno_affects(errno: rustix::io::Errno) -> Affects {
    use rustix::io::Errno;
    match errno {
        Errno::MFILE | Errno::NOBUFS => Affects::AllForNow,
        // Wine says NOTCONN of a client that has reset before it was accepted.
        Errno::NETRESET | Errno::NOTCONN => Affects::OneConnection,
        _ => Affects::All,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn each_accept_error_of_the_manual_page_is_known() {
        use rustix::io::Errno;
        let affects = |errno: Errno| affects(&errno.into());
        assert_eq!(affects(Errno::AGAIN), Affects::NoConnection);
        assert_eq!(affects(Errno::INTR), Affects::NoConnection);
        for errno in [
            Errno::CONNABORTED,
            Errno::NETDOWN,
            Errno::PROTO,
            Errno::NOPROTOOPT,
            Errno::HOSTDOWN,
            Errno::NONET,
            Errno::HOSTUNREACH,
            Errno::OPNOTSUPP,
            Errno::NETUNREACH,
        ] {
            assert_eq!(affects(errno), Affects::OneConnection, "{errno:?}");
        }
        for errno in
            [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::PERM, Errno::ACCESS]
        {
            assert_eq!(affects(errno), Affects::AllForNow, "{errno:?}");
        }
        assert_eq!(super::affects(&ErrorKind::InvalidInput.into()), Affects::OneConnection);
        for errno in [Errno::BADF, Errno::INVAL, Errno::NOTSOCK] {
            assert_eq!(affects(errno), Affects::All, "{errno:?}");
        }
    }
}

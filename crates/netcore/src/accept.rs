//! An accept that a stop or a deadline ends, that one client's error does not end, and
//! that lets no more clients in than there are permits.

use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fd::AsFd;
use socket2::SockRef;

use crate::connection::Connection;
use crate::deadline::Deadline;
use crate::error::reason;
use crate::memory;
use crate::permits::{Permit, Permits};
use crate::reach::{Reach, of_accept};
use crate::shutdown::Shutdown;
pub use crate::socket::Listener;
use crate::socket::Socket;
use crate::wait::{self, Interest, Waited};

/// How long to leave the listener alone when descriptors or memory run out. The
/// connections wait in the backlog meanwhile; trying again at once would turn the
/// shortage into a busy loop.
pub const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);

/// A client that has been accepted, and what the log calls it.
type Client<L> = (Connection<<L as Listener>::Socket>, <L as Listener>::Peer);

/// A listener together with what ends its waiting. Several threads may accept from one.
#[derive(Debug)]
pub struct Acceptor<L: Listener = TcpListener> {
    /// Whoever waits for a client has it; `None` once a stop has begun.
    listener: Arc<Mutex<Option<L>>>,
    shutdown: Shutdown,
    /// What ends those who are accepted.
    of_clients: Shutdown,
    permits: Option<Permits>,
    patience: Option<Duration>,
}

impl<L: Listener> Acceptor<L> {
    /// Takes over a bound listener. From a stop on, new clients are refused instead of
    /// left waiting.
    ///
    /// # Errors
    /// When the listener cannot be made non-blocking.
    pub fn new(listener: L, shutdown: &Shutdown) -> io::Result<Acceptor<L>> {
        // A client that poll(2) has announced can be gone, or taken by another process,
        // before accept is called.
        listener.set_nonblocking(true)?;
        let listener = Arc::new(Mutex::new(Some(listener)));
        // Weak, or the listener of a server that ends without a stop would stay open.
        let at_stop = Arc::downgrade(&listener);
        shutdown.on_stop(move || {
            // Where somebody waits for a client, the stop wakes it, and it closes.
            if let Some(Ok(mut listener)) = at_stop.upgrade().as_deref().map(Mutex::try_lock) {
                *listener = None;
            }
        });
        let (shutdown, of_clients) = (shutdown.clone(), shutdown.clone());
        Ok(Acceptor { listener, shutdown, of_clients, permits: None, patience: None })
    }

    /// Clients end by a handle of their own: a stop of the first one ends the accepting
    /// alone, where another process goes on with it.
    pub fn clients_end_by(self, shutdown: &Shutdown) -> Acceptor<L> {
        Acceptor { of_clients: shutdown.clone(), ..self }
    }

    /// Serves so many clients at once and at least one. At the bound nobody is accepted:
    /// the next clients wait in the backlog, as they would for a slow server.
    pub fn at_most(self, clients: usize) -> Acceptor<L> {
        let permits = Some(Permits::new(clients, &self.shutdown));
        Acceptor { permits, ..self }
    }

    /// Ends as for a stop when nobody has come for so long, to any of the threads that
    /// accept.
    pub fn give_up_after(self, patience: Option<Duration>) -> Acceptor<L> {
        Acceptor { patience, ..self }
    }

    /// The next client, or `None` when the process has been told to stop or nobody has
    /// come in time: [accept(2)](https://man7.org/linux/man-pages/man2/accept.2.html).
    ///
    /// Errors that belong to one connection are logged and passed over; a shortage of
    /// descriptors or memory is waited out.
    ///
    /// # Errors
    /// Those that every further accept would meet as well, such as a listener that is
    /// not one.
    pub fn accept(&self) -> io::Result<Option<Client<L>>> {
        // Before the wait: a client that is accepted could not be left alone any more.
        let permit = match &self.permits {
            Some(permits) => match permits.take() {
                Some(permit) => Some(permit),
                None => return Ok(None),
            },
            None => None,
        };
        let accepted = self.accept_in_turn(permit.as_ref());
        // Told to stop while another client was in hand: the closing of the listener, which
        // the stop left to us, is still to be done.
        if self.shutdown.is_stopping()
            && let Ok(mut listener) = self.listener.try_lock()
        {
            *listener = None;
        }
        let Some((mut connection, peer)) = accepted? else { return Ok(None) };
        permit.iter().for_each(Permit::use_it);
        connection.keep(permit);
        Ok(Some((connection, peer)))
    }

    fn accept_in_turn(&self, permit: Option<&Permit>) -> io::Result<Option<Client<L>>> {
        // poll(2) wakes every thread that waits in it, for one client. So one waits there,
        // and the others here.
        let mut turn = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        if turn.is_some() {
            log::info!("waiting for a client");
        }
        // From here on: as long as another thread waited, clients may have come.
        let deadline = self.patience.map_or(Deadline::NEVER, Deadline::after);
        while let Some(listener) = turn.as_ref() {
            let shutdown = Some(&self.shutdown);
            let waited = wait::ready(listener, Interest::Reading, shutdown, deadline)?;
            // A stop comes first, however many clients wait.
            if self.shutdown.is_stopping() {
                *turn = None;
                break;
            }
            if waited == Waited::TimedOut {
                log::info!("nobody came in time");
                // For the threads that wait for their turn as well.
                *turn = None;
                break;
            }
            // Where there is no memory for a client, it is refused, for itself alone.
            match listener.accept().and_then(|client| affords(permit).map(|()| client)) {
                Ok((stream, peer)) => match prepare(stream, &self.of_clients) {
                    Ok(connection) => return Ok(Some((connection, peer))),
                    // macOS answers EINVAL once the peer has reset.
                    Err(error) => log::warn!("{peer} dropped: {}", reason(&error)),
                },
                Err(error) => pass_over(error, &self.shutdown)?,
            }
        }
        Ok(None)
    }
}

fn prepare<S: Socket>(socket: S, shutdown: &Shutdown) -> io::Result<Connection<S>> {
    socket.send_at_once()?;
    Connection::new(socket, shutdown)
}

/// As [`Socket::send_at_once`], for streams of TCP that are no [`Socket`].
pub(crate) fn without_delay(stream: &impl AsFd) -> io::Result<()> {
    // By way of `as_fd`, which is a socket on Windows too.
    SockRef::from(&stream.as_fd()).set_tcp_nodelay(true)
}

/// Who has a permit has a thread.
fn affords(permit: Option<&Permit>) -> io::Result<()> {
    match permit.is_some_and(Permit::needs_a_stack) {
        true => memory::is_there_for_a_thread(),
        false => memory::is_there_for_a_client(),
    }
}

/// A client that was accepted, unless there is no memory for it: then it is refused here,
/// for itself alone, and the next ones wait.
///
/// # Errors
/// That of `accepted`; `OutOfMemory`.
pub fn affordable<T>(accepted: io::Result<T>) -> io::Result<T> {
    accepted.and_then(|client| memory::is_there_for_one_of_many().map(|()| client))
}

/// Logs an error of accept that belongs to one connection and waits out a shortage, so
/// that the caller may go on.
///
/// # Errors
/// The error itself, where every further accept would meet it as well.
pub fn pass_over(error: io::Error, shutdown: &Shutdown) -> io::Result<()> {
    match log_accept_error(error)? {
        Reach::AllForNow => wait::pause(SHORTAGE_PAUSE, shutdown),
        _ => Ok(()),
    }
}

/// As [`pass_over`], for a server that does not wait here: how far the error reaches.
///
/// # Errors
/// As [`pass_over`].
pub fn log_accept_error(error: io::Error) -> io::Result<Reach> {
    let reach = of_accept(&error);
    match reach {
        Reach::Nothing => {}
        Reach::One => log::warn!("a client left before it was accepted: {}", reason(&error)),
        Reach::AllForNow => log::warn!("cannot accept for now: {}", reason(&error)),
        Reach::All => return Err(error),
    }
    Ok(reach)
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpStream};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Instant;

    use super::*;
    use crate::shutdown::DRAIN;

    /// Ends a test that would otherwise hang; no correct run comes near it.
    const GENEROUS: Duration = Duration::from_secs(20);

    /// How long the threads of a test wait for a client: far longer than a step of it
    /// takes, and far shorter than [`GENEROUS`].
    const PATIENCE: Duration = Duration::from_secs(2);

    fn acceptor(shutdown: &Shutdown) -> (Acceptor, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (Acceptor::new(listener, shutdown).unwrap(), address)
    }

    #[test]
    fn threads_that_share_a_listener_give_up_together_and_only_after_the_last_client() {
        const THREADS: usize = 8;
        let shutdown = Shutdown::new(DRAIN).unwrap();
        let (acceptor, address) = acceptor(&shutdown);
        let acceptor = acceptor.give_up_after(Some(PATIENCE));
        let (told, ended) = mpsc::channel();
        thread::scope(|scope| {
            for _ in 0..THREADS {
                let (acceptor, told) = (&acceptor, told.clone());
                scope.spawn(move || {
                    while acceptor.accept().unwrap().is_some() {}
                    told.send(Instant::now()).unwrap();
                });
            }
            let half = wait::pause(PATIENCE / 2, &shutdown);
            half.unwrap();
            let came = Instant::now();
            drop(TcpStream::connect(address).unwrap());
            for _ in 0..THREADS {
                let ended = ended.recv_timeout(GENEROUS).unwrap();
                assert!(ended >= came + PATIENCE, "{:?} after the client", ended - came);
                // One after the other, they would need as many limits as there are threads.
                assert!(ended < came + PATIENCE * 4, "{:?} after the client", ended - came);
            }
        });
    }
}

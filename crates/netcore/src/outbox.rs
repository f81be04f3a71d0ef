//! A bounded queue of lines for one peer, and a writer that never waits for it.
//!
//! Whoever has something for many peers cannot wait for each: one that does not read
//! would hold up all. So a line is queued for everybody and then sent as far as each one
//! takes it at once. For a peer that does not take everything a thread is born, which
//! waits for that peer alone and ends when it has caught up.

use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::connection::Connection;
use crate::deadline::Deadline;
use crate::log::payload;
use crate::memory;
use crate::wait::{self, Interest};

use queue::Queue;

mod queue;

/// A line with its end, which is held once for all who are to have it.
pub type Line = Arc<[u8]>;

/// Makes the line that stands for so many that had no room.
pub type Missed = fn(u64) -> Line;

/// What the system holds for a peer beside the queue, at most. Left to itself, Linux lets
/// it grow to megabytes: then it takes long until a peer that does not read is noticed.
const SEND_BUFFER: usize = 96 << 10;

/// The same for the last words to a peer that has left no room for them. Linux makes no
/// buffer larger than 208 KiB unless it is told to.
const WITH_LAST_WORDS: usize = 160 << 10;

/// How often the thread that waits for a peer looks whether it still has to.
const LOOK_UP: Duration = Duration::from_secs(2);

/// What waits for one peer.
#[derive(Debug)]
pub struct Outbox {
    socket: TcpStream,
    peer: SocketAddr,
    most: usize,
    missed: Missed,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queue: Queue,
    /// A thread waits for the peer and sends the rest.
    waited_for: bool,
    closed: bool,
    /// Why it was closed, if not by whoever reads from the peer: `TimedOut` where the peer
    /// takes nothing.
    wrong: Option<ErrorKind>,
}

impl Outbox {
    /// A second handle of the connection, for `most` lines.
    ///
    /// # Errors
    /// When there is no descriptor left, or the peer has gone.
    pub fn new(connection: &Connection, most: usize, missed: Missed) -> io::Result<Arc<Outbox>> {
        let socket = connection.get_ref().try_clone()?;
        // Both handles: whoever sends a line to many must not wait for one of them.
        socket.set_nonblocking(true)?;
        SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER)?;
        let (peer, state) = (socket.peer_addr()?, Mutex::default());
        Ok(Arc::new(Outbox { socket, peer, most: most.max(1), missed, state }))
    }

    /// Queues a line. `false` when there is no room for it: the peer does not take what
    /// it has been sent, and misses this one.
    pub fn push(&self, line: &Line) -> bool {
        let mut state = self.state();
        if state.closed {
            return true;
        }
        if state.queue.is_full(self.most) {
            self.send_what_is_taken(&mut state);
        }
        let has_room = state.queue.push(line, self.most);
        if has_room {
            log::debug!("{} sending {} bytes {}", self.peer, line.len(), payload(line));
        }
        has_room
    }

    /// Queues the last line of all, for which there is always room: why the peer hears no
    /// more, behind what it has missed.
    pub fn push_last(&self, line: &Line) {
        let mut state = self.state();
        if !state.closed {
            state.queue.push_last(line, self.missed);
            log::debug!("{} sending {} bytes {}", self.peer, line.len(), payload(line));
        }
    }

    /// Sends as much as the peer takes now. What is left is sent by a thread that waits.
    pub fn send(self: &Arc<Outbox>) {
        let mut state = self.state();
        if state.waited_for {
            return;
        }
        self.send_what_is_taken(&mut state);
        if !state.queue.is_empty() {
            let outbox = self.clone();
            let waiting = memory::is_there_for_a_worker()
                .and_then(|()| thread::Builder::new().spawn(move || outbox.wait_and_send()));
            // Where no thread can be had, the next `send` tries again.
            state.waited_for = waiting.is_ok();
        }
    }

    /// The last that the peer is sent, whatever waits for it: `last` and then the end of
    /// the stream. It need not read for that: the system keeps it for a while.
    pub fn dismiss(&self, last: &[u8]) {
        let mut state = self.state();
        // A line that it has a part of comes first.
        let mut words = state.queue.give_up();
        words.extend_from_slice(last);
        log::debug!("{} sending {} bytes {}", self.peer, last.len(), payload(last));
        (state.closed, state.wrong) = (true, Some(ErrorKind::TimedOut));
        // Fails only where the peer has gone.
        let _ = SockRef::from(&self.socket).set_send_buffer_size(WITH_LAST_WORDS);
        let _ = (&self.socket).write_all(&words);
        let _ = self.socket.shutdown(Side::Write);
    }

    /// What is left, for the caller to send and to wait for: nothing is sent from here
    /// any more.
    pub fn close(&self) -> Vec<u8> {
        let mut state = self.state();
        state.closed = true;
        state.queue.rest(self.missed)
    }

    /// What whoever reads from the peer asks after each read: a connection tells its error
    /// once, and it may have been told here. Then it looks like an end to who reads.
    ///
    /// # Errors
    /// That the peer has been dismissed, has reset, or that the system has given it up.
    pub fn check(&self) -> io::Result<()> {
        match self.state().wrong {
            Some(kind @ ErrorKind::TimedOut) => Err(io::Error::new(kind, "it does not listen")),
            Some(kind) => Err(kind.into()),
            None => Ok(()),
        }
    }

    /// Whether something waits for the peer, and how many bytes it has taken so far.
    pub fn progress(&self) -> (bool, u64) {
        let state = self.state();
        (!state.queue.is_empty(), state.queue.taken())
    }

    fn wait_and_send(&self) {
        loop {
            let limit = Deadline::after(LOOK_UP);
            let waited = wait::ready(&self.socket, Interest::Writing, None, limit);
            let mut state = self.state();
            self.send_what_is_taken(&mut state);
            if state.queue.is_empty() || waited.is_err() {
                state.waited_for = false;
                return;
            }
        }
    }

    /// Never waits: the socket does not block.
    fn send_what_is_taken(&self, state: &mut State) {
        loop {
            let next = state.queue.next(self.missed);
            if next.is_empty() {
                return;
            }
            match (&self.socket).write_vectored(&next) {
                Ok(n) => state.queue.is_taken(n),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => {
                    state.closed = true;
                    // Of a peer that had ended before, whoever reads from it finds the end.
                    state.wrong = Some(error.kind()).filter(|kind| *kind != ErrorKind::BrokenPipe);
                    state.queue.give_up();
                    return;
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing between two changes panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    /// Ends a test that would otherwise hang.
    const GENEROUS: Duration = Duration::from_secs(30);

    /// Our end of a connection whose other end has reset it; and what it is like before that.
    fn reset(before: impl FnOnce(&Connection)) -> Connection {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let connection = Connection::of_client(listener.accept().unwrap().0).unwrap();
        before(&connection);
        SockRef::from(&peer).set_linger(Some(Duration::ZERO)).unwrap();
        drop(peer);
        let limit = Deadline::after(GENEROUS);
        wait::ready(connection.get_ref(), Interest::Reading, None, limit).unwrap();
        connection
    }

    fn outbox(connection: &Connection) -> io::Result<Arc<Outbox>> {
        Outbox::new(connection, 1, |_| unreachable!("nothing is missed"))
    }

    #[test]
    fn a_reset_that_was_told_to_who_writes_is_told_to_who_reads() {
        let mut written = None;
        let mut connection = reset(|connection| written = outbox(connection).ok());
        let outbox = written.unwrap();
        outbox.check().unwrap();
        outbox.push(&b"hello\n"[..].into());
        outbox.send();
        // Some systems keep it for the read itself.
        let told = outbox.check().and_then(|()| connection.read(&mut [0]));
        assert_eq!(told.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }

    /// Others say it in other words.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_peer_that_has_gone_before_anything_was_said_is_told_as_that() {
        let error = outbox(&reset(|_| {})).unwrap_err();
        assert_eq!(crate::error::reason(&error), "the other end has gone");
    }
}

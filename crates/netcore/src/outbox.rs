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
    /// It was closed because the peer takes nothing.
    deaf: bool,
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
        (state.closed, state.deaf) = (true, true);
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

    /// What whoever reads from the peer asks now and then, and at its end: a connection
    /// on which nothing moved tells its error once, and it may have been told here.
    ///
    /// # Errors
    /// That the peer has been dismissed, or that the system has given it up.
    pub fn check(&self) -> io::Result<()> {
        match self.state().deaf {
            true => Err(io::Error::new(ErrorKind::TimedOut, "it does not listen")),
            false => Ok(()),
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
                    // What has ended it otherwise, whoever reads from it is told.
                    state.deaf = error.kind() == ErrorKind::TimedOut;
                    state.closed = true;
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

//! A bounded queue of lines for one peer, and a writer that never waits for it.
//!
//! Whoever has something for many peers cannot wait for each: one that does not read
//! would hold up all. So a line is queued for everybody and then sent as far as each one
//! takes it at once. For a peer that does not take everything a thread is born, which
//! waits for that peer alone and ends when it has caught up.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::connection::Connection;
use crate::deadline::Deadline;
use crate::log::payload;
use crate::wait::{self, Interest};

/// A line with its end, which is held once for all who are to have it.
pub type Line = Arc<[u8]>;

/// What the system holds for a peer beside the queue, at most. Left to itself, Linux lets
/// it grow to megabytes: then it takes long until a peer that does not read is noticed.
const SEND_BUFFER: usize = 96 << 10;

/// The same for the last words to a peer that has left no room for them. Linux makes no
/// buffer larger than 208 KiB unless it is told to.
const WITH_LAST_WORDS: usize = 160 << 10;

/// Lines that one call sends.
const AT_ONCE: usize = 64;

/// How often the thread that waits for a peer looks whether it still has to.
const LOOK_UP: Duration = Duration::from_secs(2);

/// What waits for one peer.
#[derive(Debug)]
pub struct Outbox {
    socket: TcpStream,
    peer: SocketAddr,
    most: usize,
    missed: fn(u64) -> Line,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Line>,
    /// Bytes of the first line that are sent.
    begun: usize,
    /// Bytes that are sent in all.
    taken: u64,
    /// Lines that the queue had no room for, since it was empty last.
    missed: u64,
    /// A thread waits for the peer and sends the rest.
    waited_for: bool,
    closed: bool,
    /// It was closed because the peer takes nothing.
    deaf: bool,
}

impl Outbox {
    /// A second handle of the connection, for `most` lines. `missed` makes the line that
    /// stands for those that had no room.
    ///
    /// # Errors
    /// When there is no descriptor left, or the peer has gone.
    pub fn new(
        connection: &Connection,
        most: usize,
        missed: fn(u64) -> Line,
    ) -> io::Result<Arc<Outbox>> {
        let socket = connection.get_ref().try_clone()?;
        SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER)?;
        let (peer, state) = (socket.peer_addr()?, Mutex::default());
        Ok(Arc::new(Outbox { socket, peer, most: most.max(1), missed, state }))
    }

    /// Queues a line. `false` when there is no room for it: the peer does not take what
    /// it has been sent, and misses this one.
    pub fn push(&self, line: &Line) -> bool {
        let mut state = self.state();
        if state.queue.len() >= self.most && !state.waited_for {
            self.send_what_is_taken(&mut state);
        }
        // Once it has missed a line it misses those that follow, until it has taken all
        // that it has: one gap and not many.
        if state.missed > 0 || state.queue.len() >= self.most {
            state.missed += u64::from(!state.closed);
            return state.closed;
        }
        if !state.closed {
            log::debug!("{} sending {} bytes {}", self.peer, line.len(), payload(line));
            state.queue.push_back(line.clone());
        }
        true
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
            let waiting = thread::Builder::new().spawn(move || outbox.wait_and_send());
            // Where no thread can be had, the next `send` tries again.
            state.waited_for = waiting.is_ok();
        }
    }

    /// The last that the peer is sent, whatever waits for it: `last` and then the end of
    /// the stream. It need not read for that: the system keeps it for a while.
    pub fn dismiss(&self, last: &[u8]) {
        let mut state = self.state();
        let mut words = match state.queue.front() {
            // A line that it has a part of.
            Some(line) if state.begun > 0 => line[state.begun..].to_vec(),
            _ => Vec::new(),
        };
        words.extend_from_slice(last);
        log::debug!("{} sending {} bytes {}", self.peer, last.len(), payload(last));
        state.close();
        state.deaf = true;
        // Fails only where the peer has gone.
        let _ = SockRef::from(&self.socket).set_send_buffer_size(WITH_LAST_WORDS);
        let _ = (&self.socket).write_all(&words);
        let _ = self.socket.shutdown(Side::Write);
    }

    /// What is left, for the caller to send and to wait for: nothing is sent from here
    /// any more.
    pub fn close(&self) -> Vec<u8> {
        let mut state = self.state();
        let mut rest = Vec::new();
        state.queue.iter().for_each(|line| rest.extend_from_slice(line));
        rest.drain(..state.begun);
        if state.missed > 0 {
            rest.extend_from_slice(&(self.missed)(state.missed));
        }
        state.close();
        rest
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
        (!state.queue.is_empty(), state.taken)
    }

    fn wait_and_send(&self) {
        loop {
            let now_and_then = Deadline::after(LOOK_UP);
            let waited = wait::ready(&self.socket, Interest::Writing, None, now_and_then);
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
            if state.queue.is_empty() && state.missed > 0 {
                state.queue.push_back((self.missed)(state.missed));
                state.missed = 0;
            }
            let Some(first) = state.queue.front() else { return };
            let later = state.queue.iter().skip(1).take(AT_ONCE - 1);
            let mut slices = vec![IoSlice::new(&first[state.begun..])];
            slices.extend(later.map(|line| IoSlice::new(line)));
            match (&self.socket).write_vectored(&slices) {
                Ok(n) => state.is_taken(n),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => {
                    // What has ended it otherwise, whoever reads from it is told.
                    state.deaf = error.kind() == ErrorKind::TimedOut;
                    return state.close();
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing between two changes panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_taken(&mut self, bytes: usize) {
        self.taken += bytes as u64;
        self.begun += bytes;
        while let Some(first) = self.queue.front().filter(|first| first.len() <= self.begun) {
            self.begun -= first.len();
            self.queue.pop_front();
        }
    }

    fn close(&mut self) {
        self.closed = true;
        self.queue.clear();
        (self.begun, self.missed) = (0, 0);
    }
}

//! One client's conversation as a record that goes on from where it stopped, for a server
//! with one wait for all clients, which waits for none of them.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown as Side, SocketAddr};
use std::time::{Duration, Instant};

use rustix::fd::AsFd;
use socket2::SockRef;

use crate::cli::Limits;
use crate::connection::{LINGER, has_taken_all};
use crate::deadline::Deadline;
use crate::memory;
use crate::shutdown::Shutdown;
use crate::visit::{Ended, caught, log_end};

/// Reads of a client in one turn, after we have ended our side: it may send for ever.
const READS_PER_TURN: usize = 16;

/// A client's connection, and what the conversation has come to.
#[derive(Debug)]
pub struct Conversation<S> {
    /// The socket, which never blocks.
    pub stream: S,
    /// The other end.
    pub peer: SocketAddr,
    /// What a short write has left. While there is any, nothing is read: the client has
    /// to read first.
    pub unsent: Vec<u8>,
    /// The client has closed its sending side: for a server that is told so before it has
    /// read everything.
    pub peer_closed: bool,
    state: State,
    idle: Duration,
    total: Deadline,
    /// When it is dropped: at its idle limit, or at its total one if that comes first.
    limit: Deadline,
    shutdown: Shutdown,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Talking,
    /// We have ended our side, and read and drop what still comes.
    Closing,
    Gone,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// There is nothing to read, or no room to write.
    Waiting,
    /// There may be more to read.
    Unfinished,
    /// The client has sent everything, and everything is answered.
    Over,
}

impl<S: Read + AsFd> Conversation<S> {
    /// A conversation that begins now, with a socket that does not block.
    pub fn new(
        stream: S,
        peer: SocketAddr,
        limits: &Limits,
        shutdown: &Shutdown,
    ) -> Conversation<S> {
        log::info!("{peer} connected");
        let (unsent, peer_closed, state) = (Vec::new(), false, State::Talking);
        let (idle, total) = (limits.idle, Deadline::after(limits.total));
        let limit = total.or_sooner(Deadline::after(idle));
        let shutdown = shutdown.clone();
        Conversation { stream, peer, unsent, peer_closed, state, idle, total, limit, shutdown }
    }

    /// A client that does something has the idle limit before it again, but never more
    /// than the total one.
    pub fn renew(&mut self) {
        self.limit = self.total.or_sooner(Deadline::after(self.idle));
    }

    /// Keeps what a short write has left, until the client reads.
    ///
    /// # Errors
    /// `OutOfMemory`, which is this client's and nobody else's.
    pub fn keep(&mut self, unsent: &[u8]) -> io::Result<()> {
        memory::is_there_for_one_of_many()?;
        self.unsent = unsent.to_vec();
        Ok(())
    }

    /// When it has a turn, ready or not. That turn is its end: at a limit; or for a stop,
    /// if there is nothing to read and everything is answered.
    pub fn deadline(&self) -> Deadline {
        match self.is_listening() {
            true => self.limit().or_sooner(self.shutdown.begun()),
            false => self.limit(),
        }
    }

    /// Whether the connection can be dropped.
    pub fn has_gone(&self) -> bool {
        self.state == State::Gone
    }

    /// Does with `talk` what can be done now that the socket is ready, or its deadline has
    /// come; `now` is a moment before the wait that told so. A panic in `talk` ends this
    /// client and nobody else. Returns whether there is more to do.
    ///
    /// A client that we end and that still sends, or has not taken everything, has further
    /// turns: what comes is read and dropped, for [`LINGER`] at most.
    pub fn turn(
        &mut self,
        now: Instant,
        talk: impl FnOnce(&mut Conversation<S>) -> io::Result<Turn>,
    ) -> bool {
        // Before the turn: what has arrived before the stop is read in it.
        let stopping = self.shutdown.is_stopping();
        let turn = match self.state {
            State::Closing => self.drain(),
            _ => caught(|| talk(self)),
        };
        match turn {
            Ok(Turn::Over) => self.end(Ok(Ended::ByPeer)),
            Ok(Turn::Waiting) if stopping && self.is_listening() => self.end(Ok(Ended::ByStop)),
            // Also of one that always has something, and is never waited for.
            Ok(_) if self.limit().has_passed_at(now) => self.end(Err(ErrorKind::TimedOut.into())),
            Ok(turn) => return turn == Turn::Unfinished,
            Err(error) => self.end(Err(error)),
        }
        // What it has sent while it was not read: that was told long ago.
        !self.has_gone()
    }

    /// Whether requests of the client are waited for.
    fn is_listening(&self) -> bool {
        self.state == State::Talking && self.unsent.is_empty()
    }

    fn limit(&self) -> Deadline {
        self.limit.or_sooner(self.shutdown.drain_deadline())
    }

    /// Ends the conversation, or the closing that follows it.
    pub(crate) fn end(&mut self, how: io::Result<Ended>) {
        let talking = std::mem::replace(&mut self.state, State::Gone) == State::Talking;
        if !talking {
            return;
        }
        log_end(self.peer, &how);
        if !matches!(how, Ok(Ended::ByPeer)) {
            self.close();
        }
    }

    /// Ends our side. A close that leaves something unread would reset the connection, and
    /// the reset may overtake our last reply: so from a client that sends, or has not
    /// taken everything, what comes is read first, for a while.
    fn close(&mut self) {
        self.unsent = Vec::new();
        self.limit = Deadline::after(LINGER);
        let has_all = has_taken_all(&self.stream);
        // By way of `as_fd`, which is a socket on Windows too.
        if SockRef::from(&self.stream.as_fd()).shutdown(Side::Write).is_err() {
            return;
        }
        self.state = match self.stream.read(&mut [0; 4096]) {
            Ok(n) if n > 0 => State::Closing,
            Err(error) if error.kind() == ErrorKind::WouldBlock && !has_all => State::Closing,
            _ => State::Gone,
        };
    }

    fn drain(&mut self) -> io::Result<Turn> {
        let mut scrap = [0; 4096];
        for _ in 0..READS_PER_TURN {
            match self.stream.read(&mut scrap) {
                Ok(0) => return Ok(Turn::Over),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Turn::Waiting),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Turn::Unfinished)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// Ends a test that would otherwise hang; no correct run comes near it.
    const GENEROUS: Duration = Duration::from_secs(30);

    /// A client, and the conversation with it.
    fn pair(total: Duration, shutdown: &Shutdown) -> (TcpStream, Conversation<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(GENEROUS)).unwrap();
        let (stream, peer) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let limits = Limits { idle: GENEROUS, total, drain: GENEROUS };
        (client, Conversation::new(stream, peer, &limits, shutdown))
    }

    /// What a turn finds that has nothing to read.
    fn nothing(_: &mut Conversation<TcpStream>) -> io::Result<Turn> {
        Ok(Turn::Waiting)
    }

    fn shutdown() -> Shutdown {
        Shutdown::new(GENEROUS).unwrap()
    }

    #[test]
    fn a_panic_ends_one_conversation_in_stages() {
        let shutdown = shutdown();
        let (mut client, mut conversation) = pair(GENEROUS, &shutdown);
        conversation.turn(Instant::now(), |_| {
            panic!("a reply with a bug: this line in the output is expected")
        });
        assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
    }

    #[test]
    fn a_client_that_sends_beyond_its_limit_is_read_until_it_ends() {
        let shutdown = shutdown();
        let (mut client, mut conversation) = pair(Duration::ZERO, &shutdown);
        client.write_all(&[b'x'; 8192]).unwrap();
        while conversation.stream.peek(&mut [0; 8192]).unwrap() < 8192 {}
        // What it has sent was told long ago, so another turn is needed.
        assert!(conversation.turn(Instant::now(), nothing));
        assert!(!conversation.has_gone());
        assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
        let talks = |_: &mut _| unreachable!("nothing is answered any more");
        assert!(!conversation.turn(Instant::now(), talks));
        assert!(!conversation.has_gone());
        client.shutdown(Side::Write).unwrap();
        let begun = Instant::now();
        while !conversation.has_gone() {
            conversation.turn(begun, talks);
        }
    }

    #[test]
    fn a_client_that_always_has_something_meets_its_limit_too() {
        let shutdown = shutdown();
        let (_client, mut conversation) = pair(Duration::ZERO, &shutdown);
        let before = Instant::now() - GENEROUS;
        assert!(conversation.turn(before, |_| Ok(Turn::Unfinished)));
        assert_eq!(conversation.state, State::Talking);
        conversation.turn(Instant::now(), |_| Ok(Turn::Unfinished));
        assert_ne!(conversation.state, State::Talking);
    }

    #[test]
    fn a_stop_ends_what_is_answered_and_waits_for_what_is_not() {
        let shutdown = shutdown();
        let (_silent, mut answered) = pair(GENEROUS, &shutdown);
        let (_deaf, mut unanswered) = pair(GENEROUS, &shutdown);
        unanswered.unsent = b"a reply".into();
        let before = Instant::now();
        assert!(!answered.deadline().has_passed());
        assert!(!answered.turn(before, nothing));
        assert_eq!(answered.state, State::Talking);
        shutdown.stop();
        assert!(answered.deadline().has_passed());
        // What is there to read is read first.
        assert!(answered.turn(before, |_| Ok(Turn::Unfinished)));
        assert_eq!(answered.state, State::Talking);
        answered.turn(before, nothing);
        assert_ne!(answered.state, State::Talking);
        unanswered.turn(before, nothing);
        assert_eq!(unanswered.state, State::Talking);
        assert!(!unanswered.deadline().has_passed());
    }
}

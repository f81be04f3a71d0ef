//! One client's conversation as a state that goes on from where it stopped, since nothing
//! here may wait.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown as Side, SocketAddr};

use mio::event::Event;
use mio::net::TcpStream;
use netcore::connection::{LINGER, has_taken_all};
use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::visit::{Ended, caught, log_end};

use crate::Echo;

/// Reads of a client in one turn. A client that sends faster than we read would otherwise
/// keep all others waiting.
const READS_PER_TURN: usize = 16;

/// Events tell of a change, so a socket is read until it has nothing left. Where a read
/// that does not fill the buffer proves that, the call that would say WouldBlock is
/// saved. On Windows, mio reports the next change only after it. Urgent data (MSG_OOB)
/// ends a read early too: whoever sends it may wait for the rest of its echo until it
/// sends more.
const SHORT_READ_IS_LAST: bool = cfg!(not(windows));

/// A client's connection.
pub struct Visit {
    stream: TcpStream,
    peer: SocketAddr,
    state: State,
    shutdown: Shutdown,
    total: Deadline,
    /// When it is dropped: at its idle limit, or at its total one if that comes first.
    deadline: Deadline,
    /// What a short write has left. While there is any, nothing is read: the client has
    /// to read first.
    unsent: Vec<u8>,
    /// The client has closed its sending side, so a short read is not the last: the end
    /// of the stream follows.
    peer_closed: bool,
}

#[derive(PartialEq, Eq)]
enum State {
    Talking,
    /// We have ended our side, and read and drop what still comes.
    Closing,
    Gone,
}

/// How a turn ended.
enum Turn {
    /// There is nothing to read, or no room to write: an event will tell.
    Waiting,
    /// There is more to read, and no event will tell.
    Unfinished,
    /// The client has sent everything, and everything is answered.
    Over,
}

impl Visit {
    /// A visit that starts now.
    pub fn new(stream: TcpStream, peer: SocketAddr, service: &Echo, shutdown: &Shutdown) -> Visit {
        log::info!("{peer} connected");
        let (state, unsent, shutdown) = (State::Talking, Vec::new(), shutdown.clone());
        let peer_closed = false;
        let total = Deadline::after(service.limits.total);
        let deadline = total.or_sooner(Deadline::after(service.limits.idle));
        Visit { stream, peer, state, shutdown, total, deadline, unsent, peer_closed }
    }

    /// Whether an event is about what is waited for. Where nothing is left to write, room
    /// to write is no news: on Windows, a read in answer to it would have mio report the
    /// same room again, for ever.
    pub fn is_told(&mut self, event: &Event) -> bool {
        self.peer_closed |= event.is_read_closed();
        let told = if self.unsent.is_empty() { event.is_readable() } else { event.is_writable() };
        told || event.is_error()
    }

    /// When to call [`expire`](Visit::expire).
    pub fn deadline(&self) -> Deadline {
        self.deadline.or_sooner(self.shutdown.drain_deadline())
    }

    /// Whether the connection can be dropped.
    pub fn has_gone(&self) -> bool {
        self.state == State::Gone
    }

    /// Whether requests of the client are waited for.
    pub fn is_listening(&self) -> bool {
        self.state == State::Talking && self.unsent.is_empty()
    }

    /// Does what can be done now that the socket is ready. A panic in a reply ends this
    /// client and nobody else. Returns whether there is more to do, of which no event
    /// will tell.
    pub fn turn(&mut self, buf: &mut [u8], service: &Echo) -> bool {
        match caught(|| self.talk(buf, service)) {
            Ok(Turn::Waiting) => return false,
            Ok(Turn::Unfinished) => {}
            Ok(Turn::Over) => self.end(Ok(Ended::ByPeer)),
            Err(error) => self.end(Err(error)),
        }
        !self.has_gone()
    }

    /// Ends a conversation for a stop, if everything that has arrived is answered.
    pub fn stop(&mut self) {
        if self.is_listening() {
            self.end(Ok(Ended::ByStop));
        }
    }

    /// Ends what has come to its deadline.
    pub fn expire(&mut self) {
        self.end(Err(ErrorKind::TimedOut.into()));
    }

    /// Ends the conversation, or the closing that follows it.
    fn end(&mut self, how: io::Result<Ended>) {
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
    /// the reset may overtake our last reply: so from a client that sends, or has not taken
    /// everything, what comes is read first, for a while.
    fn close(&mut self) {
        self.unsent.clear();
        self.deadline = Deadline::after(LINGER);
        let has_all = has_taken_all(&self.stream);
        if self.stream.shutdown(Side::Write).is_err() {
            return;
        }
        self.state = match self.stream.read(&mut [0; 4096]) {
            Ok(n) if n > 0 => State::Closing,
            Err(error) if error.kind() == ErrorKind::WouldBlock && !has_all => State::Closing,
            _ => State::Gone,
        };
    }

    /// Sends what is left, then reads and replies until there is nothing to read or the
    /// turn is over.
    fn talk(&mut self, buf: &mut [u8], service: &Echo) -> io::Result<Turn> {
        if !self.unsent.is_empty() {
            let unsent = std::mem::take(&mut self.unsent);
            self.send(&unsent)?;
            if !self.unsent.is_empty() {
                return Ok(Turn::Waiting);
            }
            self.renew(service);
        }
        for _ in 0..READS_PER_TURN {
            let n = match self.stream.read(buf) {
                // End of stream: the client has closed its sending side. No more will come.
                Ok(0) => return Ok(Turn::Over),
                Ok(n) => n,
                // Nothing yet.
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Turn::Waiting),
                // A signal came first; nothing has been read.
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if self.state == State::Closing {
                continue;
            }
            log::debug!("{} received {n} bytes {}", self.peer, payload(&buf[..n]));
            service.reply(&mut buf[..n]);
            log::debug!("{} sending {n} bytes {}", self.peer, payload(&buf[..n]));
            self.send(&buf[..n])?;
            // With the time that our reply took behind us: it is not the client's silence.
            self.renew(service);
            let last = SHORT_READ_IS_LAST && n < buf.len() && !self.peer_closed;
            if last || !self.unsent.is_empty() {
                return Ok(Turn::Waiting);
            }
        }
        Ok(Turn::Unfinished)
    }

    /// A client that does something has the idle limit before it again, but never more
    /// than the total one.
    fn renew(&mut self, service: &Echo) {
        self.deadline = self.total.or_sooner(Deadline::after(service.limits.idle));
    }

    /// Writes what the socket takes now, and keeps the rest.
    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                // A part, as much as the buffer of the socket had room for.
                Ok(n) => bytes = &bytes[n..],
                // Full: we are told when the client has read.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.unsent = bytes.to_vec();
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use netcore::cli::Limits;

    use super::*;

    const GENEROUS: Duration = Duration::from_secs(20);

    #[test]
    fn a_turn_ends_after_so_many_reads_and_the_next_one_goes_on() {
        const SENT: usize = READS_PER_TURN + 1;
        let limits = Limits { idle: GENEROUS, total: GENEROUS, drain: GENEROUS };
        let service = Echo { upper: false, limits, max_clients: 1 };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(GENEROUS)).unwrap();
        client.write_all(&[b'x'; SENT]).unwrap();
        let (stream, peer) = listener.accept().unwrap();
        while stream.peek(&mut [0; SENT]).unwrap() < SENT {}
        stream.set_nonblocking(true).unwrap();
        let shutdown = Shutdown::new(GENEROUS).unwrap();
        let mut visit = Visit::new(TcpStream::from_std(stream), peer, &service, &shutdown);
        // A buffer that each byte fills, so that each is a read.
        assert!(visit.turn(&mut [0; 1], &service), "more is to be read, of which no event tells");
        assert_eq!(visit.stream.peek(&mut [0; SENT]).unwrap(), 1);
        assert!(!visit.turn(&mut [0; 1], &service));
        let mut replies = [0; SENT];
        client.read_exact(&mut replies).unwrap();
        assert_eq!(replies, [b'x'; SENT]);
    }
}

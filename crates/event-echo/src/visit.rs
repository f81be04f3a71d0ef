//! One client's conversation as a state that goes on from where it stopped, since nothing
//! here may wait.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown as Side, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};

use mio::event::Event;
use mio::net::TcpStream;
use netcore::connection::{LINGER, has_taken_all};
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::log::payload;

use crate::Echo;

/// Full buffers that a client may send in one turn. A client that sends faster than we
/// read would otherwise keep all others waiting.
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

impl Visit {
    /// A visit that starts now.
    pub fn new(stream: TcpStream, peer: SocketAddr, service: &Echo) -> Visit {
        log::info!("{peer} connected");
        let total = Deadline::after(service.limits.total);
        let deadline = total.or_sooner(Deadline::after(service.limits.idle));
        Visit {
            stream,
            peer,
            state: State::Talking,
            total,
            deadline,
            unsent: Vec::new(),
            peer_closed: false,
        }
    }

    /// Whether an event is about what is waited for. Where nothing is left to write, room
    /// to write is no news: on Windows, a read in answer to it would have mio report the
    /// same room again, for ever.
    pub fn is_told(&mut self, event: &Event) -> bool {
        self.peer_closed |= event.is_read_closed();
        let awaited = if self.has_unsent() { event.is_writable() } else { event.is_readable() };
        awaited || event.is_error()
    }

    /// When to call [`expire`](Visit::expire).
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Whether the connection can be dropped.
    pub fn has_gone(&self) -> bool {
        self.state == State::Gone
    }

    fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Moves both limits forward to `limit`, if they are not before it.
    pub fn end_by(&mut self, limit: Deadline) {
        self.total = self.total.or_sooner(limit);
        self.deadline = self.deadline.or_sooner(limit);
    }

    /// Does what can be done now that the socket is ready. Returns whether there is
    /// more to do, of which no event will tell.
    pub fn turn(&mut self, buf: &mut [u8], service: &Echo) -> bool {
        if self.state == State::Closing {
            self.drop_what_comes();
            return false;
        }
        // A panic in a reply ends this client and nobody else.
        let peer = self.peer;
        match catch_unwind(AssertUnwindSafe(|| self.talk(buf, service))) {
            Ok(Ok(Turn::Waiting)) => {}
            Ok(Ok(Turn::Unfinished)) => return true,
            Ok(Ok(Turn::Over)) => {
                log::info!("{peer} closed");
                self.state = State::Gone;
            }
            Ok(Err(error)) => {
                log::warn!("{peer} dropped: {}", reason(&error));
                self.state = State::Gone;
            }
            Err(_) => {
                log::error!("{peer} dropped: its visit panicked");
                self.close();
            }
        }
        false
    }

    /// Ends a conversation for a stop, if everything that has arrived is answered.
    pub fn stop(&mut self) {
        if self.state == State::Talking && !self.has_unsent() {
            log::info!("{} closed, because the server stops", self.peer);
            self.close();
        }
    }

    /// Ends what has come to its deadline.
    pub fn expire(&mut self) {
        match self.state {
            State::Talking => {
                log::warn!("{} dropped: timed out", self.peer);
                self.close();
            }
            _ => self.state = State::Gone,
        }
    }

    /// Ends our side. A close that leaves something unread would reset the connection, and
    /// the reset may overtake our last reply: so from a client that sends, or has not taken
    /// everything, what comes is read first, for a while.
    fn close(&mut self) {
        self.state = State::Closing;
        self.unsent.clear();
        self.deadline = Deadline::after(LINGER).or_sooner(self.total);
        let has_all = has_taken_all(&self.stream);
        let ended = self.stream.shutdown(Side::Write);
        if ended.is_err() || !self.drop_what_comes() && has_all {
            self.state = State::Gone;
        }
    }

    /// Whether there was something.
    fn drop_what_comes(&mut self) -> bool {
        let mut scrap = [0; 4096];
        let mut some = false;
        loop {
            match self.stream.read(&mut scrap) {
                Ok(n) if n > 0 && !self.deadline.has_passed() => some = true,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return some,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                _ => {
                    self.state = State::Gone;
                    return some;
                }
            }
        }
    }

    /// Sends what is left, then reads and replies until there is nothing
    /// to read or the turn is over.
    fn talk(&mut self, buf: &mut [u8], service: &Echo) -> io::Result<Turn> {
        if self.has_unsent() {
            let unsent = std::mem::take(&mut self.unsent);
            self.send(&unsent)?;
            if self.has_unsent() {
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
            log::debug!("{} received {n} bytes {}", self.peer, payload(&buf[..n]));
            service.reply(&mut buf[..n]);
            log::debug!("{} sending {n} bytes {}", self.peer, payload(&buf[..n]));
            self.send(&buf[..n])?;
            // With the time that our reply took behind us: it is not the client's silence.
            self.renew(service);
            let last = SHORT_READ_IS_LAST && n < buf.len() && !self.peer_closed;
            if last || self.has_unsent() {
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
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => bytes = &bytes[n..],
                // The buffers on the way are full: we are told when there is room.
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

/// How a turn ended.
enum Turn {
    /// There is nothing to read, or no room to write: an event will tell.
    Waiting,
    /// There is more to read, and no event will tell.
    Unfinished,
    /// The client has sent everything, and everything is answered.
    Over,
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
        let mut visit = Visit::new(TcpStream::from_std(stream), peer, &service);
        // A buffer that each byte fills, so that each is a read.
        assert!(visit.turn(&mut [0; 1], &service), "more is to be read, of which no event tells");
        assert_eq!(visit.stream.peek(&mut [0; SENT]).unwrap(), 1);
        assert!(!visit.turn(&mut [0; 1], &service));
        let mut replies = [0; SENT];
        client.read_exact(&mut replies).unwrap();
        assert_eq!(replies, [b'x'; SENT]);
    }
}

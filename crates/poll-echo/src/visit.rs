//! One client's connection as a state that goes on from where it stopped, since nothing
//! here may block.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;
use netcore::deadline::LONGEST;
use netcore::log::payload;

use crate::Options;

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
    /// The client's address.
    pub peer: SocketAddr,
    /// When it is dropped: at its idle limit, or at its total one if that comes first.
    pub deadline: Instant,
    /// The deadline under which it was last filed.
    pub filed: Instant,
    /// The client has closed its sending side, so a short read is not the last: the end
    /// of the stream follows.
    pub peer_closed: bool,
    stream: TcpStream,
    total: Instant,
    /// What a short write has left. While there is any, nothing is read: the client has
    /// to read first.
    unsent: Vec<u8>,
}

/// How a turn ended.
pub enum Turn {
    /// There is nothing to read, or no room to write: an event will tell.
    Waiting,
    /// There is more to read, and no event will tell.
    Unfinished,
    /// The client has sent everything, and everything is answered.
    Over,
}

impl Visit {
    /// A visit that starts now.
    pub fn new(stream: TcpStream, peer: SocketAddr, options: &Options, now: Instant) -> Visit {
        let total = now + options.total.min(LONGEST);
        let deadline = total.min(now + options.idle.min(LONGEST));
        Visit {
            peer,
            deadline,
            filed: deadline,
            peer_closed: false,
            stream,
            total,
            unsent: Vec::new(),
        }
    }

    /// Moves both limits forward to `limit`, if they are not before it.
    pub fn end_by(&mut self, limit: Instant) {
        self.total = self.total.min(limit);
        self.deadline = self.deadline.min(limit);
    }

    /// Whether a reply is still on its way.
    pub fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Sends what is left, then reads and replies until there is nothing to read or the
    /// turn is over.
    ///
    /// # Errors
    /// What read or write say. `WouldBlock` is no error: "nothing yet" differs from
    /// data, from the end of the stream and from a failure, and has an arm of its
    /// own.
    pub fn turn(&mut self, buf: &mut [u8], options: &Options, now: Instant) -> io::Result<Turn> {
        if self.has_unsent() {
            let unsent = std::mem::take(&mut self.unsent);
            self.send(&unsent)?;
            if self.has_unsent() {
                return Ok(Turn::Waiting);
            }
            self.renew(options, now);
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
            self.renew(options, now);
            reply(&mut buf[..n], options);
            log::debug!("{} sending {n} bytes {}", self.peer, payload(&buf[..n]));
            self.send(&buf[..n])?;
            let last = SHORT_READ_IS_LAST && n < buf.len() && !self.peer_closed;
            if last || self.has_unsent() {
                return Ok(Turn::Waiting);
            }
        }
        Ok(Turn::Unfinished)
    }

    /// A client that does something has the idle limit before it again, but never more
    /// than the total one.
    fn renew(&mut self, options: &Options, now: Instant) {
        self.deadline = self.total.min(now + options.idle.min(LONGEST));
    }

    /// Writes what the socket takes now, and keeps the rest.
    fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => bytes = &bytes[n..],
                // The buffers on the way are full: an event will tell when there is room.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.unsent = bytes.to_vec();
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Turns what was received into the reply: the place for what a server of your own
/// does.
fn reply(bytes: &mut [u8], options: &Options) {
    if options.upper {
        // ASCII only, so that UTF-8 text stays whole wherever the stream has cut it.
        bytes.make_ascii_uppercase();
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use super::*;

    const GENEROUS: Duration = Duration::from_secs(20);
    const OPTIONS: Options =
        Options { upper: false, idle: GENEROUS, total: GENEROUS, max_clients: 1, drain: GENEROUS };

    #[test]
    fn a_turn_ends_after_so_many_reads_and_the_next_one_goes_on() {
        const SENT: usize = READS_PER_TURN + 1;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(GENEROUS)).unwrap();
        client.write_all(&[b'x'; SENT]).unwrap();
        let (stream, peer) = listener.accept().unwrap();
        while stream.peek(&mut [0; SENT]).unwrap() < SENT {}
        stream.set_nonblocking(true).unwrap();
        let now = Instant::now();
        let mut visit = Visit::new(TcpStream::from_std(stream), peer, &OPTIONS, now);
        // A buffer that each byte fills, so that each is a read.
        assert!(matches!(visit.turn(&mut [0; 1], &OPTIONS, now), Ok(Turn::Unfinished)));
        assert_eq!(visit.stream.peek(&mut [0; SENT]).unwrap(), 1);
        assert!(matches!(visit.turn(&mut [0; 1], &OPTIONS, now), Ok(Turn::Waiting)));
        let mut replies = [0; SENT];
        client.read_exact(&mut replies).unwrap();
        assert_eq!(replies, [b'x'; SENT]);
    }
}

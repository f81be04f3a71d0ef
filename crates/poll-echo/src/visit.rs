//! One client's conversation as a state that goes on from where it stopped, since nothing
//! here may wait.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpStream};

use netcore::connection::{LINGER, has_taken_all};
use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::visit::{Ended, caught, log_end};
use rustix::event::{PollFd, PollFlags};

use crate::Echo;

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
    /// There is nothing to read, or no room to write.
    Waiting,
    /// The client has sent everything, and everything is answered.
    Over,
}

impl Visit {
    /// A visit that starts now.
    pub fn new(stream: TcpStream, peer: SocketAddr, service: &Echo, shutdown: &Shutdown) -> Visit {
        log::info!("{peer} connected");
        let (state, unsent, shutdown) = (State::Talking, Vec::new(), shutdown.clone());
        let total = Deadline::after(service.limits.total);
        let deadline = total.or_sooner(Deadline::after(service.limits.idle));
        Visit { stream, peer, state, shutdown, total, deadline, unsent }
    }

    /// The socket, and what it is waited for.
    pub fn waited_for(&self) -> PollFd<'_> {
        let flags = if self.unsent.is_empty() { PollFlags::IN } else { PollFlags::OUT };
        PollFd::new(&self.stream, flags)
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
    /// client and nobody else.
    pub fn turn(&mut self, buf: &mut [u8], service: &Echo) {
        match caught(|| self.talk(buf, service)) {
            Ok(Turn::Waiting) => {}
            Ok(Turn::Over) => self.end(Ok(Ended::ByPeer)),
            Err(error) => self.end(Err(error)),
        }
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

    /// Sends what is left, then reads and replies once. If more has come, poll(2) says so
    /// again.
    fn talk(&mut self, buf: &mut [u8], service: &Echo) -> io::Result<Turn> {
        if !self.unsent.is_empty() {
            let unsent = std::mem::take(&mut self.unsent);
            self.send(&unsent)?;
            if !self.unsent.is_empty() {
                return Ok(Turn::Waiting);
            }
            self.renew(service);
        }
        let n = match self.stream.read(buf) {
            // End of stream: the client has closed its sending side. No more will come.
            Ok(0) => return Ok(Turn::Over),
            Ok(n) => n,
            // Nothing yet.
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Turn::Waiting),
            // A signal came first; nothing has been read.
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(Turn::Waiting),
            Err(error) => return Err(error),
        };
        if self.state == State::Closing {
            return Ok(Turn::Waiting);
        }
        log::debug!("{} received {n} bytes {}", self.peer, payload(&buf[..n]));
        service.reply(&mut buf[..n]);
        log::debug!("{} sending {n} bytes {}", self.peer, payload(&buf[..n]));
        self.send(&buf[..n])?;
        // With the time that our reply took behind us: it is not the client's silence.
        self.renew(service);
        Ok(Turn::Waiting)
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

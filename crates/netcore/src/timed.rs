//! Deadlines on a borrowed stream of TCP: what some programs that have not moved to
//! [`Connection`](crate::connection::Connection) still use.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::deadline::Deadline;

/// Two socket timeouts nearer than this count as the same, which saves the system call
/// that sets it again. A deadline is late by no more than this.
const SLACK: Duration = Duration::from_millis(1);

/// A stream whose reads and writes all end at one deadline, however many calls they
/// take.
///
/// Sets SO_RCVTIMEO and SO_SNDTIMEO ([socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html)) to what
/// remains before each call. The socket keeps the last value that was set.
#[derive(Debug)]
pub struct TimedStream<'a> {
    stream: &'a TcpStream,
    deadline: Deadline,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

impl<'a> TimedStream<'a> {
    /// Wraps `stream`, which must be in blocking mode. `deadline` holds until another
    /// is set.
    pub fn new(stream: &'a TcpStream, deadline: Deadline) -> TimedStream<'a> {
        TimedStream { stream, deadline, read_timeout: None, write_timeout: None }
    }

    /// From here on, every call fails with `TimedOut` when `deadline` has passed.
    pub fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// As [`TcpStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl Read for TimedStream<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let remaining = self.deadline.remaining()?;
            if !nearly_equal(self.read_timeout, remaining) {
                unless_over(self.stream.set_read_timeout(remaining))?;
                self.read_timeout = remaining;
            }
            match self.stream.read(buf) {
                Err(error) if is_socket_timeout(&error) => continue,
                done => return done,
            }
        }
    }
}

impl Write for TimedStream<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        loop {
            let remaining = self.deadline.remaining()?;
            if !nearly_equal(self.write_timeout, remaining) {
                unless_over(self.stream.set_write_timeout(remaining))?;
                self.write_timeout = remaining;
            }
            match self.stream.write(buf) {
                Err(error) if is_socket_timeout(&error) => continue,
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn nearly_equal(set: Option<Duration>, wanted: Option<Duration>) -> bool {
    match (set, wanted) {
        (Some(set), Some(wanted)) => set.abs_diff(wanted) < SLACK,
        (set, wanted) => set == wanted,
    }
}

/// Whether SO_RCVTIMEO or SO_SNDTIMEO has ended a call: WouldBlock on Unix, TimedOut on
/// Windows. Whether the deadline has come, the clock says.
///
/// On Unix, TimedOut is another thing: the system has given the connection up, since
/// the peer's machine has gone. It says so once, and after that it looks like an end of
/// the stream.
pub fn is_socket_timeout(error: &io::Error) -> bool {
    error.kind() == if cfg!(windows) { ErrorKind::TimedOut } else { ErrorKind::WouldBlock }
}

/// What setting a timeout of a socket said, unless the connection is over.
///
/// macOS lets no option be set once both directions have ended. No call can block any
/// more then, so it needs no limit, and says itself what there is: data, the end of the
/// stream or an error.
///
/// # Errors
/// Every other one.
pub fn unless_over(set: io::Result<()>) -> io::Result<()> {
    match set {
        Err(error) if cfg!(target_vendor = "apple") && error.kind() == ErrorKind::InvalidInput => {
            Ok(())
        }
        set => set,
    }
}
